//! From a record to its event. Never panics, whatever the bytes are.

use std::sync::Arc;

use smallvec::SmallVec;

use super::encode::kind_of;
use super::{ENCODING_PLAIN, ENTRY, FLAG_IN_GROUP, HEADER, SLOT, TRAILER, kind, tag};
use crate::account::{AccountType, Side, Status};
use crate::command::Note;
use crate::currency::Currency;
use crate::date::Date;
use crate::digest::Digest;
use crate::entry::{Effect, Entry};
use crate::event::{Body, Claimed, Event, HoldEnd, NameKind, Opening, TransactionKind};
use crate::ids::{AccountId, NameId, Sequence};
use crate::refusal::{Code, Refusal};

/// The bytes are no event of version 1. The journal's checksums have passed, so either the record was written
/// by a newer program, or it was never one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Shorter than it says, or longer.
    Length,
    /// A kind, tag or value that version 1 does not know.
    Unknown(&'static str),
    /// A field that this kind must have is not there.
    Missing(&'static str),
    /// A text that is not UTF-8.
    Text,
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DecodeError::Length => f.write_str("the record's length does not fit its content"),
            DecodeError::Unknown(what) => write!(f, "unknown {what}: written by a newer program?"),
            DecodeError::Missing(what) => write!(f, "the field {what} is missing"),
            DecodeError::Text => f.write_str("a text is not UTF-8"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Reads the record of one event.
///
/// # Errors
/// [`DecodeError`] if the bytes are no event of version 1.
pub fn decode(record: &[u8]) -> Result<Event, DecodeError> {
    let header: &[u8; HEADER] = record.first_chunk().ok_or(DecodeError::Length)?;
    let hashed = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let count = usize::from(header[3]);
    let entries_end = HEADER + count * ENTRY;
    let skips_end = hashed + count * 8;
    if usize::from(header[2]) * SLOT != record.len()
        || hashed < entries_end
        || (skips_end + TRAILER).next_multiple_of(SLOT) != record.len()
    {
        return Err(DecodeError::Length);
    }
    if record[skips_end..record.len() - TRAILER].iter().any(|byte| *byte != 0) {
        return Err(DecodeError::Unknown("padding"));
    }
    let skips = &record[hashed..skips_end];
    let mut entries = SmallVec::with_capacity(count);
    for (bytes, skip) in record[HEADER..entries_end].chunks_exact(ENTRY).zip(skips.chunks_exact(8)) {
        entries.push(entry(bytes, Sequence(u64_at(skip, 0)))?);
    }
    let flags = u16::from_be_bytes([header[6], header[7]]);
    if flags & !FLAG_IN_GROUP != 0 || header[44..48] != [0; 4] {
        return Err(DecodeError::Unknown("flag"));
    }
    let fields = Fields { bytes: &record[entries_end..hashed] };
    fields.check(header[0])?;
    let body = body(header[0], header[1], &fields)?;
    if kind_of(&body) != (header[0], header[1]) {
        return Err(DecodeError::Unknown("variant"));
    }
    Ok(Event {
        sequence: sequence(header)?,
        time: u64_at(header, 16) as i64,
        booking: Date(u32_at(header, 24) as i32),
        value: Date(u32_at(header, 28) as i32),
        principal: NameId(u32_at(header, 32)),
        actor: NameId(u32_at(header, 36)),
        origin: NameId(u32_at(header, 40)),
        key: Digest(array(header, 48)),
        fingerprint: Digest(array(header, 64)),
        in_group: flags & FLAG_IN_GROUP != 0,
        entries,
        note: note(&fields)?,
        body,
    })
}

/// The first of several records that stand one after the other; none at the end, or if the rest is cut short.
#[must_use]
pub fn first_record(bytes: &[u8]) -> Option<&[u8]> {
    let slots = usize::from(*bytes.get(2)?);
    bytes.get(..slots * SLOT).filter(|record| !record.is_empty())
}

/// The claims of a record, without building its event where that is not needed: a plain transaction claims
/// its key only, and that stands in the header.
///
/// # Errors
/// As [`decode`].
pub fn claims_of(record: &[u8], mut each: impl FnMut(Digest, Claimed)) -> Result<(), DecodeError> {
    let header: &[u8; HEADER] = record.first_chunk().ok_or(DecodeError::Length)?;
    if header[0] == kind::POSTED && !has_fields(header) {
        let key = Digest(array(header, 48));
        if !key.is_none() {
            each(key, Claimed { sequence: sequence(header)?, tag: 0 });
        }
        return Ok(());
    }
    decode(record)?.claims(each);
    Ok(())
}

/// The caller's reference in a record, without building its event.
///
/// # Errors
/// As [`decode`].
pub fn reference_of(record: &[u8]) -> Result<Option<&str>, DecodeError> {
    let header: &[u8; HEADER] = record.first_chunk().ok_or(DecodeError::Length)?;
    if !has_fields(header) {
        return Ok(None);
    }
    let entries_end = HEADER + usize::from(header[3]) * ENTRY;
    let hashed = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let fields = Fields { bytes: record.get(entries_end..hashed).ok_or(DecodeError::Length)? };
    let found = fields.find(tag::REFERENCE)?;
    found.map(|bytes| std::str::from_utf8(bytes).map_err(|_| DecodeError::Text)).transpose()
}

/// Claims keep a sequence in seven bytes ([`Claimed::to_value`]).
fn sequence(header: &[u8; HEADER]) -> Result<Sequence, DecodeError> {
    let sequence = u64_at(header, 8);
    if sequence < 1 << 56 { Ok(Sequence(sequence)) } else { Err(DecodeError::Unknown("sequence")) }
}

fn has_fields(header: &[u8; HEADER]) -> bool {
    usize::from(u16::from_be_bytes([header[4], header[5]])) != HEADER + usize::from(header[3]) * ENTRY
}

fn entry(bytes: &[u8], skip: Sequence) -> Result<Entry, DecodeError> {
    Ok(Entry {
        account: AccountId(u64_at(bytes, 0)),
        amount: u64_at(bytes, 8) as i64,
        balance_after: u64_at(bytes, 16) as i64,
        previous: Sequence(u64_at(bytes, 24)),
        version: u64_at(bytes, 32),
        skip,
        currency: currency(u16::from_be_bytes(array(bytes, 40)))?,
        side: match bytes[42] {
            0 => Side::Debit,
            1 => Side::Credit,
            _ => return Err(DecodeError::Unknown("side")),
        },
        effect: Effect::from_number(bytes[43]).ok_or(DecodeError::Unknown("effect"))?,
    })
}

fn note(fields: &Fields<'_>) -> Result<Option<Arc<Note>>, DecodeError> {
    if fields.bytes.is_empty() {
        return Ok(None);
    }
    let name = |tag| fields.fixed::<4>(tag).map(|found| found.map(|bytes| NameId(u32::from_be_bytes(bytes))));
    let note = Note {
        reference: fields.text(tag::REFERENCE)?,
        description: fields.text(tag::DESCRIPTION)?,
        on_behalf_of: name(tag::ON_BEHALF_OF)?,
        approver: name(tag::APPROVER)?,
        trace: fields.fixed(tag::TRACE)?,
        payment: fields.fixed(tag::PAYMENT)?,
    };
    Ok((note != Note::default()).then(|| Arc::new(note)))
}

fn body(kind: u8, variant: u8, fields: &Fields<'_>) -> Result<Body, DecodeError> {
    let name = || fields.text(tag::NAME)?.ok_or(DecodeError::Missing("name"));
    let number =
        |tag, what| fields.fixed::<8>(tag)?.map(u64::from_be_bytes).ok_or(DecodeError::Missing(what));
    let date = || {
        let bytes = fields.fixed::<4>(tag::DATE)?.ok_or(DecodeError::Missing("date"))?;
        Ok(Date(i32::from_be_bytes(bytes)))
    };
    Ok(match kind {
        kind::BANK_OPENED => {
            let bytes: [u8; 20] = fields.fixed(tag::BANK)?.ok_or(DecodeError::Missing("bank"))?;
            Body::BankOpened { bank: array(&bytes, 0), timeline: u32_at(&bytes, 16), name: name()? }
        }
        kind::NAMED => {
            let id = fields.fixed::<4>(tag::NAME_ID)?.ok_or(DecodeError::Missing("name id"))?;
            let kind = NameKind::from_number(variant).ok_or(DecodeError::Unknown("kind of name"))?;
            Body::Named { id: NameId(u32::from_be_bytes(id)), kind, text: name()? }
        }
        kind::ACCOUNT_OPENED => Body::AccountOpened(Box::new(opening(fields)?)),
        kind::ACCOUNT_CHANGED => {
            let status = fields.fixed::<2>(tag::STATUS)?;
            let limit = fields.fixed::<16>(tag::LIMIT)?;
            let read = |number| Status::from_number(number).ok_or(DecodeError::Unknown("status"));
            Body::AccountChanged {
                status: status.map(|[before, after]| Ok((read(before)?, read(after)?))).transpose()?,
                overdraft_limit: limit.map(|bytes| (u64_at(&bytes, 0) as i64, u64_at(&bytes, 8) as i64)),
            }
        }
        kind::POSTED => {
            let reverses = match fields.find(tag::REVERSES)? {
                Some(bytes) if bytes.len() >= 8 => {
                    Some((Sequence(u64_at(bytes, 0)), SmallVec::from_slice(&bytes[8..])))
                }
                Some(_) => return Err(DecodeError::Length),
                None => None,
            };
            Body::Posted {
                kind: TransactionKind::from_number(variant)
                    .ok_or(DecodeError::Unknown("kind of transaction"))?,
                hold: fields.fixed::<8>(tag::HOLD)?.map(|bytes| Sequence(u64::from_be_bytes(bytes))),
                reverses,
            }
        }
        kind::HOLD_PLACED => Body::HoldPlaced { expires_at: number(tag::EXPIRES, "expiry")? as i64 },
        kind::HOLD_ENDED => Body::HoldEnded {
            hold: Sequence(number(tag::HOLD, "hold")?),
            how: HoldEnd::from_number(variant).ok_or(DecodeError::Unknown("end of a hold"))?,
        },
        kind::DAY_OPENED => Body::DayOpened { date: date()? },
        kind::DAY_CLOSED => Body::DayClosed { date: date()? },
        kind::REFUSED => Body::Refused(refusal(fields)?),
        kind::GROUP => {
            let members = fields.fixed::<2>(tag::MEMBERS)?.ok_or(DecodeError::Missing("members"))?;
            Body::Group { members: u16::from_be_bytes(members) }
        }
        _ => return Err(DecodeError::Unknown("kind of event")),
    })
}

fn opening(fields: &Fields<'_>) -> Result<Opening, DecodeError> {
    let bytes: [u8; 16] = fields.fixed(tag::OPENING)?.ok_or(DecodeError::Missing("opening"))?;
    Ok(Opening {
        account_type: AccountType::from_number(bytes[0]).ok_or(DecodeError::Unknown("account type"))?,
        status: Status::from_number(bytes[1]).ok_or(DecodeError::Unknown("status"))?,
        currency: currency(u16::from_be_bytes(array(&bytes, 2)))?,
        overdraft_limit: u64_at(&bytes, 4) as i64,
        owner: NameId(u32_at(&bytes, 12)),
        number: fields.text(tag::NUMBER)?.ok_or(DecodeError::Missing("number"))?,
        name: fields.text(tag::NAME)?.ok_or(DecodeError::Missing("name"))?,
    })
}

fn refusal(fields: &Fields<'_>) -> Result<Refusal, DecodeError> {
    let bytes: [u8; 30] = fields.fixed(tag::REFUSAL)?.ok_or(DecodeError::Missing("refusal"))?;
    let code = u16::from_be_bytes(array(&bytes, 0));
    let account = u64_at(&bytes, 2);
    let in_currency = u16::from_be_bytes(array(&bytes, 10));
    let member = u16::from_be_bytes(array(&bytes, 28));
    Ok(Refusal {
        code: Code::from_number(code).ok_or(DecodeError::Unknown("refusal code"))?,
        account: (account != 0).then_some(AccountId(account)),
        currency: (in_currency != 0).then(|| currency(in_currency)).transpose()?,
        figures: [u64_at(&bytes, 12) as i64, u64_at(&bytes, 20) as i64],
        member: (member != u16::MAX).then_some(member),
    })
}

fn currency(numeric: u16) -> Result<Currency, DecodeError> {
    Currency::from_numeric(numeric).ok_or(DecodeError::Unknown("currency"))
}

/// The rare fields of a record, in place.
struct Fields<'a> {
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    fn iter(&self) -> impl Iterator<Item = Result<(u8, u8, &'a [u8]), DecodeError>> + use<'a> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let Some((head, tail)) = rest.split_first_chunk::<6>() else {
                rest = &[];
                return Some(Err(DecodeError::Length));
            };
            let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
            if tail.len() < length {
                rest = &[];
                return Some(Err(DecodeError::Length));
            }
            let (value, after) = tail.split_at(length);
            rest = after;
            if head[1] == ENCODING_PLAIN && head[2..4] != [0; 2] {
                return Some(Err(DecodeError::Unknown("key of a text in the clear")));
            }
            Some(Ok((head[0], head[1], value)))
        })
    }

    /// Every field is whole, in the clear, stands once and in its place, and is one that this kind of event may
    /// have: what is not understood is refused, never skipped, and an event has one encoding only.
    fn check(&self, kind: u8) -> Result<(), DecodeError> {
        let mut places = ORDER.iter();
        for field in self.iter() {
            let (tag, encoding, _) = field?;
            if !may_have(kind, tag) || !places.any(|next| *next == tag) {
                return Err(DecodeError::Unknown("field"));
            }
            if encoding != ENCODING_PLAIN {
                return Err(DecodeError::Unknown("encoding"));
            }
        }
        Ok(())
    }

    fn find(&self, wanted: u8) -> Result<Option<&'a [u8]>, DecodeError> {
        for field in self.iter() {
            let (tag, _, value) = field?;
            if tag == wanted {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn fixed<const N: usize>(&self, wanted: u8) -> Result<Option<[u8; N]>, DecodeError> {
        self.find(wanted)?.map(|value| value.try_into().map_err(|_| DecodeError::Length)).transpose()
    }

    fn text(&self, wanted: u8) -> Result<Option<Box<str>>, DecodeError> {
        let Some(value) = self.find(wanted)? else { return Ok(None) };
        Ok(Some(std::str::from_utf8(value).map_err(|_| DecodeError::Text)?.into()))
    }
}

/// The order in which fields stand.
const ORDER: [u8; 19] = [
    tag::REFERENCE,
    tag::DESCRIPTION,
    tag::ON_BEHALF_OF,
    tag::APPROVER,
    tag::TRACE,
    tag::PAYMENT,
    tag::BANK,
    tag::NAME_ID,
    tag::OPENING,
    tag::NUMBER,
    tag::NAME,
    tag::STATUS,
    tag::LIMIT,
    tag::HOLD,
    tag::REVERSES,
    tag::EXPIRES,
    tag::DATE,
    tag::REFUSAL,
    tag::MEMBERS,
];

/// Which fields an event of this kind may have, beside those of every request.
pub(super) fn may_have(kind: u8, field: u8) -> bool {
    match field {
        tag::REFERENCE..=tag::PAYMENT => true,
        tag::BANK => kind == kind::BANK_OPENED,
        tag::NAME => matches!(kind, kind::BANK_OPENED | kind::NAMED | kind::ACCOUNT_OPENED),
        tag::NUMBER | tag::OPENING => kind == kind::ACCOUNT_OPENED,
        tag::STATUS | tag::LIMIT => kind == kind::ACCOUNT_CHANGED,
        tag::HOLD => matches!(kind, kind::POSTED | kind::HOLD_ENDED),
        tag::REVERSES => kind == kind::POSTED,
        tag::EXPIRES => kind == kind::HOLD_PLACED,
        tag::DATE => matches!(kind, kind::DAY_OPENED | kind::DAY_CLOSED),
        tag::REFUSAL => kind == kind::REFUSED,
        tag::MEMBERS => kind == kind::GROUP,
        tag::NAME_ID => kind == kind::NAMED,
        _ => false,
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("lengths were checked")
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(array(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(array(bytes, at))
}
