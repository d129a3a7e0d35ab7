//! A payment: what it is about, which never changes, and where it stands.

use ledger::{AccountId, Currency, Digest, Sequence};
use uuid::Uuid;

use super::Payments;
use super::rail::Party;
use super::rows::{self, Connection, Row, id, int, optional_int, optional_text, text};
use super::saga::{self, Act, Next, Observation, Saga, State, Step};
use super::two_phase::{Mode, coordinator};
use crate::database::{Database, DatabaseError};

/// A payment to another institution.
#[derive(Clone, PartialEq, Debug)]
pub struct Payment {
    /// UUIDv7; the keys of its steps in the books are made of it.
    pub id: Uuid,
    /// Rises by one with each payment of the bank.
    pub number: i64,
    /// Over which rail.
    pub rail: String,
    /// Its own reference: the key on the other side.
    pub reference: String,
    /// Whose intent it is.
    pub principal: String,
    /// The same, as the books number it.
    pub principal_id: u32,
    /// The caller's idempotency key.
    pub key: String,
    /// Of the wish.
    pub fingerprint: Digest,
    /// Who pays.
    pub account: AccountId,
    /// Minor units, above zero.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// Where the money lies on its way.
    pub clearing: AccountId,
    /// Where it goes once paid.
    pub settlement: AccountId,
    /// Where it goes if it can go nowhere else.
    pub suspense: AccountId,
    /// Who pays, by name and account number.
    pub debtor: Party,
    /// Who is paid.
    pub beneficiary: Party,
    /// The caller's own reference.
    pub client_reference: Option<String>,
    /// For the statements.
    pub description: Option<String>,
    /// How it is carried out.
    pub mode: Mode,
    /// Where it stands.
    pub saga: Saga,
    /// Rises by one with each transition.
    pub version: i64,
    /// When something is to be done next, µs.
    pub due_at: Option<i64>,
    /// It waits for the rail's next window, µs.
    pub queued_until: Option<i64>,
    /// By when it should be settled, µs.
    pub expected_at: Option<i64>,
    /// When it was created, µs.
    pub created_at: i64,
    /// When it changed last, µs.
    pub changed_at: i64,
    /// Its transactions in the books.
    pub transactions: Transactions,
    /// The event in which the books refused to fund it.
    pub refusal: Option<Sequence>,
}

/// A payment's transactions in the books, one a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Transactions {
    /// Customer to clearing.
    pub funding: Option<Sequence>,
    /// Clearing to settlement.
    pub settlement: Option<Sequence>,
    /// Clearing back to the customer.
    pub reversal: Option<Sequence>,
    /// Clearing to suspense.
    pub suspense: Option<Sequence>,
}

impl Transactions {
    /// The place of a step.
    pub fn of(&mut self, step: Step) -> &mut Option<Sequence> {
        match step {
            Step::Fund => &mut self.funding,
            Step::Settle => &mut self.settlement,
            Step::Reverse => &mut self.reversal,
            Step::Suspend => &mut self.suspense,
        }
    }
}

impl Payment {
    /// What is to be done now.
    #[must_use]
    pub fn act(&self) -> Act {
        match self.mode {
            Mode::Saga => self.saga.act(),
            Mode::TwoPhase => coordinator::act(&self.saga),
        }
    }

    /// What `saw` makes of it. Nothing is written.
    #[must_use]
    pub fn next(&self, saw: Observation, tries_max: u32) -> Next {
        match self.mode {
            Mode::Saga => saga::next(&self.saga, saw, tries_max),
            Mode::TwoPhase => coordinator::next(&self.saga, saw, tries_max),
        }
    }

    /// It should have been settled by now and is not at an end.
    #[must_use]
    pub fn is_late(&self, now_us: i64) -> bool {
        !self.saga.state.is_end() && self.expected_at.is_some_and(|expected| expected < now_us)
    }

    /// Its row was lost and made again: to whom it goes is not known any more.
    #[must_use]
    pub fn is_made_again(&self) -> bool {
        self.beneficiary.account.is_empty()
    }

    /// Minor units that are neither with the customer nor known to be with the beneficiary.
    #[must_use]
    pub fn at_risk(&self) -> i64 {
        if self.saga.state.in_clearing() { self.amount } else { 0 }
    }
}

