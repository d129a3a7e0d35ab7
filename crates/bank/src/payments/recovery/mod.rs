//! Payments that the books know better than the bank database: it was set back to an older copy, or lost rows.
//!
//! ```text
//!  mark ─► events behind it ─► each payment among them ─┬─ no row ────► made again, from what its events say
//!                                                       └─ row behind ► brought forward to what was posted
//! ```
//! A row is written before the first event of its payment is. So whatever a bank database holds at some moment, it
//! holds the rows of all events before that moment; the **mark** in it says up to which event that is, and an older copy
//! has an older mark. Only what comes behind it has to be read.
//!
//! What events do not say is lost: to whom a payment goes, and under which key the customer asked for it. Such a payment
//! is asked about under its own reference, and cancelled if the other side does not know it; it is never sent again.
//! Where nobody can be asked, since no rail or more than one uses its clearing account, there is a case.
//!
//! An incoming payment needs no row to be known: its keys in the books are made of rail and reference.

mod payment;
mod promise;

use std::collections::HashSet;
use std::ops::ControlFlow;

use ledger::{AccountId, Body, Event, Sequence};
use serde_json::json;
use uuid::Uuid;

use super::ledger_step::key;
use super::rail::Party;
use super::rail::settings::RailSettings;
use super::rows::Connection;
use super::{PaymentError, Payments, case, now};
use crate::sequencer::Fault;

/// What a row was made from, or brought forward by, for the timeline.
const OBSERVED: &str = "found_in_books";
const LOST: &str = "The bank database had no row of it; it was made again from the books.";
const BEHIND: &str = "The bank database was behind the books.";

/// What a recovery did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Recovered {
    /// Rows that were made again.
    pub made: u64,
    /// Rows that were brought forward.
    pub moved: u64,
    /// Cases that were opened, since nobody can be asked.
    pub cases: u64,
}

/// The payment or the promise that an event begins.
pub(crate) fn begins(event: &Event) -> Option<Uuid> {
    let id = Uuid::from_bytes(event.note.as_ref()?.payment?);
    let begun = matches!(event.body, Body::Posted { .. } | Body::HoldPlaced { .. });
    let first = || ["fund", "prepare"].iter().any(|step| event.key == key(id, step, 0));
    (begun && first()).then_some(id)
}

impl Payments {
    /// Finds payments whose rows are missing or behind, from the mark on, and sets the mark to the newest event. To be
    /// called before anybody is answered about payments.
    ///
    /// # Errors
    /// [`PaymentError`]; what was done stays, and the next call does the rest.
    pub async fn recover(&self) -> Result<Recovered, PaymentError> {
        let seen = self.seen().await?;
        let head = self.books.reads().head().sequence;
        let mut done = Recovered::default();
        if head > seen {
            for id in self.touched(seen.next()).await? {
                self.recover_one(id, &mut done).await?;
            }
            self.mark_seen(head).await?;
        }
        if done != Recovered::default() {
            let Recovered { made, moved, cases } = done;
            tracing::warn!(
                made,
                moved,
                cases,
                "the bank database was behind the books; payments were found there"
            );
        }
        Ok(done)
    }

    /// The mark.
    async fn seen(&self) -> Result<Sequence, PaymentError> {
        let seen: i64 = sqlx::query_scalar("SELECT seen FROM drivers WHERE name = 'payments'")
            .fetch_one(self.database.pool())
            .await
            .map_err(|error| self.database.fault(error))?;
        Ok(Sequence(seen.cast_unsigned()))
    }

    /// Moves the mark: every payment of an event up to `head`, which is durable, has its row.
    pub(super) async fn mark_seen(&self, head: Sequence) -> Result<(), PaymentError> {
        sqlx::query("UPDATE drivers SET seen = ? WHERE name = 'payments' AND seen < ?")
            .bind(head.0.cast_signed())
            .bind(head.0.cast_signed())
            .execute(self.database.pool())
            .await
            .map_err(|error| self.database.fault(error))?;
        Ok(())
    }

