//! Balances that their entries did not explain, as services and procedures wrote them down: listed, and closed by
//! people. What makes a row right again is no concern here: nothing in this program overwrites a balance.

use std::time::Duration;

use ledger::AccountId;
use sqlx::Row;
use sqlx::mysql::{MySqlPool, MySqlRow};
use tokio::runtime::Handle;

use super::follow::Failure;
use super::hex;
use super::session::{self, sql};
use crate::sequencer::Fault;

/// A row of `account_balances` that its entries did not explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceBreak {
    /// Its number, rising.
    pub id: u64,
    /// Of which account.
    pub account: AccountId,
    /// When, microseconds since 1970.
    pub found_us: i64,
    /// The newest event at that time.
    pub as_of: u64,
    /// What the row said, in minor units on the account's normal side.
    pub cached: i64,
    /// What the entries said.
    pub entries: i64,
    /// Who found it.
    pub found_by: String,
    /// How it ended.
    pub closed: Option<Closed>,
}

/// A person has looked, and is done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// When, microseconds since 1970.
    pub at_us: i64,
    /// Who.
    pub by: String,
    /// Why, 1 to 512 bytes.
    pub reason: String,
}

/// The findings of a bank in a database.
pub struct Breaks {
    handle: Handle,
    pool: MySqlPool,
    patience: Duration,
}

const COLUMNS: &str = "id, account_id, found_us, as_of, cached_balance, entries_balance, found_by, closed_us, closed_by, reason";

impl Breaks {
    pub(super) fn new(handle: Handle, pool: MySqlPool, patience: Duration) -> Breaks {
        Breaks { handle, pool, patience }
    }

    /// From this number on, so many at most: all, or the open ones, or the closed.
    ///
    /// # Errors
    /// [`Fault::Unavailable`] and the like.
    pub async fn list(
        &self,
        open: Option<bool>,
        from: u64,
        limit: usize,
    ) -> Result<Vec<BalanceBreak>, Fault> {
        let (index, state) = match open {
            None => ("", ""),
            Some(true) => ("", " AND closed_us IS NULL"),
            // Sooner or later nearly all are closed: by the index of the state MySQL would sort them all.
            Some(false) => (" FORCE INDEX (PRIMARY)", " AND closed_us IS NOT NULL"),
        };
        let question = format!(
            "SELECT {COLUMNS} FROM balance_breaks{index} WHERE id >= {from}{state} ORDER BY id LIMIT {limit}"
        );
        let rows = self.ask(question).await?;
        rows.iter().map(|row| read(row).map_err(|error| Failure::from(error).fault())).collect()
    }

    /// The one with this number.
    ///
    /// # Errors
    /// As [`Breaks::list`].
    pub async fn find(&self, id: u64) -> Result<Option<BalanceBreak>, Fault> {
        let found = self.list(None, id, 1).await?.pop();
        Ok(found.filter(|found| found.id == id))
    }

    /// Closes it, unless it is closed already.
    ///
    /// # Errors
    /// As [`Breaks::list`].
    pub async fn close(&self, id: u64, closed: &Closed) -> Result<(), Fault> {
        // One packet on one connection: the trigger reads who it was.
        let mut text = String::from("SET @bankcore_actor=");
        hex::push_text(&mut text, &closed.by);
        text.push_str(&format!("; UPDATE balance_breaks SET closed_us={},closed_by=", closed.at_us));
        hex::push_text(&mut text, &closed.by);
        text.push_str(",reason=");
        hex::push_text(&mut text, &closed.reason);
        text.push_str(&format!(" WHERE id={id} AND closed_us IS NULL; SET @bankcore_actor=NULL"));
        self.ask(text).await.map(drop)
    }

    async fn ask(&self, text: String) -> Result<Vec<MySqlRow>, Fault> {
        let (pool, patience) = (self.pool.clone(), self.patience);
        // The connections live on threads of their own.
        let asked =
            self.handle.spawn(async move { session::within(patience, sql(text).fetch_all(&pool)).await });
        let answer = asked.await.map_err(|_| Fault::Stopped)?;
        answer.map_err(|error| Failure::from(error).fault())
    }
}

fn read(row: &MySqlRow) -> Result<BalanceBreak, sqlx::Error> {
    let closed_us: Option<i64> = row.try_get(7)?;
    let closed = match closed_us {
        Some(at_us) => Some(Closed { at_us, by: row.try_get(8)?, reason: row.try_get(9)? }),
        None => None,
    };
    Ok(BalanceBreak {
        id: row.try_get(0)?,
        account: AccountId(row.try_get(1)?),
        found_us: row.try_get(2)?,
        as_of: row.try_get(3)?,
        cached: row.try_get(4)?,
        entries: row.try_get(5)?,
        found_by: row.try_get(6)?,
        closed,
    })
}
