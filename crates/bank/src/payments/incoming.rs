//! Incoming payments: credited once by the other side's reference; into suspense, with a case, if nobody can be
//! credited.
//!
//! ```text
//!  received ──► credited              to whom is written down before anything is posted, so that whoever goes on
//!      │ refused                      after a crash posts the same under the same key
//!      ▼
//!  to_suspense ──► suspended + case
//! ```

use ledger::money::{self, AmountError};
use ledger::{AccountId, Body, Command, Currency, Digest, Line, Note, Sequence, Side};
use serde_json::json;
use uuid::Uuid;

use super::ledger_step::{Done, key};
use super::rail::Party;
use super::rail::settings::{Lane, RailSettings};
use super::rows::{self, Row, id, int, optional_int, optional_text, text};
use super::{PaymentError, Payments, case, new_id, now};
use crate::database::Actor;

/// What a rail tells of money for somebody here.
#[derive(Clone, PartialEq, Debug)]
pub struct Arrival {
    /// The other side's reference.
    pub reference: String,
    /// Major units.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// Who paid.
    pub debtor: Party,
    /// Who is to be credited, by account number.
    pub beneficiary: Party,
    /// For the statement.
    pub description: Option<String>,
}

/// What became of it.
#[derive(Clone, PartialEq, Debug)]
pub enum Received {
    /// It is ours; whether it was before.
    Taken {
        /// It had been told before.
        replayed: bool,
    },
    /// The reference was used for another payment; a case tells of it.
    ReferenceReused,
    /// The rail does not carry the currency.
    CurrencyNotCarried,
    /// The amount is none.
    Amount(AmountError),
}

/// Where an incoming payment stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Received,
    ToSuspense,
    Credited,
    Suspended,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Received => "received",
            State::ToSuspense => "to_suspense",
            State::Credited => "credited",
            State::Suspended => "suspended",
        }
    }
}

/// The part of a row that is needed to go on.
struct Incoming {
    id: Uuid,
    rail: String,
    reference: String,
    amount: i64,
    currency: Currency,
    description: Option<String>,
    state: State,
    attempt: u32,
    version: i64,
    account: Option<AccountId>,
}

const COLUMNS: &str =
    "id, rail, reference, amount, currency, description, state, attempt, version, account_id";

fn read(row: &Row) -> Result<Incoming, sqlx::Error> {
    let (state, code) = (text(row, "state")?, text(row, "currency")?);
    let states = [State::Received, State::ToSuspense, State::Credited, State::Suspended];
    let known = states.into_iter().find(|known| known.name() == state);
    Ok(Incoming {
        id: id(row, "id")?,
        rail: text(row, "rail")?,
        reference: text(row, "reference")?,
        amount: int(row, "amount")?,
        currency: Currency::from_code(&code).ok_or_else(|| rows::strange("currency", &code))?,
        description: optional_text(row, "description")?,
        state: known.ok_or_else(|| rows::strange("state", &state))?,
        attempt: u32::try_from(int(row, "attempt")?).unwrap_or(u32::MAX),
        version: int(row, "version")?,
        account: optional_int(row, "account_id")?.map(|id| AccountId(id.cast_unsigned())),
    })
}

