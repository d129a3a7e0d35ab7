//! How a rail is configured: rows of the bank database, read whenever they are needed.

use ledger::{AccountId, Currency};
use sqlx::Row as _;

use super::signature::Key;
use crate::database::{Actor, Database, DatabaseError};
use crate::payments::rows::{int, optional_int, text};
use crate::payments::two_phase::Mode;

/// A rail as configured.
#[derive(Clone, PartialEq, Debug)]
pub struct RailSettings {
    /// Its name here.
    pub name: String,
    /// Where its questions go.
    pub url: String,
    /// New payments are refused.
    pub paused: bool,
    /// Beneficiaries are named by IBAN.
    pub iban_required: bool,
    /// When payments are handed over, minutes of the day, UTC; always, if absent.
    pub window: Option<Window>,
    /// By when a payment is expected to be settled after it was handed over, µs.
    pub settles_within_us: i64,
    /// How long an answer may take, µs.
    pub timeout_us: i64,
    /// The first interval between questions, µs; it doubles.
    pub enquire_after_us: i64,
    /// The longest interval between questions, µs.
    pub enquire_at_most_us: i64,
    /// After so many fruitless questions a case is opened.
    pub tries_max: u32,
    /// The other side takes part in two-phase commits and has so long to prepare its side, µs; none: it does not.
    pub prepare_within_us: Option<i64>,
    /// What it carries.
    pub currencies: Vec<Lane>,
    /// Live keys, newest first.
    pub keys: Vec<Key>,
}

/// When payments are handed over, minutes of the day, UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// From.
    pub opens: u32,
    /// Until before.
    pub cut_off: u32,
}

/// A currency that a rail carries, and where its money lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lane {
    /// The currency.
    pub currency: Currency,
    /// The largest amount, minor units.
    pub amount_max: i64,
    /// Money on its way; a liability of the bank's own.
    pub clearing: AccountId,
    /// Where it goes once the rail has paid: the nostro, or what is owed to the institution.
    pub settlement: AccountId,
    /// Money whose owner is unclear; a liability of the bank's own.
    pub suspense: AccountId,
}

/// How far the settings of a rail may go, and what holds if nobody says otherwise.
pub mod bounds {
    /// A number between two others.
    #[derive(Clone, Copy, Debug)]
    pub struct Bound {
        /// At least.
        pub least: i64,
        /// If nobody says otherwise.
        pub default: i64,
        /// At most.
        pub most: i64,
    }

    /// Seconds from the handing over to the settlement: up to a month.
    pub const SETTLES_WITHIN_S: Bound = Bound { least: 1, default: 86_400, most: 31 * 86_400 };
    /// Milliseconds for an answer: a worker waits for it.
    pub const TIMEOUT_MS: Bound = Bound { least: 50, default: 10_000, most: 60_000 };
    /// Milliseconds to the second question.
    pub const ENQUIRE_AFTER_MS: Bound = Bound { least: 10, default: 1_000, most: 3_600_000 };
    /// Milliseconds between two questions at most.
    pub const ENQUIRE_AT_MOST_MS: Bound = Bound { least: 10, default: 600_000, most: 86_400_000 };
    /// Fruitless questions before a case is opened.
    pub const TRIES_MAX: Bound = Bound { least: 1, default: 20, most: 1_000 };
    /// Milliseconds for another bankcore to prepare: so long the customer's money is reserved for nothing.
    pub const PREPARE_WITHIN_MS: Bound = Bound { least: 50, default: 30_000, most: 3_600_000 };
}

const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 24 * 60 * MINUTE_US;

impl Window {
    /// The first moment from `now_us` on in which payments are handed over.
    #[must_use]
    pub fn from(self, now_us: i64) -> i64 {
        let midnight = now_us - now_us.rem_euclid(DAY_US);
        let (opens, cut_off) = (i64::from(self.opens) * MINUTE_US, i64::from(self.cut_off) * MINUTE_US);
        if now_us < midnight + opens {
            midnight + opens
        } else if now_us < midnight + cut_off {
            now_us
        } else {
            midnight + DAY_US + opens
        }
    }
}

