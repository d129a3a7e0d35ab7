//! Cases: what a person has to look at, with the money at risk and what is known.

use ledger::Currency;
use serde_json::Value;
use uuid::Uuid;

use super::Payments;
use super::rows::{
    self, Connection, Row, id, int, next_number, optional_id, optional_int, optional_text, text,
};
use super::saga::Trouble;
use super::transition::short;
use crate::database::{Actor, DatabaseError};

/// What kind of case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Whether the rail pays is not known after all that was asked.
    UnknownOutcome,
    /// The rail has it and does not finish it.
    Late,
    /// Our own books refuse a step again and again, or somebody did it by hand.
    StepRefused,
    /// The money lies in suspense: the customer's account is closed.
    InSuspense,
    /// The rail said one thing and then another, or spoke of what it was never given.
    Contradiction,
    /// Money came in for somebody who could not be credited; it lies in suspense.
    IncomingInSuspense,
    /// Money came in, and not even suspense takes it.
    IncomingRefused,
    /// The other side used a reference for two different payments.
    ReferenceReused,
    /// A promise to another bank is prepared, and its coordinator does not say what it decided.
    InDoubt,
    /// A promise to another bank is prepared, and its coordinator does not know of it.
    CoordinatorForgot,
    /// An operator decided about a promise, and the coordinator otherwise: one side has the money, or lacks it.
    Heuristic,
    /// Money was taken from a customer for a payment that the bank database does not know, and nobody can be asked.
    PaymentLost,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 12] = [
        Kind::UnknownOutcome,
        Kind::Late,
        Kind::StepRefused,
        Kind::InSuspense,
        Kind::Contradiction,
        Kind::IncomingInSuspense,
        Kind::IncomingRefused,
        Kind::ReferenceReused,
        Kind::InDoubt,
        Kind::CoordinatorForgot,
        Kind::Heuristic,
        Kind::PaymentLost,
    ];

    /// The word used in the interface and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::UnknownOutcome => "unknown_outcome",
            Kind::Late => "late",
            Kind::StepRefused => "step_refused",
            Kind::InSuspense => "in_suspense",
            Kind::Contradiction => "contradiction",
            Kind::IncomingInSuspense => "incoming_in_suspense",
            Kind::IncomingRefused => "incoming_refused",
            Kind::ReferenceReused => "reference_reused",
            Kind::InDoubt => "in_doubt",
            Kind::CoordinatorForgot => "coordinator_forgot",
            Kind::Heuristic => "heuristic_outcome",
            Kind::PaymentLost => "payment_lost",
        }
    }

    /// Cases of this kind end by themselves when the payment goes on.
    pub(crate) fn ends_with_the_hold(self) -> bool {
        matches!(self, Kind::UnknownOutcome | Kind::Late | Kind::StepRefused)
    }
}

impl From<Trouble> for Kind {
    fn from(trouble: Trouble) -> Kind {
        match trouble {
            Trouble::Unknown => Kind::UnknownOutcome,
            Trouble::Late => Kind::Late,
            Trouble::StepRefused => Kind::StepRefused,
            Trouble::InSuspense => Kind::InSuspense,
            Trouble::Contradiction => Kind::Contradiction,
            Trouble::Heuristic => Kind::Heuristic,
        }
    }
}

/// A case.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// UUIDv7.
    pub id: Uuid,
    /// Rises by one with each case of the bank.
    pub number: i64,
    /// What kind.
    pub kind: Kind,
    /// The payment that it is about.
    pub payment: Option<Uuid>,
    /// The incoming payment that it is about.
    pub incoming: Option<Uuid>,
    /// The promise to another bank that it is about.
    pub promise: Option<Uuid>,
    /// Over which rail.
    pub rail: String,
    /// Minor units that could be lost.
    pub at_risk: i64,
    /// Of this currency.
    pub currency: Currency,
    /// What is known.
    pub evidence: Value,
    /// When it was opened, µs.
    pub opened_at: i64,
    /// When it was resolved, µs, and how.
    pub resolved: Option<(i64, String)>,
}

/// One line of a case's history.
#[derive(Clone, PartialEq, Debug)]
pub struct CaseEntry {
    /// When, µs.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// opened, resolved or noted.
    pub action: String,
    /// Why.
    pub reason: Option<String>,
}