impl Arrival {
    fn fingerprint(&self, minor: i64) -> Digest {
        let text = |text: &str| [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat();
        Digest::over(&[
            b"incoming",
            &text(&self.currency),
            &minor.to_be_bytes(),
            &text(&self.debtor.account),
            &text(&self.beneficiary.account),
        ])
    }
}

impl Payments {
    /// Takes in what a rail told: durable when this returns, credited then or soon.
    ///
    /// # Errors
    /// [`PaymentError`]; the rail tells it again.
    pub async fn receive(&self, rail: &RailSettings, arrival: &Arrival) -> Result<Received, PaymentError> {
        let currency = Currency::from_code(&arrival.currency);
        let Some(lane) = currency.and_then(|currency| rail.lane(currency)) else {
            return Ok(Received::CurrencyNotCarried);
        };
        let minor = match money::parse_positive(&arrival.amount, lane.currency) {
            Ok(minor) => minor,
            Err(error) => return Ok(Received::Amount(error)),
        };
        let account = self.beneficiary(&arrival.beneficiary, lane).await?;
        let fingerprint = arrival.fingerprint(minor);
        let fault = |error| self.database.fault(error);
        let (at, by) = (now(), Actor::new(&format!("rail:{}", rail.name), "notice"));
        let id = new_id(at)?;
        let mut change = self.database.begin(&by, at).await?;
        let known =
            sqlx::query("SELECT id, fingerprint FROM incoming_payments WHERE rail = ? AND reference = ?")
                .bind(rail.name.as_str())
                .bind(arrival.reference.as_str())
                .fetch_optional(change.connection())
                .await
                .map_err(fault)?;
        if let Some(row) = known {
            let first: Vec<u8> = sqlx::Row::try_get(&row, "fingerprint").map_err(fault)?;
            if first == fingerprint.0 {
                return Ok(Received::Taken { replayed: true });
            }
            let new = case::New {
                id,
                kind: case::Kind::ReferenceReused,
                payment: None,
                incoming: Some(rows::id(&row, "id").map_err(fault)?),
                promise: None,
                rail: &rail.name,
                at_risk: minor,
                currency: lane.currency,
                evidence: json!({
                    "reference": arrival.reference, "amount": arrival.amount, "currency": arrival.currency,
                    "debtor": arrival.debtor, "beneficiary": arrival.beneficiary,
                }),
                reason: Some("the reference was used for another payment"),
            };
            if case::open(change.connection(), new, &by, at).await.map_err(fault)? {
                change.commit().await?;
            }
            return Ok(Received::ReferenceReused);
        }
        let state = if account.is_some() { State::Received } else { State::ToSuspense };
        sqlx::query(
            "INSERT INTO incoming_payments (id, rail, reference, fingerprint, amount, currency, debtor_name,
                 debtor_account, beneficiary_name, beneficiary_account, description, state, attempt, version, due_at,
                 created_at, changed_at, account_id)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(id.as_bytes().to_vec())
        .bind(rail.name.as_str())
        .bind(arrival.reference.as_str())
        .bind(fingerprint.0.to_vec())
        .bind(minor)
        .bind(lane.currency.code())
        .bind(arrival.debtor.name.as_str())
        .bind(arrival.debtor.account.as_str())
        .bind(arrival.beneficiary.name.as_str())
        .bind(arrival.beneficiary.account.as_str())
        .bind(arrival.description.as_deref())
        .bind(state.name())
        .bind(0i64)
        .bind(1i64)
        .bind(at)
        .bind(at)
        .bind(at)
        .bind(account.map(|id| id.0.cast_signed()))
        .execute(change.connection())
        .await
        .map_err(fault)?;
        change.commit().await?;
        if let Err(error) = self.incoming_due(now()).await {
            tracing::warn!(%error, "an incoming payment is credited later");
        }
        Ok(Received::Taken { replayed: false })
    }

    /// The customer's account with this number, in the lane's currency.
    pub(super) async fn beneficiary(
        &self,
        party: &Party,
        lane: &Lane,
    ) -> Result<Option<AccountId>, PaymentError> {
        let Some(claimed) = self.books.claim(Digest::of_number(&party.account)).await? else {
            return Ok(None);
        };
        let event = self.books.reads().event(claimed.sequence)?;
        let opened = event.filter(|event| matches!(event.body, Body::AccountOpened(_)));
        let account = opened.and_then(|event| event.subject());
        let fits = |id: &AccountId| {
            let facts = self.books.reads().facts(*id);
            facts.is_some_and(|facts| facts.of_customer && facts.currency == lane.currency)
        };
        Ok(account.filter(fits))
    }

    /// Posts incoming payments that are due.
    pub(super) async fn incoming_due(&self, at: i64) -> Result<(), PaymentError> {
        let fault = |error| self.database.fault(error);
        let sql =
            format!("SELECT {COLUMNS} FROM incoming_payments WHERE due_at <= ? ORDER BY due_at LIMIT 64");
        let due = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(at)
            .fetch_all(self.database.pool())
            .await
            .map_err(fault)?;
        for row in due {
            let mut incoming = read(&row).map_err(fault)?;
            while let Some(next) = self.post_incoming(&incoming).await? {
                incoming = next;
            }
        }
        Ok(())
    }

