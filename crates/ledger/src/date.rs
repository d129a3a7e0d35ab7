//! Days: the booking date and the value date of a transaction.

use std::fmt;
use std::str::FromStr;

/// A calendar day, held as days since 1970-01-01 (negative before).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(pub i32);

impl Date {
    /// The UTC day in which a moment lies.
    #[must_use]
    pub fn of_micros(micros: i64) -> Date {
        Date(micros.div_euclid(86_400_000_000) as i32)
    }

    /// The first moment of this day, UTC, in microseconds since 1970.
    #[must_use]
    pub fn start_micros(self) -> i64 {
        i64::from(self.0) * 86_400_000_000
    }

    /// The nearest day that the calendar has: a record may hold any number, and printing it never panics.
    fn civil(self) -> jiff::civil::Date {
        let nearest = if self.0 < 0 { jiff::civil::Date::MIN } else { jiff::civil::Date::MAX };
        let span = jiff::Span::new().try_days(self.0);
        span.and_then(|span| jiff::civil::date(1970, 1, 1).checked_add(span)).unwrap_or(nearest)
    }
}

/// The text was not a date of the form 2026-11-22.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADate;

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Date, NotADate> {
        // The library also takes week dates and times; the interface has one form.
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(NotADate);
        }
        let civil: jiff::civil::Date = text.parse().map_err(|_| NotADate)?;
        let days = civil.since(jiff::civil::date(1970, 1, 1)).map_err(|_| NotADate)?.get_days();
        Ok(Date(days))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.civil();
        write!(f, "{:04}-{:02}-{:02}", civil.year(), civil.month(), civil.day())
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_reads_as_it_prints() {
        for (text, days) in
            [("1970-01-01", 0), ("1969-12-31", -1), ("2026-11-22", 20_779), ("2000-02-29", 11_016)]
        {
            let date: Date = text.parse().unwrap();
            assert_eq!(date.0, days, "{text}");
            assert_eq!(date.to_string(), text);
        }
    }

    #[test]
    fn other_forms_are_not_dates() {
        for text in
            ["", "2026-11-31", "26-11-22", "2026-11-22T00:00", "2026/11/22", "2026-W47-7", "2026-11-2a"]
        {
            assert_eq!(text.parse::<Date>(), Err(NotADate), "{text}");
        }
    }

    /// Printing a day beyond the calendar panicked: whoever showed a damaged record died of it.
    #[test]
    fn a_day_beyond_the_calendar_prints_as_its_end() {
        assert_eq!(Date(i32::MAX).to_string(), "9999-12-31");
        assert_eq!(Date(i32::MIN).to_string(), "-9999-01-01");
    }

    #[test]
    fn a_moment_before_the_epoch_is_on_the_day_before() {
        assert_eq!(Date::of_micros(-1), Date(-1));
        assert_eq!(Date::of_micros(0), Date(0));
        assert_eq!(Date::of_micros(86_400_000_000), Date(1));
    }
}
