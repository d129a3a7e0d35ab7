//! The encoding: there and back, never a panic, and the same bytes for ever.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use smallvec::SmallVec;

use super::{DecodeError, ENTRY, HEADER, SLOT, TRAILER, claims_of, decode, encode, reference_of};
use crate::account::{AccountType, Side, Status};
use crate::command::Note;
use crate::currency::Currency;
use crate::date::Date;
use crate::digest::Digest;
use crate::entry::{Effect, Entry};
use crate::event::{Body, Event, HoldEnd, NameKind, Opening, TransactionKind};
use crate::ids::{AccountId, NameId, Sequence};
use crate::refusal::{Code, Refusal};

mod fingerprints;
mod golden;
mod page;

fn record(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(event, &mut bytes);
    bytes
}

fn hashed(record: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([record[4], record[5]]))
}

/// A transfer of 30.00 from account 3 to account 4, with nothing rare about it.
fn transfer() -> Event {
    let currency = Currency::from_code("BDT").unwrap();
    let entry = |account, side, balance_after, previous, version, skip| Entry {
        account: AccountId(account),
        amount: 3_000,
        balance_after,
        previous: Sequence(previous),
        version,
        skip: Sequence(skip),
        currency,
        side,
        effect: Effect::Posted,
    };
    Event {
        sequence: Sequence(1_000),
        time: 1_767_600_000_000_000,
        booking: Date(20_458),
        value: Date(20_457),
        principal: NameId(1),
        actor: NameId(2),
        origin: NameId(3),
        key: Digest([0xaa; 16]),
        fingerprint: Digest([0xbb; 16]),
        in_group: false,
        entries: SmallVec::from_slice(&[
            entry(3, Side::Debit, 7_000, 998, 64, 512),
            entry(4, Side::Credit, 3_000, 0, 1, 0),
        ]),
        note: None,
        body: Body::Posted { kind: TransactionKind::Transfer, hold: None, reverses: None },
    }
}

#[test]
fn a_transfer_without_texts_takes_three_slots() {
    let bytes = record(&transfer());
    assert_eq!(bytes.len(), 192);
    assert_eq!((bytes[2], hashed(&bytes)), (3, HEADER + 2 * ENTRY));
}

#[test]
fn the_skip_pointers_are_outside_the_chain() {
    let with = transfer();
    let mut without = with.clone();
    without.entries.iter_mut().for_each(|entry| entry.skip = Sequence(0));
    let (with, without) = (record(&with), record(&without));
    assert_ne!(with, without);
    assert_eq!(with[..hashed(&with)], without[..hashed(&without)]);
}

#[test]
fn records_stand_one_after_the_other() {
    let mut bytes = record(&transfer());
    encode(&transfer(), &mut bytes);
    assert_eq!(bytes.len(), 384);
    assert_eq!(bytes[..192], bytes[192..]);
}

#[test]
fn what_is_not_understood_is_refused() {
    let whole = record(&transfer());
    let broken = |at: usize, value: u8| {
        let mut bytes = whole.clone();
        bytes[at] = value;
        decode(&bytes)
    };
    assert_eq!(decode(&[]), Err(DecodeError::Length));
    assert_eq!(decode(&whole[..191]), Err(DecodeError::Length));
    assert_eq!(broken(0, 0), Err(DecodeError::Unknown("kind of event")));
    assert_eq!(broken(0, 12), Err(DecodeError::Unknown("kind of event")));
    assert_eq!(broken(1, 7), Err(DecodeError::Unknown("kind of transaction")));
    assert_eq!(broken(2, 4), Err(DecodeError::Length));
    assert_eq!(broken(3, 3), Err(DecodeError::Length));
    assert_eq!(broken(7, 2), Err(DecodeError::Unknown("flag")));
    assert_eq!(broken(44, 1), Err(DecodeError::Unknown("flag")));
    assert_eq!(broken(HEADER + 41, 1), Err(DecodeError::Unknown("currency")));
    assert_eq!(broken(HEADER + 42, 2), Err(DecodeError::Unknown("side")));
    assert_eq!(broken(HEADER + 43, 0), Err(DecodeError::Unknown("effect")));
}