pub(crate) const COLUMNS: &str = "id, number, rail, reference, principal, principal_id, idempotency_key, fingerprint, \
    account_id, amount, currency, clearing_account_id, settlement_account_id, suspense_account_id, debtor_name, \
    debtor_account, beneficiary_name, beneficiary_account, client_reference, description, state, attempt, tries, cancel_wanted, held, \
    version, due_at, queued_until, expected_at, created_at, changed_at, funding_id, settlement_id, reversal_id, \
    suspense_id, refusal_id, mode";

pub(super) fn read(row: &Row) -> Result<Payment, sqlx::Error> {
    let account = |column| int(row, column).map(|id| AccountId(id.cast_unsigned()));
    let small = |column| Ok::<_, sqlx::Error>(u32::try_from(int(row, column)?).unwrap_or(u32::MAX));
    let sequence = |column| {
        Ok::<_, sqlx::Error>(optional_int(row, column)?.map(|sequence| Sequence(sequence.cast_unsigned())))
    };
    let (state, code) = (text(row, "state")?, text(row, "currency")?);
    let mode = text(row, "mode")?;
    let mode = Mode::named(&mode).ok_or_else(|| rows::strange("mode", &mode))?;
    let transactions = Transactions {
        funding: sequence("funding_id")?,
        settlement: sequence("settlement_id")?,
        reversal: sequence("reversal_id")?,
        suspense: sequence("suspense_id")?,
    };
    let booked = transactions.settlement.or(transactions.reversal).is_some();
    let fingerprint: Vec<u8> = sqlx::Row::try_get(row, "fingerprint")?;
    Ok(Payment {
        id: id(row, "id")?,
        number: int(row, "number")?,
        rail: text(row, "rail")?,
        reference: text(row, "reference")?,
        principal: text(row, "principal")?,
        principal_id: small("principal_id")?,
        key: text(row, "idempotency_key")?,
        fingerprint: Digest(fingerprint.try_into().map_err(|_| rows::strange("fingerprint", "no digest"))?),
        account: account("account_id")?,
        amount: int(row, "amount")?,
        currency: Currency::from_code(&code).ok_or_else(|| rows::strange("currency", &code))?,
        clearing: account("clearing_account_id")?,
        settlement: account("settlement_account_id")?,
        suspense: account("suspense_account_id")?,
        debtor: Party { name: text(row, "debtor_name")?, account: text(row, "debtor_account")? },
        beneficiary: Party {
            name: text(row, "beneficiary_name")?,
            account: text(row, "beneficiary_account")?,
        },
        client_reference: optional_text(row, "client_reference")?,
        description: optional_text(row, "description")?,
        mode,
        saga: Saga {
            booked: booked && mode == Mode::TwoPhase,
            state: State::named(&state).ok_or_else(|| rows::strange("state", &state))?,
            attempt: small("attempt")?,
            tries: small("tries")?,
            cancel: int(row, "cancel_wanted")? != 0,
            held: int(row, "held")? != 0,
        },
        version: int(row, "version")?,
        due_at: optional_int(row, "due_at")?,
        queued_until: optional_int(row, "queued_until")?,
        expected_at: optional_int(row, "expected_at")?,
        created_at: int(row, "created_at")?,
        changed_at: int(row, "changed_at")?,
        transactions,
        refusal: sequence("refusal_id")?,
    })
}

/// Writes a new payment.
pub(super) async fn insert(connection: &mut Connection, payment: &Payment) -> Result<(), sqlx::Error> {
    let values = vec!["?"; COLUMNS.split(',').count()].join(", ");
    let sequence = |sequence: Option<Sequence>| sequence.map(|sequence| sequence.0.cast_signed());
    let (saga, steps) = (&payment.saga, &payment.transactions);
    // In the order of COLUMNS.
    sqlx::query(sqlx::AssertSqlSafe(format!("INSERT INTO payments ({COLUMNS}) VALUES ({values})")))
        .bind(payment.id.as_bytes().to_vec())
        .bind(payment.number)
        .bind(payment.rail.as_str())
        .bind(payment.reference.as_str())
        .bind(payment.principal.as_str())
        .bind(i64::from(payment.principal_id))
        .bind(payment.key.as_str())
        .bind(payment.fingerprint.0.to_vec())
        .bind(payment.account.0.cast_signed())
        .bind(payment.amount)
        .bind(payment.currency.code())
        .bind(payment.clearing.0.cast_signed())
        .bind(payment.settlement.0.cast_signed())
        .bind(payment.suspense.0.cast_signed())
        .bind(payment.debtor.name.as_str())
        .bind(payment.debtor.account.as_str())
        .bind(payment.beneficiary.name.as_str())
        .bind(payment.beneficiary.account.as_str())
        .bind(payment.client_reference.as_deref())
        .bind(payment.description.as_deref())
        .bind(saga.state.name())
        .bind(i64::from(saga.attempt))
        .bind(i64::from(saga.tries))
        .bind(i64::from(saga.cancel))
        .bind(i64::from(saga.held))
        .bind(payment.version)
        .bind(payment.due_at)
        .bind(payment.queued_until)
        .bind(payment.expected_at)
        .bind(payment.created_at)
        .bind(payment.changed_at)
        .bind(sequence(steps.funding))
        .bind(sequence(steps.settlement))
        .bind(sequence(steps.reversal))
        .bind(sequence(steps.suspense))
        .bind(sequence(payment.refusal))
        .bind(payment.mode.name())
        .execute(connection)
        .await
        .map(drop)
}

