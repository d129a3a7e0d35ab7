//! Figures for metrics: how many payments stand where, how old the oldest unknown is, what is at risk.

use ledger::Currency;

use super::rows::{Row, int, optional_int, text};
use super::{Payments, now};
use crate::database::DatabaseError;

/// The payments as a whole.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Figures {
    /// How many stand in each state.
    pub states: Vec<(String, i64)>,
    /// How long ago the oldest payment came in of whose outcome nothing is known, seconds; 0 if there is none.
    pub oldest_unknown_s: i64,
    /// Minor units of open cases, by currency.
    pub at_risk: Vec<(Currency, i64)>,
    /// Open cases of each kind.
    pub cases: Vec<(String, i64)>,
    /// Payments that should be settled by now and are not.
    pub late: i64,
    /// Promises to other banks that wait for a decision.
    pub in_doubt: i64,
    /// For how long the oldest of them has been promised, seconds; 0 if there is none.
    pub oldest_in_doubt_s: i64,
    /// Minor units promised by them, by currency.
    pub promised: Vec<(Currency, i64)>,
}

impl Payments {
    /// The figures now.
    ///
    /// # Errors
    /// The bank database.
    pub async fn figures(&self) -> Result<Figures, DatabaseError> {
        self.counted().await.map_err(|error| self.database.fault(error))
    }

    async fn counted(&self) -> Result<Figures, sqlx::Error> {
        let pool = self.database.pool();
        let at = now();
        let states = sqlx::query("SELECT state, COUNT(*) AS n FROM payments GROUP BY state ORDER BY state");
        let cases = sqlx::query(
            "SELECT kind, COUNT(*) AS n FROM cases WHERE resolved_at IS NULL GROUP BY kind ORDER BY kind",
        );
        let oldest = sqlx::query("SELECT MIN(created_at) AS oldest FROM payments WHERE state = 'unknown'");
        let late = sqlx::query(
            "SELECT COUNT(*) AS n FROM payments
              WHERE expected_at < ? AND state NOT IN ('refused', 'settled', 'reversed', 'suspended')",
        );
        // One by one: a sum over 64 bits has no portable type.
        let risks = sqlx::query(
            "SELECT currency, amount_at_risk FROM cases WHERE resolved_at IS NULL ORDER BY currency LIMIT 10000",
        );
        let mut figures = Figures::default();
        for row in states.fetch_all(pool).await? {
            figures.states.push((text(&row, "state")?, int(&row, "n")?));
        }
        for row in cases.fetch_all(pool).await? {
            figures.cases.push((text(&row, "kind")?, int(&row, "n")?));
        }
        if let Some(oldest) = optional_int(&oldest.fetch_one(pool).await?, "oldest")? {
            figures.oldest_unknown_s = (at - oldest).max(0) / 1_000_000;
        }
        figures.late = int(&late.bind(at).fetch_one(pool).await?, "n")?;
        figures.at_risk = sums(&risks.fetch_all(pool).await?, "amount_at_risk")?;
        let doubts = sqlx::query(
            "SELECT COUNT(*) AS n, MIN(created_at) AS oldest FROM promises WHERE state = 'prepared'",
        );
        let row = doubts.fetch_one(pool).await?;
        figures.in_doubt = int(&row, "n")?;
        if let Some(oldest) = optional_int(&row, "oldest")? {
            figures.oldest_in_doubt_s = (at - oldest).max(0) / 1_000_000;
        }
        let promised = sqlx::query(
            "SELECT currency, amount FROM promises WHERE state = 'prepared' ORDER BY currency LIMIT 10000",
        );
        figures.promised = sums(&promised.fetch_all(pool).await?, "amount")?;
        Ok(figures)
    }
}

/// Amounts by currency, of rows in the order of the currency.
fn sums(rows: &[Row], column: &str) -> Result<Vec<(Currency, i64)>, sqlx::Error> {
    let mut sums: Vec<(Currency, i64)> = Vec::new();
    for row in rows {
        let Some(currency) = Currency::from_code(&text(row, "currency")?) else { continue };
        let amount = int(row, column)?;
        match sums.last_mut() {
            Some((last, sum)) if *last == currency => *sum = sum.saturating_add(amount),
            _ => sums.push((currency, amount)),
        }
    }
    Ok(sums)
}
