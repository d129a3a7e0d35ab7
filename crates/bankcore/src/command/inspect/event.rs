//! An event as text: every field, each entry, and its bytes if wanted.

use std::fmt::Write as _;

use bank::verify::places::Placed;
use ledger::limits::NEVER;
use ledger::money::Major;
use ledger::{Body, Effect, Event, codec};

use crate::output;

/// A record as text. One that cannot be decoded is shown as bytes, with the reason.
pub(super) fn text(record: &Placed, hex: bool) -> String {
    let mut out = match codec::decode(&record.bytes) {
        Ok(event) => {
            format!("{}{}", output::pairs(&fields(record, &event)), entries(&event))
        }
        Err(error) => format!("sequence {} is no event that this version knows: {error}\n", record.sequence),
    };
    if hex || out.is_empty() {
        out.push_str(&dump(record.offset, &record.bytes));
    }
    out
}

/// What kind of fact it is, in a word or two.
pub(super) fn kind(event: &Event) -> String {
    match &event.body {
        Body::BankOpened { .. } => "bank opened".to_owned(),
        Body::Named { kind, .. } => format!("{} named", kind.name()),
        Body::AccountOpened(_) => "account opened".to_owned(),
        Body::AccountChanged { .. } => "account changed".to_owned(),
        Body::Posted { kind, .. } => kind.name().to_owned(),
        Body::HoldPlaced { .. } => "hold placed".to_owned(),
        Body::HoldEnded { how, .. } => format!("hold {}", how.name()),
        Body::DayOpened { .. } => "day opened".to_owned(),
        Body::DayClosed { .. } => "day closed".to_owned(),
        Body::Refused(_) => "refused".to_owned(),
        Body::Group { .. } => "group".to_owned(),
    }
}

fn fields(record: &Placed, event: &Event) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("Sequence", event.sequence.to_string()),
        ("Kind", kind(event)),
        ("Detail", detail(&event.body)),
        (
            "Place",
            format!("segment {}, offset {}, {} bytes", record.segment, record.offset, record.bytes.len()),
        ),
        ("Time", time(event.time)),
        ("Booked on", event.booking.to_string()),
        ("Value date", event.value.to_string()),
        ("Principal", number(event.principal.0)),
        ("Actor", number(event.actor.0)),
        ("Origin", number(event.origin.0)),
        ("Key", if event.key.is_none() { String::new() } else { event.key.to_string() }),
        (
            "Fingerprint",
            if event.fingerprint.is_none() { String::new() } else { event.fingerprint.to_string() },
        ),
        ("In a group", if event.in_group { "yes".to_owned() } else { String::new() }),
    ];
    if let Some(note) = &event.note {
        let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
        let bytes = |bytes: &Option<[u8; 16]>| bytes.map_or(String::new(), |bytes| hex(&bytes));
        fields.extend([
            ("Reference", text(&note.reference)),
            ("Description", text(&note.description)),
            ("On behalf of", note.on_behalf_of.map_or(String::new(), |id| number(id.0))),
            ("Approver", note.approver.map_or(String::new(), |id| number(id.0))),
            ("Trace", bytes(&note.trace)),
            ("Payment", bytes(&note.payment)),
        ]);
    }
    fields.retain(|(_, text)| !text.is_empty());
    fields
}

fn detail(body: &Body) -> String {
    match body {
        Body::BankOpened { bank, timeline, name } => {
            format!("{name}, bank {}, timeline {timeline}", hex(bank))
        }
        Body::Named { id, text, .. } => format!("{id} is {text:?}"),
        Body::AccountOpened(opening) => format!(
            "{:?}, number {}, {}, {}, {}, owner {}, overdraft {}",
            opening.name,
            opening.number,
            opening.account_type.name(),
            opening.currency,
            opening.status.name(),
            number(opening.owner.0),
            Major(opening.overdraft_limit.into(), opening.currency)
        ),
        Body::AccountChanged { status, overdraft_limit } => {
            let status = status.map(|(before, after)| format!("{} → {}", before.name(), after.name()));
            let limit =
                overdraft_limit.map(|(before, after)| format!("overdraft {before} → {after} minor units"));
            status.into_iter().chain(limit).collect::<Vec<_>>().join(", ")
        }
        Body::Posted { hold, reverses, .. } => {
            let hold = hold.map(|hold| format!("captures hold {hold}"));
            let reverses = reverses
                .as_ref()
                .map(|(original, entries)| format!("takes back entries {entries:?} of {original}"));
            hold.into_iter().chain(reverses).collect::<Vec<_>>().join(", ")
        }
        Body::HoldPlaced { expires_at: NEVER } => "prepared: only its coordinator ends it".into(),
        Body::HoldPlaced { expires_at } => format!("expires at {}", time(*expires_at)),
        Body::HoldEnded { hold, .. } => format!("hold {hold}"),
        Body::DayOpened { date } | Body::DayClosed { date } => date.to_string(),
        Body::Refused(refusal) => format!("{} ({refusal})", refusal.code.name()),
        Body::Group { members } => format!("{members} members follow"),
    }
}

fn entries(event: &Event) -> String {
    if event.entries.is_empty() {
        return String::new();
    }
    let titles =
        ["Account", "Effect", "Side", "Amount", "Currency", "Balance", "Version", "Previous", "Skip"];
    let mut table = output::empty(titles.into_iter());
    for entry in &event.entries {
        let money = |minor: i64| Major(minor.into(), entry.currency).to_string();
        let side = if entry.effect == Effect::Touched { "" } else { entry.side.name() };
        table.add_row([
            entry.account.to_string(),
            entry.effect.name().to_owned(),
            side.to_owned(),
            money(entry.amount),
            entry.currency.to_string(),
            money(entry.balance_after),
            entry.version.to_string(),
            number64(entry.previous.0),
            number64(entry.skip.0),
        ]);
    }
    format!("{table}\n")
}

/// Microseconds since 1970 as a date and a time of day, UTC.
pub(super) fn time(micros: i64) -> String {
    let date = ledger::Date::of_micros(micros);
    let within = micros - date.start_micros();
    let (seconds, fraction) = (within / 1_000_000, within % 1_000_000);
    format!("{date}T{:02}:{:02}:{:02}.{fraction:06}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

fn number(id: u32) -> String {
    number64(id.into())
}

fn number64(number: u64) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes in rows of sixteen, with their offsets in the file and what of them is text.
pub(super) fn dump(offset: u64, bytes: &[u8]) -> String {
    let mut out = String::new();
    for (row, at) in bytes.chunks(16).zip((offset..).step_by(16)) {
        let digits: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let shown =
            |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
        let text: String = row.iter().map(shown).collect();
        let _ = writeln!(out, "{at:010x}  {:47}  {text}", digits.join(" "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_as_the_interface_prints_it() {
        assert_eq!(time(1_795_329_000_123_456), "2026-11-22T06:30:00.123456Z");
        assert_eq!(time(0), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn a_row_has_its_place_its_bytes_and_its_text() {
        let row = dump(4096, b"BCF1\x00abcdefghijklmn");
        assert!(row.starts_with("0000001000  42 43 46 31 00 61"), "{row}");
        assert!(row.lines().next().unwrap().ends_with("BCF1.abcdefghijk"), "{row}");
        assert!(row.lines().nth(1).unwrap().starts_with("0000001010  6c 6d 6e"), "{row}");
    }
}
