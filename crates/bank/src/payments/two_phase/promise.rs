//! A promise: what another bank had us prepare, and its row.

use ledger::{AccountId, Currency, Digest, Sequence};
use uuid::Uuid;

use super::Verdict;
use super::participant::{Keeping, State};
use crate::database::DatabaseError;
use crate::payments::Payments;
use crate::payments::rail::Party;
use crate::payments::rows::{self, Row, id, int, optional_int, optional_text, text};

/// What this bank has prepared for another one.
#[derive(Clone, PartialEq, Debug)]
pub struct Promise {
    /// UUIDv7; the keys of its steps in the books are made of it.
    pub id: Uuid,
    /// Rises by one with each promise of the bank.
    pub number: i64,
    /// Over which rail: only the bank at its other end may decide.
    pub rail: String,
    /// The coordinator's reference.
    pub reference: String,
    /// What it is about; none, if the abort came before the prepare.
    pub content: Option<Content>,
    /// Where it stands.
    pub keeping: Keeping,
    /// Who decided, when and why.
    pub decided: Option<Decided>,
    /// Why our books refused.
    pub code: Option<String>,
    /// Rises by one with each transition.
    pub version: i64,
    /// From then on the coordinator is asked, µs.
    pub deadline: i64,
    /// When something is to be done next, µs.
    pub due_at: Option<i64>,
    /// When it was asked for, µs.
    pub created_at: i64,
    /// When it changed last, µs.
    pub changed_at: i64,
    /// The prepared hold.
    pub hold: Option<Sequence>,
    /// The event that ended it.
    pub end: Option<Sequence>,
}

/// What a promise is about. Never changes.
#[derive(Clone, PartialEq, Debug)]
pub struct Content {
    /// Tells another content under the same reference.
    pub fingerprint: Digest,
    /// Minor units, above zero.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// From where: the clearing account of the rail.
    pub clearing: AccountId,
    /// To whom; none, if nobody here has that account number.
    pub account: Option<AccountId>,
    /// Who pays.
    pub debtor: Party,
    /// Who is to be credited.
    pub beneficiary: Party,
    /// For the statement.
    pub description: Option<String>,
}

impl Content {
    /// Whether the other one asks for the same. One that was made again from the books does not know who pays.
    #[must_use]
    pub fn is(&self, other: &Content) -> bool {
        if self.fingerprint.is_none() {
            let what = |one: &Content| (one.amount, one.currency, one.account);
            return what(self) == what(other);
        }
        self.fingerprint == other.fingerprint
    }
}

/// A decision and who took it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    /// Who.
    pub by: String,
    /// When, µs.
    pub at: i64,
    /// Why; always there, if it was an operator.
    pub why: Option<String>,
}

/// One line of a promise's timeline. Written once, never changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// When, µs.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// From where.
    pub origin: Option<String>,
    /// From which state; none at the beginning.
    pub from: Option<State>,
    /// To which.
    pub to: State,
    /// The attempt of the step that belongs to the new state.
    pub attempt: u32,
    /// What was seen, in one word.
    pub observed: String,
    /// Why, in somebody's words.
    pub reason: Option<String>,
    /// The event in the books.
    pub transaction: Option<Sequence>,
}

pub(crate) const COLUMNS: &str = "id, number, rail, reference, fingerprint, amount, currency, clearing_account_id, \
    account_id, debtor_name, debtor_account, beneficiary_name, beneficiary_account, description, state, decision, \
    heuristic, decided_by, decided_at, decided_why, told, code, attempt, tries, version, deadline, due_at, \
    created_at, changed_at, hold_id, end_id";

pub(super) fn read(row: &Row) -> Result<Promise, sqlx::Error> {
    let small = |column| Ok::<_, sqlx::Error>(u32::try_from(int(row, column)?).unwrap_or(u32::MAX));
    let sequence = |column| {
        Ok::<_, sqlx::Error>(optional_int(row, column)?.map(|sequence| Sequence(sequence.cast_unsigned())))
    };
    let verdict = |column| {
        let word = optional_text(row, column)?;
        let known = |word: String| Verdict::named(&word).ok_or_else(|| rows::strange(column, &word));
        word.map(known).transpose()
    };
    let state = text(row, "state")?;
    let (by, why) = (optional_text(row, "decided_by")?, optional_text(row, "decided_why")?);
    let decided = optional_int(row, "decided_at")?.zip(by).map(|(at, by)| Decided { by, at, why });
    Ok(Promise {
        id: id(row, "id")?,
        number: int(row, "number")?,
        rail: text(row, "rail")?,
        reference: text(row, "reference")?,
        content: content(row)?,
        keeping: Keeping {
            state: State::named(&state).ok_or_else(|| rows::strange("state", &state))?,
            decision: verdict("decision")?,
            heuristic: int(row, "heuristic")? != 0,
            told: verdict("told")?,
            attempt: small("attempt")?,
            tries: small("tries")?,
        },
        decided,
        code: optional_text(row, "code")?,
        version: int(row, "version")?,
        deadline: int(row, "deadline")?,
        due_at: optional_int(row, "due_at")?,
        created_at: int(row, "created_at")?,
        changed_at: int(row, "changed_at")?,
        hold: sequence("hold_id")?,
        end: sequence("end_id")?,
    })
}