/// A record with these rare fields, raw, behind a header of this kind.
fn with_fields(kind: u8, fields: &[u8]) -> Result<Event, DecodeError> {
    let mut bytes = vec![0; HEADER];
    bytes[0] = kind;
    bytes.extend_from_slice(fields);
    let hashed = bytes.len() as u16;
    bytes.resize((bytes.len() + TRAILER).div_ceil(SLOT) * SLOT, 0);
    bytes[2] = (bytes.len() / SLOT) as u8;
    bytes[4..6].copy_from_slice(&hashed.to_be_bytes());
    decode(&bytes)
}

/// Bytes that meant the same event were read as it: padding that was not zero, a slot too many. And a sequence beyond
/// what a claim can hold stopped whoever read it.
#[test]
fn an_event_has_one_encoding_only() {
    let day = Event {
        body: Body::DayOpened { date: Date(1) },
        ..with_fields(8, &[25, 0, 0, 0, 0, 4, 0, 0, 0, 1]).unwrap()
    };
    let mut good = Vec::new();
    encode(&day, &mut good);
    assert_eq!(decode(&good), Ok(day));
    let mut padded = good.clone();
    let last = padded.len() - TRAILER - 1;
    padded[last] = 1;
    assert_eq!(decode(&padded), Err(DecodeError::Unknown("padding")));
    let mut longer = good.clone();
    longer.resize(good.len() + SLOT, 0);
    longer[2] += 1;
    assert_eq!(decode(&longer), Err(DecodeError::Length));
    good[8] = 1;
    assert_eq!(decode(&good), Err(DecodeError::Unknown("sequence")));
    assert_eq!(claims_of(&good, |_, _| ()), Err(DecodeError::Unknown("sequence")));
}

#[test]
fn a_field_stands_once_in_the_clear_and_where_it_belongs() {
    let day = [25, 0, 0, 0, 0, 4, 0, 0, 0, 1];
    let text = |encoding: u8, key: u8, letter: u8| [1, encoding, 0, key, 0, 1, letter];
    assert!(with_fields(8, &day).is_ok());
    assert_eq!(with_fields(8, &[]), Err(DecodeError::Missing("date")));
    assert_eq!(with_fields(8, &day[..9]), Err(DecodeError::Length));
    assert_eq!(with_fields(8, &[25, 0, 0, 0, 0, 1, 0]), Err(DecodeError::Length));
    assert_eq!(with_fields(8, &[day, day].concat()), Err(DecodeError::Unknown("field")));
    assert_eq!(with_fields(11, &day), Err(DecodeError::Unknown("field")));
    assert_eq!(with_fields(8, &[7, 0, 0, 0, 0, 0]), Err(DecodeError::Unknown("field")));
    assert_eq!(with_fields(8, &[200, 0, 0, 0, 0, 0]), Err(DecodeError::Unknown("field")));
    assert!(with_fields(8, &[&text(0, 0, b'x')[..], &day].concat()).is_ok());
    let behind = with_fields(8, &[&day[..], &text(0, 0, b'x')].concat());
    assert_eq!(behind, Err(DecodeError::Unknown("field")), "one encoding: a reference comes first");
    let newer = Err(DecodeError::Unknown("encoding"));
    assert_eq!(with_fields(8, &[&text(1, 9, b'x')[..], &day].concat()), newer, "a cipher");
    let keyed = Err(DecodeError::Unknown("key of a text in the clear"));
    assert_eq!(with_fields(8, &[&text(0, 9, b'x')[..], &day].concat()), keyed);
    assert_eq!(with_fields(8, &[&text(0, 0, 0xff)[..], &day].concat()), Err(DecodeError::Text));
}

