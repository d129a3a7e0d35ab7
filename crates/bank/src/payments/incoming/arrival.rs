//! What is told of money for somebody here, written down once under the other side's reference.

use ledger::money::{self, AmountError};
use ledger::{AccountId, Body, Currency, Digest};
use serde_json::json;
use uuid::Uuid;

use super::{COLUMNS, Incoming, State, read};
use crate::database::{Actor, DatabaseError};
use crate::payments::rail::Party;
use crate::payments::rail::settings::{Lane, RailSettings};
use crate::payments::rows::Connection;
use crate::payments::{PaymentError, Payments, case, new_id, now};

/// Money for somebody here.
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

/// What became of what a notice told.
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

/// How it begins.
pub(super) struct Entry {
    /// Minor units, above zero.
    pub(super) minor: i64,
    pub(super) currency: Currency,
    /// Who is credited; none, if nobody is.
    pub(super) account: Option<AccountId>,
    /// It was submitted: somebody waits for the answer.
    pub(super) asked: bool,
    /// Why it is refused at once; of what was submitted only.
    pub(super) code: Option<&'static str>,
}

/// What came of writing it down.
#[derive(PartialEq, Eq)]
pub(super) enum Written {
    New,
    Known,
    /// The reference was used for another payment.
    Reused,
    /// It was cancelled before it came.
    Cancelled,
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

/// The id of what has this reference: the same again, if the row is lost.
pub(super) fn id_of(rail: &str, reference: &str) -> Uuid {
    let text = |text: &str| [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat();
    let digest = Digest::over(&[b"incoming id", &text(rail), &text(reference)]);
    uuid::Builder::from_custom_bytes(digest.0).into_uuid()
}

impl Payments {
    /// Takes in what a notice told: durable when this returns, credited then or soon.
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
        let entry = Entry { minor, currency: lane.currency, account, asked: false, code: None };
        match self.write_down(rail, arrival, &entry).await? {
            Written::Known => return Ok(Received::Taken { replayed: true }),
            Written::Reused => return Ok(Received::ReferenceReused),
            Written::New | Written::Cancelled => {}
        }
        if let Err(error) = self.incoming_due(now()).await {
            tracing::warn!(%error, "an incoming payment is credited later");
        }
        Ok(Received::Taken { replayed: false })
    }

    /// Writes it down, unless there is one under this reference.
    pub(super) async fn write_down(
        &self,
        rail: &RailSettings,
        arrival: &Arrival,
        entry: &Entry,
    ) -> Result<Written, PaymentError> {
        let fault = |error| self.database.fault(error);
        let origin = if entry.asked { "submission" } else { "notice" };
        let (at, by) = (now(), Actor::new(&format!("rail:{}", rail.name), origin));
        let fingerprint = arrival.fingerprint(entry.minor);
        let mut change = self.database.begin(&by, at).await?;
        let known = find(change.connection(), &rail.name, &arrival.reference).await.map_err(fault)?;
        if let Some(first) = known {
            if first.fingerprint == fingerprint {
                return Ok(Written::Known);
            }
            let new = reused(new_id(at)?, rail, &first, arrival, entry);
            if case::open(change.connection(), new, &by, at).await.map_err(fault)? {
                change.commit().await?;
            }
            return Ok(Written::Reused);
        }
        // Only what somebody asks for can be cancelled; of what a notice tells, the money is here.
        if entry.asked
            && is_cancelled(change.connection(), &rail.name, &arrival.reference).await.map_err(fault)?
        {
            return Ok(Written::Cancelled);
        }
        insert(change.connection(), rail, arrival, entry, fingerprint, at).await.map_err(fault)?;
        change.commit().await?;
        Ok(Written::New)
    }

    /// What there is under a reference.
    pub(super) async fn incoming(
        &self,
        rail: &str,
        reference: &str,
    ) -> Result<Option<Incoming>, DatabaseError> {
        let fault = |error| self.database.fault(error);
        let mut connection = self.database.pool().acquire().await.map_err(fault)?;
        find(&mut connection, rail, reference).await.map_err(fault)
    }

    /// The customer's account with this number, in the lane's currency.
    pub(in crate::payments) async fn beneficiary(
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
}

pub(super) async fn find(
    connection: &mut Connection,
    rail: &str,
    reference: &str,
) -> Result<Option<Incoming>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} FROM incoming_payments WHERE rail = ? AND reference = ?");
    let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(rail).bind(reference);
    query.fetch_optional(connection).await?.map(|row| read(&row)).transpose()
}

