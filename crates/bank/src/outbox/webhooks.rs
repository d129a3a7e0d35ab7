//! Endpoints: made, changed, tried out, removed. What a command changes is at work when it returns.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::message::Message;
use super::progress::Tried;
use super::sink::SinkKind;
use super::sink::webhook::address;
use super::sink::webhook::signature::SigningSecret;
use super::subscription::{Disabled, Subscription};
use super::template::{About, Templates, fill};
use super::view::Filter;
use super::wish::{check_accounts, check_name, check_templates, sort};
use super::{Begin, Change, Outbox, OutboxError, Wish, rows, running};
use crate::database::Actor;
use crate::http::wire::time;
use crate::identity::Role;
use crate::sequencer::{Clock as _, SystemClock};

/// Subscriptions that a bank has at most: each holds some megabytes while it works.
pub const SUBSCRIPTIONS_MAX: usize = 64;

/// How long an old secret may sign beside a new one.
pub const OVERLAP_MAX: Duration = Duration::from_secs(7 * 86_400);

/// A secret as it is shown, once.
pub struct NewSecret(SigningSecret);

impl NewSecret {
    /// The text to hand to the receiver.
    #[must_use]
    pub fn expose(&self) -> String {
        self.0.expose()
    }
}

impl Outbox {
    /// Registers an endpoint. The secret is returned here and nowhere else.
    ///
    /// # Errors
    /// Why it was not registered.
    pub async fn create_webhook(
        &self,
        wish: Wish,
        by: &Actor,
        now_us: i64,
    ) -> Result<(Subscription, NewSecret), OutboxError> {
        let wish = wish.checked(&**self.shared.books.reads())?;
        let url = address::parse(&wish.url)?;
        address::check(&url, &self.settings.webhook_allow).await?;
        let _turn = self.one_at_a_time.lock().await;
        if rows::all(&self.shared.database).await?.len() >= SUBSCRIPTIONS_MAX {
            return Err(OutboxError::TooMany);
        }
        let secret = SigningSecret::from_system().map_err(system)?;
        let subscription = Subscription {
            id: new_id(now_us)?,
            sink: SinkKind::Webhook,
            name: wish.name,
            target: url.to_string(),
            principal: wish.principal.to_string(),
            role: wish.role,
            accounts: wish.accounts,
            filter: wish.filter,
            templates: wish.templates,
            begins_after: self.sequence_of(wish.begin),
            created_at_us: now_us,
            created_by: by.name.to_string(),
            disabled: None,
        };
        let fault = |e| self.shared.database.fault(e);
        let secret_id = new_id(now_us)?;
        let mut change = self.shared.database.begin(by, now_us).await?;
        rows::insert(&mut change, &subscription).await.map_err(fault)?;
        rows::add_secret(&mut change, subscription.id, secret_id, &secret, (now_us, now_us))
            .await
            .map_err(fault)?;
        change.commit().await?;
        self.launch(subscription.clone(), now_us);
        Ok((subscription, NewSecret(secret)))
    }

    /// Changes an endpoint. One that is enabled again goes on where it stopped.
    ///
    /// # Errors
    /// Why it was not changed.
    pub async fn change_webhook(
        &self,
        id: Uuid,
        change: Change,
        by: &Actor,
        now_us: i64,
    ) -> Result<Subscription, OutboxError> {
        let _turn = self.one_at_a_time.lock().await;
        let mut webhook = self.webhook(id).await?;
        if let Some(name) = change.name {
            check_name(&name)?;
            webhook.name = name;
        }
        if let Some(url) = change.url {
            let url = address::parse(&url)?;
            address::check(&url, &self.settings.webhook_allow).await?;
            webhook.target = url.to_string();
        }
        if let Some(mut accounts) = change.accounts {
            sort(&mut accounts);
            check_accounts(&accounts, &**self.shared.books.reads())?;
            webhook.filter.accounts = accounts;
        }
        if let Some(kinds) = change.kinds {
            webhook.filter.kinds = kinds;
        }
        if let Some(templates) = change.templates {
            check_templates(&templates)?;
            webhook.templates = templates;
        }
        match (change.enabled, &webhook.disabled) {
            (Some(true), _) => webhook.disabled = None,
            (Some(false), None) => {
                webhook.disabled = Some(Disabled { at_us: now_us, why: "disabled by hand".to_owned() });
            }
            _ => {}
        }
        self.running.stop(id).await;
        let written = self.write(&webhook, by, now_us).await;
        let standing = if written.is_ok() { webhook.clone() } else { self.webhook(id).await? };
        if standing.disabled.is_none() {
            let stamp = rows::secrets_stamp(&self.shared.database, id).await?;
            self.launch(standing, stamp);
        }
        written.map(|()| webhook)
    }

    async fn write(&self, webhook: &Subscription, by: &Actor, now_us: i64) -> Result<(), OutboxError> {
        let mut change = self.shared.database.begin(by, now_us).await?;
        rows::update(&mut change, webhook).await.map_err(|e| self.shared.database.fault(e))?;
        Ok(change.commit().await?)
    }

