//! A promise found in the books: its row made again. One that is behind comes forward by itself: its coordinator is
//! asked, and its steps have their keys.

use ledger::{Digest, Event};
use uuid::Uuid;

use super::{LOST, OBSERVED, Recovered, nobody};
use crate::payments::rows::next_number;
use crate::payments::two_phase::Verdict;
use crate::payments::two_phase::asked::insert;
use crate::payments::two_phase::mark::{self, Line, Seen};
use crate::payments::two_phase::participant::{Keeping, State};
use crate::payments::two_phase::promise::{Content, Promise};
use crate::payments::{PaymentError, Payments, now};

impl Payments {
    pub(super) async fn recover_promise(
        &self,
        id: Uuid,
        hold: &Event,
        done: &mut Recovered,
    ) -> Result<(), PaymentError> {
        if self.promise(id).await?.is_some() {
            return Ok(());
        }
        let commit = self.posted(id, "commit").await?.map(|event| (Verdict::Commit, event));
        let abort = self.posted(id, "abort").await?.map(|event| (Verdict::Abort, event));
        let end = commit.or(abort);
        let (rail, clearing) = match self.rail_of(hold).await? {
            Ok(found) => found,
            Err(rails) => return self.nobody_to_ask(id, hold, end.is_some(), rails, done).await,
        };
        let reference = hold.note.as_deref().and_then(|note| note.reference.as_deref());
        let held = hold.entries.iter().find(|entry| entry.account != clearing);
        let (Some(reference), Some(held)) = (reference, held) else { return Ok(()) };
        let verdict = end.as_ref().map(|(verdict, _)| *verdict);
        let state = match verdict {
            None => State::Prepared,
            Some(Verdict::Commit) => State::Committed,
            Some(Verdict::Abort) => State::Aborted,
        };
        let content = Content {
            fingerprint: Digest::NONE,
            amount: held.amount,
            currency: held.currency,
            clearing,
            account: Some(held.account),
            debtor: nobody(),
            beneficiary: self.party(held.account).await?.unwrap_or_else(nobody),
            description: hold.note.as_deref().and_then(|note| note.description.as_deref()).map(str::to_owned),
        };
        let fault = |error| self.database.fault(error);
        let (at, by) = (now(), Payments::ourselves());
        let mut change = self.database.begin(&by, at).await?;
        let there: Option<i64> =
            sqlx::query_scalar("SELECT number FROM promises WHERE id = ? OR (rail = ? AND reference = ?)")
                .bind(id.as_bytes().to_vec())
                .bind(rail.name.as_str())
                .bind(reference)
                .fetch_optional(change.connection())
                .await
                .map_err(fault)?;
        if there.is_some() {
            return Ok(());
        }
        let promise = Promise {
            id,
            number: next_number(change.connection(), "promises").await.map_err(fault)?,
            rail: rail.name.clone(),
            reference: reference.to_owned(),
            content: Some(content),
            keeping: Keeping { state, decision: verdict, told: verdict, ..Keeping::NEW },
            decided: None,
            code: None,
            version: 1,
            // Its coordinator is asked at once.
            deadline: at,
            due_at: verdict.is_none().then_some(at),
            created_at: hold.time,
            changed_at: at,
            hold: Some(hold.sequence),
            end: end.map(|(_, event)| event.sequence),
        };
        insert(change.connection(), &promise, &by).await.map_err(fault)?;
        let seen = Seen { by: &by, reason: Some(LOST), event: promise.end.or(promise.hold), code: None };
        let line = Line { promise: &promise, from: None, saw: OBSERVED, seen: &seen, at };
        mark::write(change.connection(), line).await.map_err(fault)?;
        change.commit().await?;
        done.made += 1;
        Ok(())
    }
}
