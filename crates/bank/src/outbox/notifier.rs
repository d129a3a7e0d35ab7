//! Makes the texts of one subscription: what a template may say of an event is what the subscriber may see of it.

use std::collections::HashMap;
use std::sync::Arc;

use ledger::{AccountId, Body, Event, Sequence};

use super::Shared;
use super::lanes::LaneIds;
use super::subscription::Subscription;
use super::template::{About, Templates, fill, masked};
use crate::http::wire::EventOut;
use crate::identity::{Credential, sees};
use crate::sequencer::Fault;

/// Account numbers that are remembered; they never change.
const NUMBERS_MAX: usize = 10_000;

/// Makes texts.
pub(super) struct Notifier {
    templates: Templates,
    holder: Credential,
    /// Masked.
    numbers: HashMap<AccountId, String>,
}

impl Notifier {
    pub(super) fn new(subscription: &Subscription) -> Notifier {
        let (templates, holder) = (subscription.templates.clone(), subscription.holder());
        Notifier { templates, holder, numbers: HashMap::new() }
    }

    /// Is there no template for this kind of event?
    pub(super) fn is_silent(&self, kind: &str) -> bool {
        !self.templates.contains_key(kind)
    }

    /// The text about an event, if there is a template for its kind. `shown` is the event as the subscriber sees it.
    ///
    /// # Errors
    /// If the books cannot be read.
    pub(super) async fn text(
        &mut self,
        shared: &Arc<Shared>,
        event: &Event,
        shown: &EventOut,
        lanes: &LaneIds,
    ) -> Result<Option<String>, Fault> {
        let Some(template) = self.templates.get(shown.kind) else { return Ok(None) };
        let seen = |account: u64| sees(&self.holder, account);
        // It is about the customer's account that the subscriber sees, and about the first one if there are several.
        let accounts = || event.entries.iter().map(|entry| entry.account.0);
        let position = accounts().position(|account| seen(account) && lanes.contains(&account));
        let position = position.or_else(|| accounts().position(seen));
        let mut about = About {
            kind: shown.kind.to_owned(),
            time: shown.time.clone(),
            booking_date: shown.booking_date.clone(),
            transaction: shown.what.transaction.as_ref().map(|it| it.kind.to_owned()).unwrap_or_default(),
            reference: shown.reference.clone().unwrap_or_default(),
            description: shown.description.clone().unwrap_or_default(),
            ..About::default()
        };
        if let Some((entry, shown)) = position.and_then(|at| event.entries.get(at).zip(shown.entries.get(at)))
        {
            about.amount.clone_from(&shown.amount);
            about.currency = shown.currency.to_owned();
            (about.debit, about.credit) = (shown.side == "debit", shown.side == "credit");
            about.balance = shown.balance_after.clone().unwrap_or_default();
            let template = template.clone();
            about.account = self.number(shared, entry.account).await?;
            return Ok(fill(&template, &about));
        }
        Ok(fill(template, &about))
    }

    async fn number(&mut self, shared: &Arc<Shared>, account: AccountId) -> Result<String, Fault> {
        if let Some(known) = self.numbers.get(&account) {
            return Ok(known.clone());
        }
        let Some(view) = shared.books.account(account).await? else { return Ok(String::new()) };
        let Sequence(opened) = view.account.opened;
        let number = match shared.event(opened).await?.body {
            Body::AccountOpened(opening) => masked(&opening.number),
            _ => String::new(),
        };
        if self.numbers.len() >= NUMBERS_MAX {
            self.numbers.clear();
        }
        self.numbers.insert(account, number.clone());
        Ok(number)
    }
}
