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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ledger::command::Note;
    use ledger::entry::Effect;
    use ledger::event::TransactionKind;
    use ledger::{AccountId, Digest, Entry, NameId, Sequence};
    use proptest::prelude::*;

    use super::*;
    use crate::http::wire::Transaction;
    use crate::identity::Credential;

    fn caller() -> Caller {
        Caller::of(Credential::local(), NameId(0))
    }

    prop_compose! {
        fn entry()(
            account in any::<u64>(),
            amount in any::<i64>(),
            balance_after in any::<i64>(),
            currency in prop::sample::select(vec!["BDT", "JPY", "KWD", "CLF"]),
            debit in any::<bool>(),
            held in prop::bool::weighted(0.1),
        ) -> Entry {
            Entry {
                account: AccountId(account),
                amount,
                balance_after,
                previous: Sequence(1),
                version: 1,
                skip: Sequence(0),
                currency: Currency::from_code(currency).unwrap(),
                side: if debit { Side::Debit } else { Side::Credit },
                effect: if held { Effect::Released } else { Effect::Posted },
            }
        }
    }

    prop_compose! {
        fn event()(
            sequence in any::<u64>(),
            time in -1_000_000_000_000_000i64..4_000_000_000_000_000,
            booking in -100_000i32..100_000,
            value in -100_000i32..100_000,
            entries in prop::collection::vec(entry(), 0..5),
            one_currency in any::<bool>(),
            reference in prop::option::of(".{0,20}"),
            description in prop::option::of(".{0,40}"),
            kind in prop::sample::select(TransactionKind::ALL.to_vec()),
            hold in prop::option::of(any::<u64>().prop_map(Sequence)),
            original in prop::option::of(any::<u64>().prop_map(Sequence)),
        ) -> Event {
            let mut entries = entries;
            if one_currency && let Some(first) = entries.first().map(|entry| entry.currency) {
                entries.iter_mut().for_each(|entry| entry.currency = first);
            }
            let boxed = |text: Option<String>| text.map(String::into_boxed_str);
            Event {
                sequence: Sequence(sequence),
                time,
                booking: Date(booking),
                value: Date(value),
                principal: NameId(1),
                actor: NameId(1),
                origin: NameId(0),
                key: Digest::NONE,
                fingerprint: Digest::NONE,
                in_group: false,
                entries: entries.into(),
                note: Some(Arc::new(Note {
                    reference: boxed(reference),
                    description: boxed(description),
                    ..Note::default()
                })),
                body: Body::Posted { kind, hold, reverses: original.map(|id| (id, Default::default())) },
            }
        }
    }

    proptest! {
        #[test]
        fn a_transaction_is_written_as_serde_writes_it(
            events in prop::collection::vec(event(), 1..4),
            accounts in prop::collection::vec(any::<u64>(), 0..3),
        ) {
            let mut caller = caller();
            if let Some(credential) = Arc::get_mut(&mut caller.credential) {
                // A customer who sees some of the accounts, else somebody who sees all.
                if !accounts.is_empty() {
                    let mut own = accounts;
                    own.extend(events[0].entries.first().map(|entry| entry.account.0));
                    own.sort_unstable();
                    credential.role = crate::identity::Role::Customer;
                    credential.accounts = own.into();
                }
            }
            let mut writer = Writer::new(&caller);
            for event in &events {
                let mut written = Vec::new();
                prop_assert!(writer.transaction(&mut written, event));
                let expected = serde_json::to_string(&Transaction::of(event, &caller)).unwrap();
                prop_assert_eq!(String::from_utf8(written).unwrap(), expected);
            }
        }
    }

    #[test]
    fn what_is_no_transaction_is_not_written() {
        let caller = caller();
        let mut out = Vec::new();
        let mut event = event_at_rest();
        event.body = Body::DayOpened { date: Date(0) };
        assert!(!Writer::new(&caller).transaction(&mut out, &event));
        assert!(out.is_empty());
    }

    fn event_at_rest() -> Event {
        use proptest::strategy::ValueTree;
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        event().new_tree(&mut runner).unwrap().current()
    }
}