    /// The payments, promises and incoming payments that events from `from` on belong to, in that order.
    async fn touched(&self, from: Sequence) -> Result<Vec<Uuid>, PaymentError> {
        let reads = std::sync::Arc::clone(self.books.reads());
        let scanned = tokio::task::spawn_blocking(move || {
            let (mut ids, mut known) = (Vec::new(), HashSet::new());
            let mut each = |event: Event| {
                let id = event.note.as_ref().and_then(|note| note.payment);
                ids.extend(id.filter(|id| known.insert(*id)).map(Uuid::from_bytes));
                ControlFlow::Continue(())
            };
            reads.scan(from, &mut each).map(|()| ids)
        });
        Ok(scanned.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?)
    }

    async fn recover_one(&self, id: Uuid, done: &mut Recovered) -> Result<(), PaymentError> {
        if self.payment(id).await?.is_some_and(|payment| payment.saga.state.is_end()) {
            return Ok(());
        }
        if let Some(funding) = self.posted(id, "fund").await? {
            return self.recover_payment(id, &funding, done).await;
        }
        if let Some(hold) = self.posted(id, "prepare").await? {
            return self.recover_promise(id, &hold, done).await;
        }
        Ok(())
    }

    /// The event of a step that the books took, under whichever attempt.
    async fn posted(&self, id: Uuid, step: &str) -> Result<Option<Event>, Fault> {
        for attempt in 0.. {
            let Some(claimed) = self.books.claim(key(id, step, attempt)).await? else { break };
            let event = self.books.reads().event(claimed.sequence)?;
            let event = event.filter(|event| !matches!(event.body, Body::Refused(_)));
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    /// The only rail that uses one of these accounts for clearing, and which of them; else how many do.
    async fn rail_of(&self, event: &Event) -> Result<Result<(RailSettings, AccountId), usize>, PaymentError> {
        let mut found = Vec::new();
        for rail in self.rails().await? {
            // What is prepared is prepared with another bankcore.
            if matches!(event.body, Body::HoldPlaced { .. }) && rail.prepare_within_us.is_none() {
                continue;
            }
            let clearing = rail.currencies.iter().map(|lane| lane.clearing);
            let clearing = clearing.filter(|id| event.entries.iter().any(|entry| entry.account == *id));
            found.extend(clearing.collect::<Vec<_>>().into_iter().map(|id| (rail.clone(), id)));
        }
        let count = found.len();
        Ok(found.pop().filter(|_| count == 1).ok_or(count))
    }

    /// Money on a clearing account that no rail, or more than one, can be asked about: a person's.
    async fn nobody_to_ask(
        &self,
        id: Uuid,
        begun: &Event,
        ended: bool,
        rails: usize,
        done: &mut Recovered,
    ) -> Result<(), PaymentError> {
        let Some(entry) = begun.entries.first() else { return Ok(()) };
        let fault = |error| self.database.fault(error);
        let (at, by) = (now(), Payments::ourselves());
        let mut change = self.database.begin(&by, at).await?;
        // It bears the payment's id, so it is opened once.
        if has_row(change.connection(), "cases", id).await.map_err(fault)? {
            return Ok(());
        }
        let reference = begun.note.as_deref().and_then(|note| note.reference.as_deref());
        let why = format!(
            "The bank database has no row of this payment, and {rails} rails use its clearing account. Ask the other \
             side about the reference."
        );
        let new = case::New {
            id,
            kind: case::Kind::PaymentLost,
            payment: None,
            incoming: None,
            promise: None,
            rail: "",
            at_risk: if ended { 0 } else { entry.amount },
            currency: entry.currency,
            evidence: json!({
                "reference": reference, "transaction": begun.sequence.to_string(),
                "accounts": begun.entries.iter().map(|entry| entry.account.to_string()).collect::<Vec<_>>(),
            }),
            reason: Some(&why),
        };
        case::open(change.connection(), new, &by, at).await.map_err(fault)?;
        change.commit().await?;
        done.cases += 1;
        Ok(())
    }
}

/// Whether somebody was faster.
async fn has_row(connection: &mut Connection, table: &'static str, id: Uuid) -> Result<bool, sqlx::Error> {
    let sql = format!("SELECT number FROM {table} WHERE id = ?");
    let query = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql)).bind(id.as_bytes().to_vec());
    Ok(query.fetch_optional(connection).await?.is_some())
}

/// What no event says.
fn nobody() -> Party {
    Party { name: String::new(), account: String::new() }
}