/// Which payments are listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In this state.
    pub state: Option<State>,
    /// Created before this, µs.
    pub created_before: Option<i64>,
    /// From one of these accounts; all, if absent.
    pub accounts: Option<Vec<AccountId>>,
    /// Held only.
    pub held: Option<bool>,
}

impl Payments {
    /// The payment with this id.
    ///
    /// # Errors
    /// The bank database; so for all that follow.
    pub async fn payment(&self, id: Uuid) -> Result<Option<Payment>, DatabaseError> {
        one(&self.database, "id = ?", Key::Id(id)).await
    }

    /// The payment with this reference of its own, over this rail.
    pub async fn payment_by_reference(
        &self,
        rail: &str,
        reference: &str,
    ) -> Result<Option<Payment>, DatabaseError> {
        let found = one(&self.database, "reference = ?", Key::Text(reference)).await?;
        Ok(found.filter(|payment| payment.rail == rail))
    }

    /// The payment that a principal made under a key.
    pub async fn payment_by_key(&self, principal: &str, key: &str) -> Result<Option<Payment>, DatabaseError> {
        one(&self.database, "principal = ? AND idempotency_key = ?", Key::Pair(principal, key)).await
    }

    /// Payments with numbers above `after`, oldest first, at most `limit`.
    pub async fn payments(
        &self,
        filter: &Filter,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Payment>, DatabaseError> {
        let mut sql = format!("SELECT {COLUMNS} FROM payments WHERE number > ?");
        if filter.state.is_some() {
            sql.push_str(" AND state = ?");
        }
        if filter.created_before.is_some() {
            sql.push_str(" AND created_at < ?");
        }
        if filter.held.is_some() {
            sql.push_str(" AND held = ?");
        }
        if let Some(accounts) = &filter.accounts {
            let marks = vec!["?"; accounts.len()].join(", ");
            sql.push_str(&format!(" AND account_id IN ({marks})"));
        }
        sql.push_str(" ORDER BY number LIMIT ?");
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(after);
        if let Some(state) = filter.state {
            query = query.bind(state.name());
        }
        if let Some(before) = filter.created_before {
            query = query.bind(before);
        }
        if let Some(held) = filter.held {
            query = query.bind(i64::from(held));
        }
        for account in filter.accounts.iter().flatten() {
            query = query.bind(account.0.cast_signed());
        }
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let fault = |error| self.database.fault(error);
        let found = query.bind(limit).fetch_all(self.database.pool()).await.map_err(fault)?;
        found.iter().map(|row| read(row).map_err(fault)).collect()
    }
}

enum Key<'a> {
    Id(Uuid),
    Text(&'a str),
    Pair(&'a str, &'a str),
}

async fn one(database: &Database, wanted: &str, key: Key<'_>) -> Result<Option<Payment>, DatabaseError> {
    let sql = format!("SELECT {COLUMNS} FROM payments WHERE {wanted}");
    let query = sqlx::query(sqlx::AssertSqlSafe(sql));
    let query = match key {
        Key::Id(id) => query.bind(id.as_bytes().to_vec()),
        Key::Text(text) => query.bind(text),
        Key::Pair(one, two) => query.bind(one).bind(two),
    };
    let row = query.fetch_optional(database.pool()).await.map_err(|error| database.fault(error))?;
    row.map(|row| read(&row).map_err(|error| database.fault(error))).transpose()
}