/// A case to be opened.
pub(super) struct New<'a> {
    pub(super) id: Uuid,
    pub(super) kind: Kind,
    pub(super) payment: Option<Uuid>,
    pub(super) incoming: Option<Uuid>,
    pub(super) promise: Option<Uuid>,
    pub(super) rail: &'a str,
    pub(super) at_risk: i64,
    pub(super) currency: Currency,
    pub(super) evidence: Value,
    pub(super) reason: Option<&'a str>,
}

/// Opens a case within a change, unless one of its kind stands open about the same thing.
pub(super) async fn open(
    connection: &mut Connection,
    new: New<'_>,
    by: &Actor,
    at: i64,
) -> Result<bool, sqlx::Error> {
    let bytes = |id: Option<Uuid>| id.map(|id| id.as_bytes().to_vec());
    let standing: Option<i64> = sqlx::query_scalar(
        "SELECT number FROM cases WHERE kind = ? AND resolved_at IS NULL
            AND (payment = ? OR incoming = ? OR promise = ?)",
    )
    .bind(new.kind.name())
    .bind(bytes(new.payment))
    .bind(bytes(new.incoming))
    .bind(bytes(new.promise))
    .fetch_optional(&mut *connection)
    .await?;
    if standing.is_some() {
        return Ok(false);
    }
    let number = next_number(connection, "cases").await?;
    sqlx::query(
        "INSERT INTO cases (id, number, kind, payment, incoming, promise, rail, amount_at_risk, currency, evidence,
                            opened_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.id.as_bytes().to_vec())
    .bind(number)
    .bind(new.kind.name())
    .bind(bytes(new.payment))
    .bind(bytes(new.incoming))
    .bind(bytes(new.promise))
    .bind(new.rail)
    .bind(new.at_risk)
    .bind(new.currency.code())
    .bind(new.evidence.to_string())
    .bind(at)
    .execute(&mut *connection)
    .await?;
    write(connection, new.id, at, by, "opened", new.reason).await?;
    Ok(true)
}

