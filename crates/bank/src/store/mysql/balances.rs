//! Balances as the tables say them, held against the state: a row that somebody changed by hand is found when its
//! account is next locked, before anything is decided on it.
//!
//! Nothing is overwritten. What was found is written down once for each difference, and a customer's account is
//! frozen until a person has put the row right; the bank's own accounts go on, since the whole bank would stop
//! with them.

use std::collections::BTreeSet;
use std::fmt::Write;

use ledger::{Account, AccountId, AccountType, Side, State, Status};
use sqlx::Row;
use sqlx::mysql::MySqlConnection;

use super::follow::Failure;
use super::hex;
use super::session::sql;

/// Everything that a row says, in one text: it is compared, and read only if it differs.
const SAYS: &str = "CONCAT_WS(',',CAST(normal_side AS UNSIGNED),debits_posted,credits_posted,debits_held,\
                    credits_held,debits_released,credits_released,overdraft_limit,version,last_sequence)";

/// Rows of accounts, locked until the transaction ends.
pub(super) struct Locked(Vec<(AccountId, String)>);

/// A row that its entries do not explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Break {
    pub(super) account: AccountId,
    cached: i64,
    entries: i64,
}

/// Locks the rows of accounts, in the order of their ids.
pub(super) async fn lock(
    connection: &mut MySqlConnection,
    accounts: &BTreeSet<AccountId>,
) -> Result<Locked, Failure> {
    if accounts.is_empty() {
        return Ok(Locked(Vec::new()));
    }
    let mut text = format!("SELECT account_id, {SAYS} FROM account_balances WHERE account_id IN (");
    hex::push_list(&mut text, accounts, |text, id| text.push_str(&id.0.to_string()));
    text.push_str(") ORDER BY account_id FOR UPDATE");
    let mut locked = Vec::with_capacity(accounts.len());
    for row in sql(text).fetch_all(connection).await? {
        locked.push((AccountId(row.try_get(0)?), row.try_get(1)?));
    }
    let missing =
        accounts.iter().enumerate().find(|(at, id)| locked.get(*at).is_none_or(|row| row.0 != **id));
    match missing {
        Some((_, id)) => Err(Failure::Damaged(format!("the balance of account {id} has no row"))),
        None => Ok(Locked(locked)),
    }
}

impl Locked {
    /// The rows that do not say what the state says, once it stands where the tables do.
    pub(super) fn breaks(&self, state: &State) -> Vec<Break> {
        let mut expected = String::new();
        let differs = self.0.iter().filter_map(|(id, said)| {
            let account = state.account(*id).expect("only what is there is locked");
            expected.clear();
            says(account, &mut expected);
            (*said != expected).then(|| Break {
                account: *id,
                cached: ledger_balance(said),
                entries: clamped(account.ledger_balance()),
            })
        });
        differs.collect()
    }
}

impl Break {
    fn difference(&self) -> i128 {
        i128::from(self.cached) - i128::from(self.entries)
    }

    /// A customer's account that takes entries is to be frozen.
    pub(super) fn freezes(&self, state: &State) -> bool {
        let account = state.account(self.account).expect("it was locked");
        account.account_type == AccountType::Liability && account.status == Status::Active
    }
}

/// Writes down what is not written down yet, in the transaction under way; says whether there was anything. How far a
/// row is off moves with neither side, so a difference is written down once, until somebody has closed it.
pub(super) async fn note(
    connection: &mut MySqlConnection,
    breaks: &[Break],
    as_of: u64,
) -> Result<bool, Failure> {
    let mut noted = false;
    for found in breaks {
        let id = found.account;
        let newest = format!(
            "SELECT cached_balance, entries_balance FROM balance_breaks WHERE account_id={id} AND closed_us IS NULL \
             ORDER BY id DESC LIMIT 1"
        );
        if let Some(row) = sql(newest).fetch_optional(&mut *connection).await? {
            let (cached, entries): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            if i128::from(cached) - i128::from(entries) == found.difference() {
                continue;
            }
        }
        tracing::error!(
            account = id.0,
            cached = found.cached,
            entries = found.entries,
            "a row of account_balances is not what its entries say; nothing is overwritten"
        );
        let note = format!(
            "INSERT INTO balance_breaks (account_id,found_us,as_of,cached_balance,entries_balance,found_by) VALUES \
             ({id},CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED),{as_of},{},{},\
             LEFT(CONCAT('service as ',USER()),255))",
            found.cached, found.entries
        );
        sql(note).execute(&mut *connection).await?;
        noted = true;
    }
    Ok(noted)
}

fn says(account: &Account, text: &mut String) {
    let (debit, credit) = (Side::Debit, Side::Credit);
    let _ = write!(
        text,
        "{},{},{},{},{},{},{},{},{},{}",
        account.normal_side() as u8 + 1,
        account.posted(debit),
        account.posted(credit),
        account.held_ever(debit),
        account.held_ever(credit),
        account.released_ever(debit),
        account.released_ever(credit),
        account.overdraft_limit,
        account.version,
        account.last
    );
}

/// The balance that a row stands for, as near as the column for it allows.
fn ledger_balance(said: &str) -> i64 {
    let mut figures = said.split(',').map(|figure| figure.parse::<i128>().unwrap_or(0));
    let mut next = || figures.next().unwrap_or(0);
    let (side, debits, credits) = (next(), next(), next());
    clamped(if side == 1 { debits.saturating_sub(credits) } else { credits.saturating_sub(debits) })
}

fn clamped(balance: i128) -> i64 {
    balance.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_row_stands_for_is_on_its_normal_side() {
        assert_eq!(ledger_balance("1,500,200,0,0,0,0,0,3,9"), 300);
        assert_eq!(ledger_balance("2,500,200,0,0,0,0,0,3,9"), -300);
        assert_eq!(ledger_balance("2,0,99999999999999999999999,0,0,0,0,0,3,9"), i64::MAX);
    }
}
