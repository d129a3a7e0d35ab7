//! A scenario while it is played: its people, what they are told, and the count at its end.

mod payment;

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

pub(super) use payment::Paid;

use super::api::{Answer, By};
use super::count::{Count, Row, grouped, minor, plain};
use super::scenario::Ended;
use super::stage::{Account, Cast, Stage};
use super::story::{Kind, Line, Story, Who};
use crate::client::segment;

/// How often is looked whether something has ended.
const LOOK: Duration = Duration::from_millis(25);

/// The currency of everything in the drill.
pub(super) use super::stage::CURRENCY;

/// One unit in minor units.
const UNIT: i64 = 100;

/// A scene.
pub(super) struct Scene<'s> {
    /// Where it is played.
    pub(super) stage: &'s mut Stage,
    story: Story,
    watched: Vec<(Account, i64)>,
}

/// A customer, with an account and a key of their own.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) account: String,
    pub(super) key: String,
}

impl<'s> Scene<'s> {
    pub(super) fn new(stage: &'s mut Stage, story: Story) -> Scene<'s> {
        Scene { stage, story, watched: Vec::new() }
    }

    /// Sets the scene: customers with so many units each, and accounts of the bank's own that take part. From here
    /// on every unit is counted.
    pub(super) async fn set<const N: usize>(
        &mut self,
        customers: [(&'static str, i64); N],
        more: &[&Account],
    ) -> anyhow::Result<[Person; N]> {
        let mut people = Vec::with_capacity(N);
        for (name, units) in customers {
            let account = self.stage.office.open_for(name).await?;
            if units > 0 {
                let body = json!({
                    "account_id": account.id, "amount": plain(units * UNIT), "currency": CURRENCY,
                    "drawer_account_id": self.stage.cast.tellers[0].drawer.id,
                });
                self.stage.office.act("/api/v1/banker/deposits", &body).await?.done()?;
            }
            let key = self.stage.office.key_for(name, &account.id).await?;
            people.push(Person { name, account: account.id.clone(), key });
            self.watched.push((account, 0));
        }
        let shared = self.stage.cast.accounts().into_iter().chain(more.iter().copied());
        self.watched.extend(shared.map(|account| (account.clone(), 0)).collect::<Vec<_>>());
        for index in 0..self.watched.len() {
            self.watched[index].1 = self.balance(&self.watched[index].0.id).await?;
        }
        let seen = people.iter().zip(&self.watched).map(|(person, (_, has))| match has {
            0 => format!("{} nothing", person.name),
            has => format!("{} {}", person.name, grouped(*has)),
        });
        let seen = format!("at first: {} {CURRENCY}", seen.collect::<Vec<_>>().join(", "));
        self.tell(Who::Drill, seen).await;
        people.try_into().map_err(|_| anyhow::anyhow!("each customer has an account"))
    }

    /// Tells what somebody did or saw.
    pub(super) async fn tell(&mut self, who: Who, what: impl Into<String>) {
        self.story.tell(who, Kind::Went, what).await;
    }

    /// Tells what was broken.
    pub(super) async fn broke(&mut self, what: impl Into<String>) {
        self.story.tell(Who::Drill, Kind::Broke, what).await;
    }

    /// Tells what should not be.
    pub(super) async fn wrong(&mut self, what: impl Into<String>) {
        self.story.tell(Who::Drill, Kind::Wrong, what).await;
    }

    /// The ledger balance of an account, minor units on its normal side.
    pub(super) async fn balance(&self, account: &str) -> anyhow::Result<i64> {
        let shown = self.stage.office.read(&format!("/api/v1/accounts/{}", segment(account))).await?;
        let text = shown["ledger_balance"].as_str().unwrap_or_default();
        minor(text).with_context(|| format!("the balance of account {account} is no amount: {text}"))
    }

    /// How many entries an account has.
    pub(super) async fn entries(&self, account: &str) -> anyhow::Result<usize> {
        let path = format!("/api/v1/accounts/{}/entries?limit=500", segment(account));
        let page = self.stage.office.read(&path).await?;
        ensure!(page["next_cursor"].is_null(), "account {account} has more entries than a page");
        Ok(page["items"].as_array().context("no list of entries")?.len())
    }

    /// Asks as a customer for a transfer of so many units.
    pub(super) async fn transfer(
        &self,
        from: &Person,
        to: &str,
        units: i64,
        intent: &str,
    ) -> anyhow::Result<Answer> {
        let body = transfer(&from.account, to, units);
        self.stage.office.api.post(TRANSFERS, By::intent(&from.key, intent), &body).await
    }

    /// What became of an intent, as its owner is told.
    pub(super) async fn outcome(&self, whose: &str, intent: &str) -> anyhow::Result<Answer> {
        self.stage.office.api.get(&format!("/api/v1/idempotency/{}", segment(intent)), By::key(whose)).await
    }

    /// Where every unit is now, against what should have moved.
    ///
    /// # Errors
    /// If the bank does not say it.
    pub(super) async fn count(&self, ended: &Ended) -> anyhow::Result<Count> {
        let mut rows = Vec::with_capacity(self.watched.len());
        for (account, before) in &self.watched {
            let after = self.balance(&account.id).await?;
            let moved = ended.moved.iter().filter(|(id, _)| *id == account.id);
            rows.push(Row {
                id: account.id.clone(),
                name: account.name.clone(),
                customer: account.customer,
                debit_side: account.debit_side,
                before: *before,
                after,
                expected: moved.map(|(_, minor)| minor).sum(),
            });
        }
        Ok(Count { rows, totals: self.stage.totals().await? })
    }

    /// For how long it was played, and what was told.
    pub(super) fn into_story(self) -> (Duration, Vec<Line>) {
        (self.story.took(), self.story.into_lines())
    }

    /// Tellers, and the accounts that all scenarios share.
    pub(super) fn cast(&self) -> &Cast {
        &self.stage.cast
    }
}

/// Where transfers are asked for.
pub(super) const TRANSFERS: &str = "/api/v1/transactions/transfer";

/// A transfer of so many units.
pub(super) fn transfer(from: &str, to: &str, units: i64) -> Value {
    json!({"from_account_id": from, "to_account_id": to, "amount": plain(units * UNIT), "currency": CURRENCY})
}

/// So many units as minor units.
pub(super) fn units(units: i64) -> i64 {
    units * UNIT
}