fn content(row: &Row) -> Result<Option<Content>, sqlx::Error> {
    let fingerprint: Option<Vec<u8>> = sqlx::Row::try_get(row, "fingerprint")?;
    let Some(fingerprint) = fingerprint else { return Ok(None) };
    let code = text(row, "currency")?;
    let account = |id: i64| AccountId(id.cast_unsigned());
    Ok(Some(Content {
        fingerprint: Digest(fingerprint.try_into().map_err(|_| rows::strange("fingerprint", "no digest"))?),
        amount: int(row, "amount")?,
        currency: Currency::from_code(&code).ok_or_else(|| rows::strange("currency", &code))?,
        clearing: account(int(row, "clearing_account_id")?),
        account: optional_int(row, "account_id")?.map(account),
        debtor: Party { name: text(row, "debtor_name")?, account: text(row, "debtor_account")? },
        beneficiary: Party {
            name: text(row, "beneficiary_name")?,
            account: text(row, "beneficiary_account")?,
        },
        description: optional_text(row, "description")?,
    }))
}

impl Payments {
    /// The promise with this id.
    ///
    /// # Errors
    /// The bank database; so for all that follow.
    pub async fn promise(&self, id: Uuid) -> Result<Option<Promise>, DatabaseError> {
        let sql = format!("SELECT {COLUMNS} FROM promises WHERE id = ?");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.as_bytes().to_vec());
        let row = query.fetch_optional(self.database.pool()).await;
        let row = row.map_err(|error| self.database.fault(error))?;
        row.map(|row| read(&row).map_err(|error| self.database.fault(error))).transpose()
    }

    /// The promise under this reference of the coordinator, over this rail.
    pub async fn promise_by_reference(
        &self,
        rail: &str,
        reference: &str,
    ) -> Result<Option<Promise>, DatabaseError> {
        let sql = format!("SELECT {COLUMNS} FROM promises WHERE rail = ? AND reference = ?");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(rail).bind(reference);
        let row = query.fetch_optional(self.database.pool()).await;
        let row = row.map_err(|error| self.database.fault(error))?;
        row.map(|row| read(&row).map_err(|error| self.database.fault(error))).transpose()
    }

    /// Promises with numbers above `after`, oldest first, at most `limit`; in one state only, if said.
    pub async fn promises(
        &self,
        state: Option<State>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Promise>, DatabaseError> {
        let fault = |error| self.database.fault(error);
        let which = if state.is_some() { "AND state = ?" } else { "" };
        let sql = format!("SELECT {COLUMNS} FROM promises WHERE number > ? {which} ORDER BY number LIMIT ?");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(after);
        if let Some(state) = state {
            query = query.bind(state.name());
        }
        let query = query.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let found = query.fetch_all(self.database.pool()).await.map_err(fault)?;
        found.iter().map(|row| read(row).map_err(fault)).collect()
    }

    /// Promises with something to do before `until_us`, the longest due first.
    pub(in crate::payments) async fn promises_due(
        &self,
        until_us: i64,
        limit: i64,
    ) -> Result<Vec<Promise>, DatabaseError> {
        let fault = |error| self.database.fault(error);
        let sql = format!("SELECT {COLUMNS} FROM promises WHERE due_at <= ? ORDER BY due_at LIMIT ?");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(until_us).bind(limit);
        let found = query.fetch_all(self.database.pool()).await.map_err(fault)?;
        found.iter().map(|row| read(row).map_err(fault)).collect()
    }

    /// A promise's timeline, oldest first.
    pub async fn promise_timeline(&self, promise: Uuid) -> Result<Vec<Line>, DatabaseError> {
        let fault = |error| self.database.fault(error);
        let found = sqlx::query(
            "SELECT at, actor, origin, from_state, to_state, attempt, observed, reason, transaction_id
               FROM promise_transitions WHERE promise = ? ORDER BY version",
        )
        .bind(promise.as_bytes().to_vec())
        .fetch_all(self.database.pool())
        .await
        .map_err(fault)?;
        found.iter().map(|row| line(row).map_err(fault)).collect()
    }
}

fn line(row: &Row) -> Result<Line, sqlx::Error> {
    let state = |name: String| State::named(&name).ok_or_else(|| rows::strange("state", &name));
    Ok(Line {
        at: int(row, "at")?,
        actor: text(row, "actor")?,
        origin: optional_text(row, "origin")?,
        from: optional_text(row, "from_state")?.map(state).transpose()?,
        to: state(text(row, "to_state")?)?,
        attempt: u32::try_from(int(row, "attempt")?).unwrap_or(u32::MAX),
        observed: text(row, "observed")?,
        reason: optional_text(row, "reason")?,
        transaction: optional_int(row, "transaction_id")?.map(|id| Sequence(id.cast_unsigned())),
    })
}