    /// Removes an endpoint for good, with all that was parked for it.
    ///
    /// # Errors
    /// Why it was not removed.
    pub async fn delete_webhook(&self, id: Uuid, by: &Actor, now_us: i64) -> Result<(), OutboxError> {
        let _turn = self.one_at_a_time.lock().await;
        self.webhook(id).await?;
        self.running.stop(id).await;
        let mut change = self.shared.database.begin(by, now_us).await?;
        rows::delete(&mut change, id).await.map_err(|e| self.shared.database.fault(e))?;
        change.commit().await?;
        self.running.forget(id);
        Ok(())
    }

    /// Makes a new secret. The one before it signs beside it for `overlap`.
    ///
    /// # Errors
    /// Why there is no new one.
    pub async fn rotate_secret(
        &self,
        id: Uuid,
        overlap: Duration,
        by: &Actor,
        now_us: i64,
    ) -> Result<NewSecret, OutboxError> {
        if overlap > OVERLAP_MAX {
            return Err(super::wish::wish("an old secret signs beside a new one for 7 days at most"));
        }
        let _turn = self.one_at_a_time.lock().await;
        let webhook = self.webhook(id).await?;
        let secret = SigningSecret::from_system().map_err(system)?;
        let end_us = now_us.saturating_add(i64::try_from(overlap.as_micros()).unwrap_or(i64::MAX));
        let secret_id = new_id(now_us)?;
        let mut change = self.shared.database.begin(by, now_us).await?;
        rows::add_secret(&mut change, id, secret_id, &secret, (now_us, end_us))
            .await
            .map_err(|e| self.shared.database.fault(e))?;
        change.commit().await?;
        if webhook.disabled.is_none() {
            self.running.stop(id).await;
            self.launch(webhook, now_us);
        }
        Ok(NewSecret(secret))
    }

    /// Sends a message of which nothing ever happened, now, with what the templates make of an example, and tells what
    /// came of it; also to an endpoint that is disabled.
    ///
    /// # Errors
    /// Why nothing was sent.
    pub async fn test_webhook(&self, id: Uuid) -> Result<Tried, OutboxError> {
        let webhook = self.webhook(id).await?;
        let sink =
            running::open(&self.shared, &self.settings, &webhook).await.map_err(OutboxError::System)?;
        let at_us = SystemClock::new().wall();
        let now = time(at_us);
        let example =
            |(kind, text): (&&'static str, &String)| Some((*kind, fill(text, &About::example(kind, &now))?));
        let examples = webhook.templates.iter().filter_map(example).collect();
        let message =
            Message::trial(&format!("test-{}", new_id(at_us)?), &self.shared.source, &now, &examples);
        let attempts = sink.deliver(vec![Arc::new(message)]).await;
        let result = attempts.into_iter().next().expect("there is an attempt for each event");
        let tried = Tried { sequence: 0, attempt: 1, at_us, result };
        self.running.remember(id, tried.clone());
        Ok(tried)
    }

    /// The subscription of a sink that the settings name.
    pub(super) async fn of_operator(
        &self,
        before: Option<&Subscription>,
        sink: SinkKind,
        target: String,
    ) -> Result<Subscription, OutboxError> {
        let now_us = SystemClock::new().wall();
        let fault = |e| self.shared.database.fault(e);
        let by = Actor::new("internal:outbox", "settings");
        match before {
            Some(before) if before.target == target => Ok(before.clone()),
            Some(before) => {
                let moved = Subscription { target, ..before.clone() };
                self.write(&moved, &by, now_us).await?;
                Ok(moved)
            }
            None => {
                let new = Subscription {
                    id: new_id(now_us)?,
                    sink,
                    name: sink.name().to_owned(),
                    target,
                    principal: "internal:outbox".to_owned(),
                    role: Role::Operations,
                    accounts: Vec::new(),
                    filter: Filter::default(),
                    templates: Templates::new(),
                    begins_after: self.sequence_of(self.settings.begin),
                    created_at_us: now_us,
                    created_by: by.name.to_string(),
                    disabled: None,
                };
                let mut change = self.shared.database.begin(&by, now_us).await?;
                rows::insert(&mut change, &new).await.map_err(fault)?;
                change.commit().await?;
                Ok(new)
            }
        }
    }

    /// Puts a subscription to work whose newest secret was made at `stamp`.
    pub(super) fn launch(&self, subscription: Subscription, stamp: i64) {
        self.running.launch(&self.shared, &self.settings, subscription, stamp);
    }

    /// Lets everything go at once; what is on its way is sent again by the next start.
    pub(crate) fn let_go(&self) {
        self.running.let_go();
    }

    /// Stops everything; what was delivered is written down.
    pub async fn close(&self) {
        self.running.close().await;
    }

    async fn webhook(&self, id: Uuid) -> Result<Subscription, OutboxError> {
        let found = rows::one(&self.shared.database, id).await?;
        found.filter(|found| found.sink == SinkKind::Webhook).ok_or(OutboxError::NotFound)
    }

    fn sequence_of(&self, begin: Begin) -> u64 {
        match begin {
            Begin::Now => self.shared.books.reads().head().sequence.0,
            Begin::After(sequence) => sequence,
        }
    }
}

/// A new id, in the order of time.
fn new_id(now_us: i64) -> Result<Uuid, OutboxError> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(system)?;
    let millis = u64::try_from(now_us / 1_000).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

pub(super) fn system(error: impl std::fmt::Display) -> OutboxError {
    OutboxError::System(error.to_string())
}
