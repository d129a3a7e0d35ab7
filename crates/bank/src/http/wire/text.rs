//! Texts with a form: amounts, dates, times, what people write.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use ledger::money::{self as minor, Major};
use ledger::{Currency, Date};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use utoipa::ToSchema;

use crate::http::problem::Problem;

/// An amount in major units, as sent. JSON numbers are refused: they are floats to most programs.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, example = "2000.00")]
pub struct Amount<'a>(pub Cow<'a, str>);

impl Amount<'_> {
    /// In minor units, above zero.
    ///
    /// # Errors
    /// The problem with it; `field` names it.
    pub fn positive(&self, field: &str, currency: Currency) -> Result<i64, Problem> {
        minor::parse_positive(&self.0, currency).map_err(|error| Problem::amount(field, &self.0, error))
    }

    /// In minor units, zero allowed.
    ///
    /// # Errors
    /// As [`Amount::positive`].
    pub fn or_zero(&self, field: &str, currency: Currency) -> Result<i64, Problem> {
        minor::parse(&self.0, currency).map_err(|error| Problem::amount(field, &self.0, error))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Amount<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Borrowing("an amount as a decimal string, like \"2000.00\"")).map(Amount)
    }
}

/// Takes a string without copying it where the text has no escapes.
struct Borrowing(&'static str);

impl<'de> Visitor<'de> for Borrowing {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// A currency by its ISO 4217 code.
///
/// # Errors
/// 422 `unknown_currency`.
pub fn currency(code: &str) -> Result<Currency, Problem> {
    Currency::from_code(code).ok_or_else(|| {
        let shown: String = code.chars().take(10).collect();
        Problem::new(
            axum::http::StatusCode::UNPROCESSABLE_ENTITY,
            "unknown_currency",
            "Unknown currency",
            format!("\"{shown}\" is not a currency of ISO 4217 with minor units."),
            "Use a three-letter code such as BDT.",
        )
    })
}

/// A date by its ISO 8601 form.
///
/// # Errors
/// 400.
pub fn parse_date(field: &str, text: &str) -> Result<Date, Problem> {
    Date::from_str(text).map_err(|_| Problem::malformed(format!("{field} is not a date like 2026-11-22.")))
}

/// A value date, if one is given.
///
/// # Errors
/// 400.
pub fn value_date(text: Option<&Clean<'_>>) -> Result<Option<Date>, Problem> {
    text.map(|text| parse_date("value_date", &text.0)).transpose()
}

/// A moment by its RFC 3339 form, in microseconds since 1970; finer digits are cut off.
///
/// # Errors
/// 400.
pub fn parse_time(field: &str, text: &str) -> Result<i64, Problem> {
    let moment: Result<jiff::Timestamp, _> = text.parse();
    moment.map(jiff::Timestamp::as_microsecond).map_err(|_| {
        Problem::malformed(format!(
            "{field} is not a moment like 2026-11-22T06:30:00Z (RFC 3339, with an offset)."
        ))
    })
}

/// What people write: refused if it holds control characters, since they end up in logs and terminals.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String)]
pub struct Clean<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Clean<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_str(Borrowing("a string"))?;
        let plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if !plain && text.chars().any(char::is_control) {
            return Err(de::Error::custom("a text holds a control character"));
        }
        Ok(Clean(text))
    }
}

/// Minor units as a decimal string.
#[must_use]
pub fn money(minor: impl Into<i128>, currency: Currency) -> String {
    Major(minor.into(), currency).to_string()
}

/// A date as a string.
#[must_use]
pub fn date(date: Date) -> String {
    date.to_string()
}

/// A moment as a string: RFC 3339, UTC, microseconds.
#[must_use]
pub fn time(micros: i64) -> String {
    let day = Date::of_micros(micros);
    let within = micros.rem_euclid(86_400_000_000);
    let (seconds, micros) = (within / 1_000_000, within % 1_000_000);
    format!("{day}T{:02}:{:02}:{:02}.{micros:06}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