    /// One step of an incoming payment; none if it is at an end for now.
    async fn post_incoming(&self, incoming: &Incoming) -> Result<Option<Incoming>, PaymentError> {
        let rail = self.rail(&incoming.rail).await?;
        let Some(lane) = rail.as_ref().and_then(|rail| rail.lane(incoming.currency)) else {
            tracing::warn!(incoming = %incoming.id, "its rail does not carry its currency any more");
            self.moved(incoming, incoming.state, incoming.attempt, None, None).await?;
            return Ok(None);
        };
        let (step, to) = match (incoming.state, incoming.account) {
            (State::Received, Some(account)) => ("credit", account),
            (State::Received | State::ToSuspense, _) => ("suspense", lane.suspense),
            (State::Credited | State::Suspended, _) => return Ok(None),
        };
        let Incoming { amount, currency, .. } = *incoming;
        let line = |account, side| Line { account, side, amount, currency };
        let lines = Box::new([line(lane.settlement, Side::Debit), line(to, Side::Credit)]);
        let note = Note {
            reference: Some(incoming.reference.as_str().into()),
            description: incoming.description.as_deref().map(Into::into),
            payment: Some(*incoming.id.as_bytes()),
            ..Note::default()
        };
        let done =
            self.submit(Command::Post { lines }, note, key(incoming.id, step, incoming.attempt)).await?;
        match (done, step) {
            (Done::NotNow(why), _) => {
                tracing::warn!(incoming = %incoming.id, why, "an incoming payment waits");
                self.moved(incoming, incoming.state, incoming.attempt, None, None).await?;
                Ok(None)
            }
            (Done::Posted(event), "credit") => {
                self.moved(incoming, State::Credited, 0, Some(event), None).await
            }
            (Done::Posted(event), _) => {
                let trouble = (case::Kind::IncomingInSuspense, "nobody could be credited".to_owned());
                self.moved(incoming, State::Suspended, 0, Some(event), Some(trouble)).await
            }
            (Done::Refused(_, _, why), "credit") => {
                tracing::info!(incoming = %incoming.id, why, "the beneficiary cannot be credited");
                self.moved(incoming, State::ToSuspense, 0, None, None).await
            }
            (Done::Refused(_, event, why), _) => {
                let trouble = Some((case::Kind::IncomingRefused, why));
                self.moved(incoming, State::ToSuspense, incoming.attempt + 1, Some(event), trouble).await?;
                Ok(None)
            }
        }
    }

    async fn moved(
        &self,
        before: &Incoming,
        state: State,
        attempt: u32,
        event: Option<Sequence>,
        trouble: Option<(case::Kind, String)>,
    ) -> Result<Option<Incoming>, PaymentError> {
        let fault = |error| self.database.fault(error);
        let (at, by) = (now(), Payments::ourselves());
        let due = match state {
            State::Credited | State::Suspended => None,
            // Doubling from a second to some minutes; whoever goes on at once does not look at it.
            State::Received | State::ToSuspense => Some(at + (1_000_000i64 << attempt.min(9))),
        };
        let mut change = self.database.begin(&by, at).await?;
        let done = sqlx::query(
            "UPDATE incoming_payments SET state = ?, attempt = ?, version = version + 1, due_at = ?, changed_at = ?,
                                          transaction_id = ?
              WHERE id = ? AND version = ?",
        )
        .bind(state.name())
        .bind(i64::from(attempt))
        .bind(due)
        .bind(at)
        .bind(event.map(|sequence| sequence.0.cast_signed()))
        .bind(before.id.as_bytes().to_vec())
        .bind(before.version)
        .execute(change.connection())
        .await
        .map_err(fault)?;
        if done.rows_affected() != 1 {
            // Somebody else did this step, with the same outcome.
            return Ok(None);
        }
        if let Some((kind, why)) = trouble {
            let new = case::New {
                id: new_id(at)?,
                kind,
                payment: None,
                incoming: Some(before.id),
                promise: None,
                rail: &before.rail,
                at_risk: before.amount,
                currency: before.currency,
                evidence: json!({"reference": before.reference, "state": state.name()}),
                reason: Some(&why),
            };
            case::open(change.connection(), new, &by, at).await.map_err(fault)?;
        }
        change.commit().await?;
        let Incoming { id, amount, currency, account, version, .. } = *before;
        let (rail, reference) = (before.rail.clone(), before.reference.clone());
        let description = before.description.clone();
        let version = version + 1;
        Ok(Some(Incoming {
            id,
            rail,
            reference,
            amount,
            currency,
            description,
            state,
            attempt,
            version,
            account,
        }))
    }
}
