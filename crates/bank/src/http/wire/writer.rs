//! Transactions written straight into a buffer: what a batch of thousands is answered with.
//!
//! The same bytes as [`Transaction`](super::Transaction) gives through serde, which a test compares, without
//! a string for each field. Dates, moments and the names of currencies hardly change within a batch, so the
//! last one is kept.

use ledger::{Body, Currency, Date, Event, Side};

use super::text::{date, money, time};
use crate::http::caller::Caller;

/// Writes transactions as one caller may see them.
pub struct Writer<'a> {
    caller: &'a Caller,
    numbers: itoa::Buffer,
    date: (Date, String),
    time: (i64, String),
    currency: Option<Decimal>,
}

/// How amounts of a currency are written.
#[derive(Clone, Copy)]
struct Decimal {
    currency: Currency,
    code: &'static str,
    decimals: usize,
    unit: u64,
}

impl<'a> Writer<'a> {
    /// For this reader.
    #[must_use]
    pub fn new(caller: &'a Caller) -> Writer<'a> {
        Writer {
            caller,
            numbers: itoa::Buffer::new(),
            date: (Date::default(), date(Date::default())),
            time: (0, time(0)),
            currency: None,
        }
    }

    /// Appends a transaction. False, and nothing, if the event is none.
    pub fn transaction(&mut self, out: &mut Vec<u8>, event: &Event) -> bool {
        let Body::Posted { kind, hold, reverses } = &event.body else { return false };
        out.extend_from_slice(b"{\"id\":\"");
        self.number(out, event.sequence.0);
        out.extend_from_slice(b"\",\"kind\":\"");
        out.extend_from_slice(kind.name().as_bytes());
        out.extend_from_slice(b"\",\"status\":\"posted\"");
        self.sum(out, event);
        if let Some(note) = &event.note {
            text(out, b",\"reference\":", note.reference.as_deref());
            text(out, b",\"description\":", note.description.as_deref());
        }
        for (name, id) in [
            (&b",\"hold_id\":\""[..], *hold),
            (&b",\"original_id\":\""[..], reverses.as_ref().map(|(original, _)| *original)),
        ] {
            if let Some(id) = id {
                out.extend_from_slice(name);
                self.number(out, id.0);
                out.push(b'"');
            }
        }
        out.extend_from_slice(b",\"booking_date\":\"");
        self.date(out, event.booking);
        out.extend_from_slice(b"\",\"value_date\":\"");
        self.date(out, event.value);
        out.extend_from_slice(b"\",\"posted_at\":\"");
        if self.time.0 != event.time {
            self.time = (event.time, time(event.time));
        }
        out.extend_from_slice(self.time.1.as_bytes());
        out.extend_from_slice(b"\",\"entries\":[");
        for (index, entry) in event.posted().enumerate() {
            let decimal = self.decimal(entry.currency);
            let start: &[u8] = if index == 0 { b"{\"account_id\":\"" } else { b",{\"account_id\":\"" };
            out.extend_from_slice(start);
            self.number(out, entry.account.0);
            out.extend_from_slice(match entry.side {
                Side::Debit => b"\",\"side\":\"debit\",\"amount\":\"",
                Side::Credit => b"\",\"side\":\"credit\",\"amount\":\"",
            });
            self.amount(out, entry.amount, decimal);
            out.extend_from_slice(b"\",\"currency\":\"");
            out.extend_from_slice(decimal.code.as_bytes());
            if self.caller.sees(entry.account) {
                out.extend_from_slice(b"\",\"balance_after\":\"");
                self.amount(out, entry.balance_after, decimal);
            }
            out.extend_from_slice(b"\"}");
        }
        out.extend_from_slice(b"]}");
        true
    }

    /// The sum of the debits and the currency, if there is one currency only.
    fn sum(&mut self, out: &mut Vec<u8>, event: &Event) {
        let mut entries = event.posted();
        let Some(first) = entries.next() else { return };
        if entries.any(|entry| entry.currency != first.currency) {
            return;
        }
        let debits = event.posted().filter(|entry| entry.side == Side::Debit);
        let sum: i128 = debits.map(|entry| i128::from(entry.amount)).sum();
        let decimal = self.decimal(first.currency);
        out.extend_from_slice(b",\"amount\":\"");
        match i64::try_from(sum) {
            Ok(sum) => self.amount(out, sum, decimal),
            Err(_) => out.extend_from_slice(money(sum, first.currency).as_bytes()),
        }
        out.extend_from_slice(b"\",\"currency\":\"");
        out.extend_from_slice(decimal.code.as_bytes());
        out.push(b'"');
    }

    fn number(&mut self, out: &mut Vec<u8>, number: u64) {
        out.extend_from_slice(self.numbers.format(number).as_bytes());
    }

    fn date(&mut self, out: &mut Vec<u8>, day: Date) {
        if self.date.0 != day {
            self.date = (day, date(day));
        }
        out.extend_from_slice(self.date.1.as_bytes());
    }

    fn decimal(&mut self, currency: Currency) -> Decimal {
        match self.currency {
            Some(known) if known.currency == currency => known,
            _ => {
                let decimals = currency.exponent();
                let unit = 10u64.pow(decimals);
                let found = Decimal { currency, code: currency.code(), decimals: decimals as usize, unit };
                *self.currency.insert(found)
            }
        }
    }

    fn amount(&mut self, out: &mut Vec<u8>, minor: i64, decimal: Decimal) {
        if minor < 0 {
            out.push(b'-');
        }
        let magnitude = minor.unsigned_abs();
        if decimal.decimals == 0 {
            return self.number(out, magnitude);
        }
        self.number(out, magnitude / decimal.unit);
        out.push(b'.');
        let fraction = self.numbers.format(magnitude % decimal.unit).as_bytes();
        out.extend_from_slice(&b"0000"[..decimal.decimals - fraction.len()]);
        out.extend_from_slice(fraction);
    }
}

fn text(out: &mut Vec<u8>, name: &[u8], text: Option<&str>) {
    if let Some(text) = text {
        out.extend_from_slice(name);
        // Into memory, and a text always has a JSON form.
        let _ = serde_json::to_writer(out, text);
    }
}
