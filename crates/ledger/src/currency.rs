//! Currencies: ISO 4217, stored as the numeric code.

use std::fmt;

/// An ISO 4217 currency that has minor units (exponents 0 to 4); held as its numeric code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(u16);

impl Currency {
    /// Looks a currency up by its alphabetic code ("BDT"). `None` for unknown codes, for lower case and for
    /// codes without minor units (gold, test codes).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Currency> {
        let iso = iso_currency::Currency::from_code(code)?;
        iso.exponent().map(|_| Currency(iso.numeric()))
    }

    /// Looks a currency up by its numeric code (50 is BDT).
    #[must_use]
    pub fn from_numeric(code: u16) -> Option<Currency> {
        let iso = iso_currency::Currency::from_numeric(code)?;
        iso.exponent().map(|_| Currency(code))
    }

    /// Every currency, by numeric code.
    pub fn all() -> impl Iterator<Item = Currency> {
        (0..1_000).filter_map(Currency::from_numeric)
    }

    /// The numeric code, as records hold it.
    #[must_use]
    pub fn numeric(self) -> u16 {
        self.0
    }

    /// The alphabetic code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.iso().code()
    }

    /// How many decimals an amount in major units has: 2 for BDT, 0 for JPY, 3 for KWD, 4 for CLF.
    #[must_use]
    pub fn exponent(self) -> u32 {
        u32::from(self.iso().exponent().unwrap_or(0))
    }

    fn iso(self) -> iso_currency::Currency {
        iso_currency::Currency::from_numeric(self.0).expect("only known currencies are constructed")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_follow_the_standard() {
        for (code, exponent) in [("BDT", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("EUR", 2), ("USD", 2)] {
            let currency = Currency::from_code(code).unwrap();
            assert_eq!(currency.exponent(), exponent, "{code}");
            assert_eq!(Currency::from_numeric(currency.numeric()), Some(currency));
            assert_eq!(currency.code(), code);
        }
    }

    #[test]
    fn what_is_not_a_currency_is_refused() {
        for code in ["", "bdt", "XAU", "XXX", "BD", "BDTT", "ZZZ", "৳"] {
            assert_eq!(Currency::from_code(code), None, "{code}");
        }
    }
}
