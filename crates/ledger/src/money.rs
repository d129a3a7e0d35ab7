//! Amounts: whole minor units inside, decimal strings in major units outside.
//!
//! Floats never occur. More decimals than the currency has are refused, never rounded: a rounded amount is
//! money that nobody decided about.

use std::fmt;

use crate::currency::Currency;

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountError {
    /// Not a plain decimal number: empty, signs, exponents, spaces, words.
    Malformed,
    /// A decimal number below zero.
    Negative,
    /// Zero where something must move.
    Zero,
    /// More decimals than the currency has.
    TooManyDecimals,
    /// More than fits into 64 bits of minor units.
    TooLarge,
}

/// Reads an amount in major units ("10000.00") as minor units of `currency`. Zero is allowed here.
///
/// # Errors
/// [`AmountError`] says what is wrong; the number is never rounded or clipped.
pub fn parse(text: &str, currency: Currency) -> Result<i64, AmountError> {
    let (digits, negative) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(AmountError::Malformed),
        None => (digits, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(AmountError::Malformed);
    }
    if negative {
        return Err(AmountError::Negative);
    }
    let exponent = currency.exponent() as usize;
    if fraction.len() > exponent {
        return Err(AmountError::TooManyDecimals);
    }
    let padding = std::iter::repeat_n(b'0', exponent - fraction.len());
    let mut minor: i64 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
        minor = minor
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(i64::from(digit - b'0')))
            .ok_or(AmountError::TooLarge)?;
    }
    Ok(minor)
}

/// Reads an amount that must move something: [`parse`], and not zero.
///
/// # Errors
/// As [`parse`], and [`AmountError::Zero`].
pub fn parse_positive(text: &str, currency: Currency) -> Result<i64, AmountError> {
    match parse(text, currency)? {
        0 => Err(AmountError::Zero),
        minor => Ok(minor),
    }
}

/// Minor units of a currency, for printing in major units: `-3000.00`.
#[derive(Clone, Copy)]
pub struct Major(pub i128, pub Currency);

impl fmt::Display for Major {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.1.exponent();
        let unit = 10u128.pow(exponent);
        let magnitude = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        if exponent == 0 {
            return write!(f, "{sign}{magnitude}");
        }
        write!(f, "{sign}{}.{:0width$}", magnitude / unit, magnitude % unit, width = exponent as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_written() {
        let table = [
            ("10000.00", "BDT", Ok(1_000_000)),
            ("10000", "BDT", Ok(1_000_000)),
            ("0.5", "BDT", Ok(50)),
            ("0.05", "BDT", Ok(5)),
            ("7", "JPY", Ok(7)),
            ("1.234", "KWD", Ok(1_234)),
            ("0.0001", "CLF", Ok(1)),
            ("92233720368547758.07", "BDT", Ok(i64::MAX)),
            ("92233720368547758.08", "BDT", Err(AmountError::TooLarge)),
            ("1.234", "BDT", Err(AmountError::TooManyDecimals)),
            ("1.0", "JPY", Err(AmountError::TooManyDecimals)),
            ("-1.00", "BDT", Err(AmountError::Negative)),
            ("0", "BDT", Ok(0)),
            ("", "BDT", Err(AmountError::Malformed)),
            (".5", "BDT", Err(AmountError::Malformed)),
            ("5.", "BDT", Err(AmountError::Malformed)),
            ("+5", "BDT", Err(AmountError::Malformed)),
            (" 5", "BDT", Err(AmountError::Malformed)),
            ("1e308", "BDT", Err(AmountError::Malformed)),
            ("NaN", "BDT", Err(AmountError::Malformed)),
            ("Infinity", "BDT", Err(AmountError::Malformed)),
            ("1,000.00", "BDT", Err(AmountError::Malformed)),
            ("٣", "BDT", Err(AmountError::Malformed)),
            ("1.2.3", "BDT", Err(AmountError::Malformed)),
        ];
        for (text, code, expected) in table {
            assert_eq!(parse(text, Currency::from_code(code).unwrap()), expected, "{text} {code}");
        }
        assert_eq!(parse_positive("0.00", Currency::from_code("BDT").unwrap()), Err(AmountError::Zero));
    }

    #[test]
    fn amounts_print_with_the_decimals_of_their_currency() {
        for (minor, code, text) in
            [(300_000, "BDT", "3000.00"), (-5, "BDT", "-0.05"), (7, "JPY", "7"), (1, "CLF", "0.0001")]
        {
            assert_eq!(Major(minor, Currency::from_code(code).unwrap()).to_string(), text);
        }
    }
}