#[test]
fn every_currency_of_the_standard_survives() {
    let mut found = 0;
    for numeric in 0..=999 {
        let Some(currency) = Currency::from_numeric(numeric) else { continue };
        let mut event = transfer();
        event.entries[0].currency = currency;
        assert_eq!(decode(&record(&event)), Ok(event));
        found += 1;
    }
    assert!(found > 150);
}

fn text() -> impl Strategy<Value = Box<str>> {
    "[a-z৳é ]{0,40}".prop_map(Into::into)
}

fn currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec!["BDT", "EUR", "JPY", "KWD"]).prop_map(|code| Currency::from_code(code).unwrap())
}

fn entry() -> impl Strategy<Value = Entry> {
    let numbers = (any::<u64>(), any::<i64>(), any::<i64>(), any::<u64>(), any::<u64>(), any::<u64>());
    let effect = prop::sample::select(Effect::ALL);
    (numbers, currency(), any::<bool>(), effect).prop_map(|(numbers, currency, debit, effect)| Entry {
        account: AccountId(numbers.0),
        amount: numbers.1,
        balance_after: numbers.2,
        previous: Sequence(numbers.3),
        version: numbers.4,
        skip: Sequence(numbers.5),
        currency,
        side: if debit { Side::Debit } else { Side::Credit },
        effect,
    })
}

fn note() -> impl Strategy<Value = Note> {
    let texts = (option::of(text()), option::of(text()));
    let names = (option::of(any::<u32>()), option::of(any::<u32>()));
    (texts, names, option::of(any::<[u8; 16]>()), option::of(any::<[u8; 16]>())).prop_map(
        |((reference, description), (on_behalf_of, approver), trace, payment)| Note {
            reference,
            description,
            on_behalf_of: on_behalf_of.map(NameId),
            approver: approver.map(NameId),
            trace,
            payment,
        },
    )
}

fn refusal() -> impl Strategy<Value = Refusal> {
    let code = prop::sample::select(Code::ALL);
    (code, option::of(1..=u64::MAX), option::of(currency()), any::<[i64; 2]>(), option::of(0..u16::MAX))
        .prop_map(|(code, account, currency, figures, member)| {
            let account = account.map(AccountId);
            Refusal { code, account, currency, figures, member }
        })
}