impl RailSettings {
    /// How payments over it can be carried out.
    #[must_use]
    pub fn modes(&self) -> &'static [Mode] {
        if self.prepare_within_us.is_some() { &Mode::ALL } else { &[Mode::Saga] }
    }

    /// How long after it was handed over a payment of this mode is expected to be through, µs.
    #[must_use]
    pub fn answers_within_us(&self, mode: Mode) -> i64 {
        match (mode, self.prepare_within_us) {
            (Mode::TwoPhase, Some(within)) => within,
            _ => self.settles_within_us,
        }
    }

    /// The lane of a currency.
    #[must_use]
    pub fn lane(&self, currency: Currency) -> Option<&Lane> {
        self.currencies.iter().find(|lane| lane.currency == currency)
    }

    /// The first moment from `now_us` on in which payments are handed over.
    #[must_use]
    pub fn next_window(&self, now_us: i64) -> i64 {
        self.window.map_or(now_us, |window| window.from(now_us))
    }
}

const COLUMNS: &str = "name, url, paused, iban_required, opens, cut_off, settles_within, timeout, enquire_after, \
                       enquire_at_most, tries_max, prepare_within";

/// All rails, by name.
pub async fn all(database: &Database) -> Result<Vec<RailSettings>, DatabaseError> {
    let names: Vec<String> = sqlx::query_scalar("SELECT name FROM rails ORDER BY name")
        .fetch_all(database.pool())
        .await
        .map_err(|error| database.fault(error))?;
    let mut rails = Vec::with_capacity(names.len());
    for name in names {
        rails.extend(named(database, &name).await?);
    }
    Ok(rails)
}

/// The rail with this name.
pub async fn named(database: &Database, name: &str) -> Result<Option<RailSettings>, DatabaseError> {
    read(database, name).await.map_err(|error| database.fault(error))
}

async fn read(database: &Database, name: &str) -> Result<Option<RailSettings>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} FROM rails WHERE name = ?");
    let Some(row) = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(name).fetch_optional(database.pool()).await?
    else {
        return Ok(None);
    };
    let opens = optional_int(&row, "opens")?.zip(optional_int(&row, "cut_off")?);
    let minute = |minute: i64| u32::try_from(minute).unwrap_or_default();
    let mut rail = RailSettings {
        name: text(&row, "name")?,
        url: text(&row, "url")?,
        paused: int(&row, "paused")? != 0,
        iban_required: int(&row, "iban_required")? != 0,
        window: opens.map(|(opens, cut_off)| Window { opens: minute(opens), cut_off: minute(cut_off) }),
        settles_within_us: int(&row, "settles_within")?,
        timeout_us: int(&row, "timeout")?,
        enquire_after_us: int(&row, "enquire_after")?,
        enquire_at_most_us: int(&row, "enquire_at_most")?,
        tries_max: u32::try_from(int(&row, "tries_max")?).unwrap_or(u32::MAX),
        prepare_within_us: optional_int(&row, "prepare_within")?,
        currencies: Vec::new(),
        keys: Vec::new(),
    };
    let lanes = sqlx::query(
        "SELECT currency, amount_max, clearing_account_id, settlement_account_id, suspense_account_id
           FROM rail_currencies WHERE rail = ? ORDER BY currency",
    );
    for row in lanes.bind(name).fetch_all(database.pool()).await? {
        let code = text(&row, "currency")?;
        let account = |column| int(&row, column).map(|id| AccountId(id.cast_unsigned()));
        rail.currencies.push(Lane {
            currency: Currency::from_code(&code).ok_or_else(|| sqlx::Error::Decode(code.into()))?,
            amount_max: int(&row, "amount_max")?,
            clearing: account("clearing_account_id")?,
            settlement: account("settlement_account_id")?,
            suspense: account("suspense_account_id")?,
        });
    }
    let keys = sqlx::query(
        "SELECT key_id, secret FROM rail_keys WHERE rail = ? AND retired_at IS NULL
          ORDER BY created_at DESC, key_id DESC",
    );
    for row in keys.bind(name).fetch_all(database.pool()).await? {
        rail.keys.extend(Key::new(&text(&row, "key_id")?, row.try_get("secret")?));
    }
    Ok(Some(rail))
}

