//! From an event to its record.

use super::{ENCODING_PLAIN, ENTRY, FLAG_IN_GROUP, HEADER, SLOT, TRAILER, kind, tag};
use crate::command::Note;
use crate::event::{Body, Event};
use crate::refusal::Refusal;

/// Appends the record of `event` to `out`: whole slots, the journal's last four bytes zero.
pub fn encode(event: &Event, out: &mut Vec<u8>) {
    let start = out.len();
    let (kind, variant) = kind_of(&event.body);
    let flags = if event.in_group { FLAG_IN_GROUP } else { 0 };

    let mut header = [0u8; HEADER];
    header[0] = kind;
    header[1] = variant;
    header[3] = event.entries.len() as u8;
    header[6..8].copy_from_slice(&flags.to_be_bytes());
    header[8..16].copy_from_slice(&event.sequence.0.to_be_bytes());
    header[16..24].copy_from_slice(&event.time.to_be_bytes());
    header[24..28].copy_from_slice(&event.booking.0.to_be_bytes());
    header[28..32].copy_from_slice(&event.value.0.to_be_bytes());
    header[32..36].copy_from_slice(&event.principal.0.to_be_bytes());
    header[36..40].copy_from_slice(&event.actor.0.to_be_bytes());
    header[40..44].copy_from_slice(&event.origin.0.to_be_bytes());
    header[48..64].copy_from_slice(&event.key.0);
    header[64..80].copy_from_slice(&event.fingerprint.0);
    out.extend_from_slice(&header);

    for entry in &event.entries {
        let mut bytes = [0u8; ENTRY];
        bytes[0..8].copy_from_slice(&entry.account.0.to_be_bytes());
        bytes[8..16].copy_from_slice(&entry.amount.to_be_bytes());
        bytes[16..24].copy_from_slice(&entry.balance_after.to_be_bytes());
        bytes[24..32].copy_from_slice(&entry.previous.0.to_be_bytes());
        bytes[32..40].copy_from_slice(&entry.version.to_be_bytes());
        bytes[40..42].copy_from_slice(&entry.currency.numeric().to_be_bytes());
        bytes[42] = entry.side as u8;
        bytes[43] = entry.effect as u8;
        out.extend_from_slice(&bytes);
    }
    if let Some(note) = &event.note {
        note_fields(note, out);
    }
    body_fields(&event.body, out);

    let hashed = out.len() - start;
    for entry in &event.entries {
        out.extend_from_slice(&entry.skip.0.to_be_bytes());
    }
    let slots = (out.len() - start + TRAILER).div_ceil(SLOT);
    assert!(slots <= usize::from(u8::MAX), "the limits of entries and texts keep a record below 255 slots");
    out.resize(start + slots * SLOT, 0);
    out[start + 2] = slots as u8;
    out[start + 4..start + 6].copy_from_slice(&(hashed as u16).to_be_bytes());
}

pub(super) fn kind_of(body: &Body) -> (u8, u8) {
    match body {
        Body::BankOpened { .. } => (kind::BANK_OPENED, 0),
        Body::Named { kind: name, .. } => (kind::NAMED, *name as u8),
        Body::AccountOpened(opening) => (kind::ACCOUNT_OPENED, opening.account_type as u8),
        Body::AccountChanged { .. } => (kind::ACCOUNT_CHANGED, 0),
        Body::Posted { kind: transaction, .. } => (kind::POSTED, *transaction as u8),
        Body::HoldPlaced { .. } => (kind::HOLD_PLACED, 0),
        Body::HoldEnded { how, .. } => (kind::HOLD_ENDED, *how as u8),
        Body::DayOpened { .. } => (kind::DAY_OPENED, 0),
        Body::DayClosed { .. } => (kind::DAY_CLOSED, 0),
        Body::Refused(_) => (kind::REFUSED, 0),
        Body::Group { .. } => (kind::GROUP, 0),
    }
}