fn opening() -> impl Strategy<Value = Opening> {
    let named = (prop::sample::select(AccountType::ALL), prop::sample::select(Status::ALL));
    (named, currency(), any::<i64>(), any::<u32>(), text(), text()).prop_map(
        |((account_type, status), currency, overdraft_limit, owner, number, name)| Opening {
            account_type,
            currency,
            status,
            overdraft_limit,
            owner: NameId(owner),
            number,
            name,
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    let status = || prop::sample::select(Status::ALL);
    let kind = prop::sample::select(TransactionKind::ALL);
    let reverses = (any::<u64>(), vec(any::<u8>(), 0..20))
        .prop_map(|(of, indices)| (Sequence(of), SmallVec::from_vec(indices)));
    prop_oneof![
        (any::<[u8; 16]>(), any::<u32>(), text()).prop_map(|(bank, timeline, name)| Body::BankOpened {
            bank,
            timeline,
            name
        }),
        (any::<u32>(), prop::sample::select(NameKind::ALL), text())
            .prop_map(|(id, kind, text)| Body::Named { id: NameId(id), kind, text }),
        opening().prop_map(|opening| Body::AccountOpened(Box::new(opening))),
        (option::of((status(), status())), option::of(any::<(i64, i64)>()))
            .prop_map(|(status, overdraft_limit)| Body::AccountChanged { status, overdraft_limit }),
        (kind, option::of(any::<u64>()), option::of(reverses))
            .prop_map(|(kind, hold, reverses)| Body::Posted { kind, hold: hold.map(Sequence), reverses }),
        any::<i64>().prop_map(|expires_at| Body::HoldPlaced { expires_at }),
        (any::<u64>(), prop::sample::select(HoldEnd::ALL))
            .prop_map(|(hold, how)| Body::HoldEnded { hold: Sequence(hold), how }),
        any::<i32>().prop_map(|date| Body::DayOpened { date: Date(date) }),
        any::<i32>().prop_map(|date| Body::DayClosed { date: Date(date) }),
        refusal().prop_map(Body::Refused),
        any::<u16>().prop_map(|members| Body::Group { members }),
    ]
}

/// Any event that a record can hold, whether or not the rules would ever make it.
fn event() -> impl Strategy<Value = Event> {
    let numbers = (any::<u64>(), any::<i64>(), any::<[i32; 2]>(), any::<[u32; 3]>(), any::<[[u8; 16]; 2]>());
    let note = option::of(note().prop_filter("a note says something", |note| *note != Note::default()));
    (numbers, any::<bool>(), vec(entry(), 0..6), note, body()).prop_map(
        |((sequence, time, dates, names, digests), in_group, entries, note, body)| Event {
            sequence: Sequence(sequence & 0xff_ffff_ffff_ffff),
            time,
            booking: Date(dates[0]),
            value: Date(dates[1]),
            principal: NameId(names[0]),
            actor: NameId(names[1]),
            origin: NameId(names[2]),
            key: Digest(digests[0]),
            fingerprint: Digest(digests[1]),
            in_group,
            entries: SmallVec::from_vec(entries),
            note: note.map(Arc::new),
            body,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn every_event_reads_as_it_was_written(event in event()) {
        let bytes = record(&event);
        prop_assert_eq!(bytes.len() % SLOT, 0);
        prop_assert_eq!(usize::from(bytes[2]) * SLOT, bytes.len());
        prop_assert_eq!(&bytes[bytes.len() - TRAILER..], [0; TRAILER], "the journal's own");
        let decoded = decode(&bytes);
        prop_assert_eq!(decoded.as_ref(), Ok(&event));
    }

    /// The short cuts say what the whole event says.
    #[test]
    fn claims_and_reference_are_found_without_the_event(event in event()) {
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        event.claims(|digest, claimed| expected.push((digest, claimed)));
        let bytes = record(&event);
        claims_of(&bytes, |digest, claimed| found.push((digest, claimed))).unwrap();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(reference_of(&bytes), Ok(event.reference()));
    }

    /// The journal puts its checksum where the record leaves room.
    #[test]
    fn the_last_four_bytes_do_not_matter(event in event(), checksum in any::<[u8; TRAILER]>()) {
        let mut bytes = record(&event);
        let end = bytes.len() - TRAILER;
        bytes[end..].copy_from_slice(&checksum);
        prop_assert_eq!(decode(&bytes), Ok(event));
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in vec(any::<u8>(), 0..600)) {
        let _ = decode(&bytes);
        let _ = reference_of(&bytes);
        let _ = claims_of(&bytes, |_, _| {});
        // Nearly right: a length that fits and a kind that exists.
        bytes.resize(bytes.len().div_ceil(SLOT) * SLOT, 0);
        let whole = (bytes.len() / SLOT) as u8;
        if let [kind, _, slots, ..] = bytes.as_mut_slice() {
            *kind %= 12;
            *slots = whole;
            let _ = decode(&bytes).map(|event| format!("{event:?}"));
        }
    }

    #[test]
    fn truncations_are_refused(event in event(), cut in any::<prop::sample::Index>()) {
        let bytes = record(&event);
        prop_assert_eq!(decode(&bytes[..cut.index(bytes.len())]), Err(DecodeError::Length));
    }

    /// Checksum and chain find every flip; but even without them a record never passes for another one's.
    #[test]
    fn a_flipped_bit_is_refused_or_seen(event in event(), at in any::<prop::sample::Index>()) {
        let mut bytes = record(&event);
        let bit = at.index(hashed(&bytes) * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        let _ = reference_of(&bytes);
        let _ = claims_of(&bytes, |_, _| {});
        if let Ok(other) = decode(&bytes) {
            prop_assert_ne!(&other, &event, "bit {}", bit);
            let _ = format!("{other:?}");
        }
    }
}