/// Makes a rail, or changes the one of this name. Its keys stay as they are.
pub async fn put(
    database: &Database,
    rail: &RailSettings,
    by: &Actor,
    now_us: i64,
) -> Result<bool, DatabaseError> {
    let fault = |error| database.fault(error);
    let mut change = database.begin(by, now_us).await?;
    let window = |minute: fn(Window) -> u32| rail.window.map(|window| i64::from(minute(window)));
    let known: Option<String> = sqlx::query_scalar("SELECT name FROM rails WHERE name = ?")
        .bind(rail.name.as_str())
        .fetch_optional(change.connection())
        .await
        .map_err(fault)?;
    let query = sqlx::query(match known {
        None => {
            "INSERT INTO rails (url, paused, iban_required, opens, cut_off, settles_within, timeout, enquire_after,
                                enquire_at_most, tries_max, prepare_within, name, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        }
        Some(_) => {
            "UPDATE rails SET url = ?, paused = ?, iban_required = ?, opens = ?, cut_off = ?, settles_within = ?,
                              timeout = ?, enquire_after = ?, enquire_at_most = ?, tries_max = ?, prepare_within = ?
              WHERE name = ?"
        }
    })
    .bind(rail.url.as_str())
    .bind(i64::from(rail.paused))
    .bind(i64::from(rail.iban_required))
    .bind(window(|window| window.opens))
    .bind(window(|window| window.cut_off))
    .bind(rail.settles_within_us)
    .bind(rail.timeout_us)
    .bind(rail.enquire_after_us)
    .bind(rail.enquire_at_most_us)
    .bind(i64::from(rail.tries_max))
    .bind(rail.prepare_within_us)
    .bind(rail.name.as_str());
    let query = if known.is_none() { query.bind(now_us) } else { query };
    query.execute(change.connection()).await.map_err(fault)?;
    sqlx::query("DELETE FROM rail_currencies WHERE rail = ?")
        .bind(rail.name.as_str())
        .execute(change.connection())
        .await
        .map_err(fault)?;
    for lane in &rail.currencies {
        sqlx::query(
            "INSERT INTO rail_currencies (rail, currency, amount_max, clearing_account_id, settlement_account_id,
                                          suspense_account_id)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(rail.name.as_str())
        .bind(lane.currency.code())
        .bind(lane.amount_max)
        .bind(lane.clearing.0.cast_signed())
        .bind(lane.settlement.0.cast_signed())
        .bind(lane.suspense.0.cast_signed())
        .execute(change.connection())
        .await
        .map_err(fault)?;
    }
    change.commit().await?;
    Ok(known.is_none())
}

/// Adds a key; false if the rail has one of this id already.
pub async fn add_key(
    database: &Database,
    rail: &str,
    key: &Key,
    by: &Actor,
    now_us: i64,
) -> Result<bool, DatabaseError> {
    let fault = |error| database.fault(error);
    let mut change = database.begin(by, now_us).await?;
    let known: Option<String> =
        sqlx::query_scalar("SELECT key_id FROM rail_keys WHERE rail = ? AND key_id = ?")
            .bind(rail)
            .bind(key.id.as_str())
            .fetch_optional(change.connection())
            .await
            .map_err(fault)?;
    if known.is_some() {
        return Ok(false);
    }
    sqlx::query("INSERT INTO rail_keys (rail, key_id, secret, created_at) VALUES (?, ?, ?, ?)")
        .bind(rail)
        .bind(key.id.as_str())
        .bind(key.secret().to_vec())
        .bind(now_us)
        .execute(change.connection())
        .await
        .map_err(fault)?;
    change.commit().await?;
    Ok(true)
}

/// Retires a key: nothing that it signs is believed from then on. False if there is no such live key.
pub async fn retire_key(
    database: &Database,
    rail: &str,
    key: &str,
    by: &Actor,
    now_us: i64,
) -> Result<bool, DatabaseError> {
    let fault = |error| database.fault(error);
    let mut change = database.begin(by, now_us).await?;
    let done = sqlx::query(
        "UPDATE rail_keys SET retired_at = ? WHERE rail = ? AND key_id = ? AND retired_at IS NULL",
    )
    .bind(now_us)
    .bind(rail)
    .bind(key)
    .execute(change.connection())
    .await
    .map_err(fault)?;
    change.commit().await?;
    Ok(done.rows_affected() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T00:00:00Z.
    const MIDNIGHT: i64 = 1_795_305_600_000_000;

    #[test]
    fn after_the_cut_off_the_next_window_is_tomorrows() {
        let window = Window { opens: 6 * 60, cut_off: 17 * 60 };
        let at = |hours: i64, micros: i64| MIDNIGHT + hours * 60 * MINUTE_US + micros;
        let table = [
            (at(0, 0), at(6, 0)),
            (at(6, 0) - 1, at(6, 0)),
            (at(6, 0), at(6, 0)),
            (at(17, 0) - 1, at(17, 0) - 1),
            (at(17, 0), at(30, 0)),
            (at(23, 0), at(30, 0)),
        ];
        for (now, expected) in table {
            assert_eq!(window.from(now), expected, "{now}");
        }
        assert_eq!(MIDNIGHT % DAY_US, 0);
    }
}