/// One rare field: tag, encoding, key id, length, bytes.
fn field(out: &mut Vec<u8>, tag: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.extend_from_slice(&[tag, ENCODING_PLAIN, 0, 0]);
    out.extend_from_slice(&(length as u16).to_be_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
}

fn note_fields(note: &Note, out: &mut Vec<u8>) {
    if let Some(text) = &note.reference {
        field(out, tag::REFERENCE, &[text.as_bytes()]);
    }
    if let Some(text) = &note.description {
        field(out, tag::DESCRIPTION, &[text.as_bytes()]);
    }
    if let Some(id) = note.on_behalf_of {
        field(out, tag::ON_BEHALF_OF, &[&id.0.to_be_bytes()]);
    }
    if let Some(id) = note.approver {
        field(out, tag::APPROVER, &[&id.0.to_be_bytes()]);
    }
    if let Some(id) = &note.trace {
        field(out, tag::TRACE, &[id]);
    }
    if let Some(id) = &note.payment {
        field(out, tag::PAYMENT, &[id]);
    }
}

fn body_fields(body: &Body, out: &mut Vec<u8>) {
    match body {
        Body::BankOpened { bank, timeline, name } => {
            field(out, tag::BANK, &[bank, &timeline.to_be_bytes()]);
            field(out, tag::NAME, &[name.as_bytes()]);
        }
        Body::Named { id, text, .. } => {
            field(out, tag::NAME_ID, &[&id.0.to_be_bytes()]);
            field(out, tag::NAME, &[text.as_bytes()]);
        }
        Body::AccountOpened(opening) => {
            field(
                out,
                tag::OPENING,
                &[
                    &[opening.account_type as u8, opening.status as u8],
                    &opening.currency.numeric().to_be_bytes(),
                    &opening.overdraft_limit.to_be_bytes(),
                    &opening.owner.0.to_be_bytes(),
                ],
            );
            field(out, tag::NUMBER, &[opening.number.as_bytes()]);
            field(out, tag::NAME, &[opening.name.as_bytes()]);
        }
        Body::AccountChanged { status, overdraft_limit } => {
            if let Some((before, after)) = status {
                field(out, tag::STATUS, &[&[*before as u8, *after as u8]]);
            }
            if let Some((before, after)) = overdraft_limit {
                field(out, tag::LIMIT, &[&before.to_be_bytes(), &after.to_be_bytes()]);
            }
        }
        Body::Posted { hold, reverses, .. } => {
            if let Some(hold) = hold {
                field(out, tag::HOLD, &[&hold.0.to_be_bytes()]);
            }
            if let Some((original, indices)) = reverses {
                field(out, tag::REVERSES, &[&original.0.to_be_bytes(), indices]);
            }
        }
        Body::HoldPlaced { expires_at } => field(out, tag::EXPIRES, &[&expires_at.to_be_bytes()]),
        Body::HoldEnded { hold, .. } => field(out, tag::HOLD, &[&hold.0.to_be_bytes()]),
        Body::DayOpened { date } | Body::DayClosed { date } => {
            field(out, tag::DATE, &[&date.0.to_be_bytes()])
        }
        Body::Refused(refusal) => refusal_field(refusal, out),
        Body::Group { members } => field(out, tag::MEMBERS, &[&members.to_be_bytes()]),
    }
}

fn refusal_field(refusal: &Refusal, out: &mut Vec<u8>) {
    field(
        out,
        tag::REFUSAL,
        &[
            &(refusal.code as u16).to_be_bytes(),
            &refusal.account.map_or(0, |account| account.0).to_be_bytes(),
            &refusal.currency.map_or(0, |currency| currency.numeric()).to_be_bytes(),
            &refusal.figures[0].to_be_bytes(),
            &refusal.figures[1].to_be_bytes(),
            &refusal.member.unwrap_or(u16::MAX).to_be_bytes(),
        ],
    );
}