/// Whether a reference was cancelled before anything came under it.
pub(super) async fn is_cancelled(
    connection: &mut Connection,
    rail: &str,
    reference: &str,
) -> Result<bool, sqlx::Error> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT cancelled_at FROM incoming_cancels WHERE rail = ? AND reference = ?")
            .bind(rail)
            .bind(reference)
            .fetch_optional(connection)
            .await?;
    Ok(found.is_some())
}

async fn insert(
    connection: &mut Connection,
    rail: &RailSettings,
    arrival: &Arrival,
    entry: &Entry,
    fingerprint: Digest,
    at: i64,
) -> Result<(), sqlx::Error> {
    let state = match (entry.code, entry.account) {
        (Some(_), _) => State::Refused,
        (None, Some(_)) => State::Received,
        (None, None) => State::ToSuspense,
    };
    sqlx::query(
        "INSERT INTO incoming_payments (id, rail, reference, fingerprint, amount, currency, debtor_name,
             debtor_account, beneficiary_name, beneficiary_account, description, state, attempt, version, due_at,
             created_at, changed_at, account_id, asked, code)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id_of(&rail.name, &arrival.reference).as_bytes().to_vec())
    .bind(rail.name.as_str())
    .bind(arrival.reference.as_str())
    .bind(fingerprint.0.to_vec())
    .bind(entry.minor)
    .bind(entry.currency.code())
    .bind(arrival.debtor.name.as_str())
    .bind(arrival.debtor.account.as_str())
    .bind(arrival.beneficiary.name.as_str())
    .bind(arrival.beneficiary.account.as_str())
    .bind(arrival.description.as_deref())
    .bind(state.name())
    .bind(0i64)
    .bind(1i64)
    .bind((state != State::Refused).then_some(at))
    .bind(at)
    .bind(at)
    .bind(entry.account.map(|id| id.0.cast_signed()))
    .bind(i64::from(entry.asked))
    .bind(entry.code)
    .execute(connection)
    .await
    .map(drop)
}

/// The case of a reference that was used twice.
fn reused<'a>(
    id: Uuid,
    rail: &'a RailSettings,
    first: &Incoming,
    arrival: &Arrival,
    entry: &Entry,
) -> case::New<'a> {
    case::New {
        id,
        kind: case::Kind::ReferenceReused,
        payment: None,
        incoming: Some(first.id),
        promise: None,
        rail: &rail.name,
        at_risk: entry.minor,
        currency: entry.currency,
        evidence: json!({
            "reference": arrival.reference, "amount": arrival.amount, "currency": arrival.currency,
            "debtor": arrival.debtor, "beneficiary": arrival.beneficiary,
        }),
        reason: Some("the reference was used for another payment"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Books of yesterday know the credit under the same keys tomorrow.
    #[test]
    fn the_id_is_made_of_rail_and_reference() {
        let id = id_of("sister", "r1");
        assert_eq!(id, id_of("sister", "r1"));
        for (rail, reference) in [("sister", "r2"), ("siste", "rr1"), ("other", "r1")] {
            assert_ne!(id, id_of(rail, reference), "{rail} {reference}");
        }
        assert_eq!(
            (id.get_version_num(), id.to_string().as_str()),
            (8, "73b5c37c-e155-8d69-8178-59a807e09f9d")
        );
    }
}