async fn write(
    connection: &mut Connection,
    case: Uuid,
    at: i64,
    by: &Actor,
    action: &str,
    reason: Option<&str>,
) -> Result<(), sqlx::Error> {
    let last: Option<i64> =
        sqlx::query_scalar("SELECT entry FROM case_history WHERE case_id = ? ORDER BY entry DESC LIMIT 1")
            .bind(case.as_bytes().to_vec())
            .fetch_optional(&mut *connection)
            .await?;
    sqlx::query(
        "INSERT INTO case_history (case_id, entry, at, actor, action, reason) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(case.as_bytes().to_vec())
    .bind(last.unwrap_or(0) + 1)
    .bind(at)
    .bind(&*by.name)
    .bind(action)
    .bind(reason.map(short))
    .execute(connection)
    .await
    .map(drop)
}

/// Resolves a case within a change; false if it was resolved before.
pub(super) async fn resolve(
    connection: &mut Connection,
    case: Uuid,
    resolution: &str,
    reason: &str,
    by: &Actor,
    at: i64,
) -> Result<bool, sqlx::Error> {
    let open: Option<i64> =
        sqlx::query_scalar("SELECT number FROM cases WHERE id = ? AND resolved_at IS NULL")
            .bind(case.as_bytes().to_vec())
            .fetch_optional(&mut *connection)
            .await?;
    if open.is_none() {
        return Ok(false);
    }
    // First why, then that: the audit record takes the newest reason.
    write(connection, case, at, by, "resolved", Some(reason)).await?;
    sqlx::query("UPDATE cases SET resolved_at = ?, resolution = ? WHERE id = ? AND resolved_at IS NULL")
        .bind(at)
        .bind(resolution)
        .bind(case.as_bytes().to_vec())
        .execute(connection)
        .await?;
    Ok(true)
}

/// Ends the cases that stood for a hold of this payment, within a change.
pub(super) async fn end_hold(
    connection: &mut Connection,
    payment: Uuid,
    resolution: &str,
    reason: &str,
    by: &Actor,
    at: i64,
) -> Result<(), sqlx::Error> {
    for kind in Kind::ALL.into_iter().filter(|kind| kind.ends_with_the_hold()) {
        let open = sqlx::query("SELECT id FROM cases WHERE payment = ? AND kind = ? AND resolved_at IS NULL")
            .bind(payment.as_bytes().to_vec())
            .bind(kind.name())
            .fetch_all(&mut *connection)
            .await?;
        for row in open {
            resolve(connection, id(&row, "id")?, resolution, reason, by, at).await?;
        }
    }
    Ok(())
}

/// Ends the cases that stood for a promise in doubt, within a change.
pub(super) async fn end_doubt(
    connection: &mut Connection,
    promise: Uuid,
    resolution: &str,
    reason: &str,
    by: &Actor,
    at: i64,
) -> Result<(), sqlx::Error> {
    for kind in [Kind::InDoubt, Kind::CoordinatorForgot] {
        let open = sqlx::query("SELECT id FROM cases WHERE promise = ? AND kind = ? AND resolved_at IS NULL")
            .bind(promise.as_bytes().to_vec())
            .bind(kind.name())
            .fetch_all(&mut *connection)
            .await?;
        for row in open {
            resolve(connection, id(&row, "id")?, resolution, reason, by, at).await?;
        }
    }
    Ok(())
}

const COLUMNS: &str = "id, number, kind, payment, incoming, promise, rail, amount_at_risk, currency, evidence, opened_at, \
                       resolved_at, resolution";

fn read(row: &Row) -> Result<Case, sqlx::Error> {
    let (kind, code, evidence) = (text(row, "kind")?, text(row, "currency")?, text(row, "evidence")?);
    let known = Kind::ALL.into_iter().find(|known| known.name() == kind);
    Ok(Case {
        id: id(row, "id")?,
        number: int(row, "number")?,
        kind: known.ok_or_else(|| rows::strange("kind", &kind))?,
        payment: optional_id(row, "payment")?,
        incoming: optional_id(row, "incoming")?,
        promise: optional_id(row, "promise")?,
        rail: text(row, "rail")?,
        at_risk: int(row, "amount_at_risk")?,
        currency: Currency::from_code(&code).ok_or_else(|| rows::strange("currency", &code))?,
        evidence: serde_json::from_str(&evidence).map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        opened_at: int(row, "opened_at")?,
        resolved: optional_int(row, "resolved_at")?.zip(optional_text(row, "resolution")?),
    })
}

impl Payments {
    /// The case with this id.
    ///
    /// # Errors
    /// The bank database; so for all that follow.
    pub async fn case(&self, case: Uuid) -> Result<Option<Case>, DatabaseError> {
        let fault = |error| self.database.fault(error);
        let sql = format!("SELECT {COLUMNS} FROM cases WHERE id = ?");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(case.as_bytes().to_vec())
            .fetch_optional(self.database.pool())
            .await
            .map_err(fault)?;
        row.map(|row| read(&row).map_err(fault)).transpose()
    }

    /// Cases with numbers above `after`, oldest first, at most `limit`; only open, or only resolved ones, if said.
    pub async fn cases(
        &self,
        open: Option<bool>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Case>, DatabaseError> {
        let fault = |error| self.database.fault(error);
        let which = match open {
            None => "",
            Some(true) => "AND resolved_at IS NULL",
            Some(false) => "AND resolved_at IS NOT NULL",
        };
        let sql = format!("SELECT {COLUMNS} FROM cases WHERE number > ? {which} ORDER BY number LIMIT ?");
        let found = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(after)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.database.pool())
            .await
            .map_err(fault)?;
        found.iter().map(|row| read(row).map_err(fault)).collect()
    }

    /// The open cases of a payment.
    pub async fn open_cases_of(&self, payment: Uuid) -> Result<Vec<Case>, DatabaseError> {
        let fault = |error| self.database.fault(error);
        let sql =
            format!("SELECT {COLUMNS} FROM cases WHERE payment = ? AND resolved_at IS NULL ORDER BY number");
        let found = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(payment.as_bytes().to_vec())
            .fetch_all(self.database.pool())
            .await
            .map_err(fault)?;
        found.iter().map(|row| read(row).map_err(fault)).collect()
    }

    /// A case's history, oldest first.
    pub async fn case_history(&self, case: Uuid) -> Result<Vec<CaseEntry>, DatabaseError> {
        let fault = |error| self.database.fault(error);
        let found = sqlx::query(
            "SELECT at, actor, action, reason FROM case_history WHERE case_id = ? ORDER BY entry",
        )
        .bind(case.as_bytes().to_vec())
        .fetch_all(self.database.pool())
        .await
        .map_err(fault)?;
        let entry = |row: &Row| {
            Ok(CaseEntry {
                at: int(row, "at")?,
                actor: text(row, "actor")?,
                action: text(row, "action")?,
                reason: optional_text(row, "reason")?,
            })
        };
        found.iter().map(|row| entry(row).map_err(fault)).collect()
    }
}
