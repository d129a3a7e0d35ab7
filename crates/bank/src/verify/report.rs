//! What a verification found.

use std::fmt;

use journal::{Head, Identity};

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// How many things were looked at.
    pub checked: u64,
    /// The first that is wrong, or what else is worth knowing; empty if there is nothing to say.
    pub detail: String,
}

/// The first damage. Parts that do not apply are absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment's number.
    pub segment: Option<u64>,
    /// The byte offset in it.
    pub offset: Option<u64>,
    /// The table, for books in a database.
    pub table: Option<&'static str>,
    /// The row in it, by its key.
    pub row: Option<String>,
    /// The event's sequence.
    pub sequence: Option<u64>,
    /// What does not hold.
    pub what: String,
}

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whose books they are.
    pub identity: Identity,
    /// The newest event that was verified, and the chain there.
    pub head: Head,
    /// Events verified.
    pub events: u64,
    /// Transactions among them.
    pub transactions: u64,
    /// Accounts.
    pub accounts: u64,
    /// Every check, in order.
    pub checks: Vec<Check>,
    /// The first damage.
    pub damage: Option<Damage>,
    /// How long it took.
    pub seconds: f64,
}

impl Report {
    /// Does all hold?
    #[must_use]
    pub fn ok(&self) -> bool {
        self.damage.is_none() && self.checks.iter().all(|check| check.ok)
    }

    /// Adds a check that was made apart.
    pub(super) fn add(&mut self, check: Check) {
        if !check.ok && self.damage.is_none() {
            let what = check.detail.clone();
            self.damage = Some(Damage::new(None, what));
        }
        self.checks.push(check);
    }
}

impl Damage {
    /// At an event, or nowhere in particular.
    pub(super) fn new(sequence: Option<u64>, what: String) -> Damage {
        Damage { segment: None, offset: None, table: None, row: None, sequence, what }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(table), Some(row)) = (self.table, &self.row) {
            write!(f, "table {table}, row {row}, ")?;
        }
        for (name, part) in [("segment", self.segment), ("offset", self.offset), ("sequence", self.sequence)]
        {
            if let Some(number) = part {
                write!(f, "{name} {number}, ")?;
            }
        }
        f.write_str(&self.what)
    }
}
