//! The walk: each record once, handed to everything that looks at it.

use std::io::ErrorKind;
use std::path::Path;

use journal::{Damage as JournalDamage, Identity, OpenError, Record};
use ledger::{Body, Event, codec};

use super::audit::Anchored;
use super::books::Books;
use super::claims::{Again, Claims};
use super::findings::{Findings, Subject};
use super::look::LookOnly;
use super::payments::Begun;
use super::places;
use super::report::{Check, Damage, Report};
use super::snapshots::Waiting;
use crate::database::chain::Anchor;

/// Walks the folder and checks all that the journal can prove or disprove; and what it says about the audit trail
/// and about payments.
pub(super) fn walk(
    dir: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Report, Vec<Anchored>, Begun), OpenError> {
    let identity = identity_of(dir)?;
    let mut found = Findings::new();
    // Opened before the walk: a server only files and saves what is durable, so the walk passes it all.
    let mut claims = Claims::open(dir, &identity, &mut found);
    let mut snapshots = Waiting::open(dir, &identity, &mut found);
    let mut books = Books::default();
    let mut anchors = Vec::new();
    let mut begun = Begun::default();
    let mut again = Vec::new();

    let mut each = |record: Record<'_>| {
        let sequence = record.sequence();
        found.checked(Subject::Events);
        match codec::decode(record.bytes()) {
            Ok(event) => {
                again.clear();
                codec::encode(&event, &mut again);
                let body = record.bytes().len() - codec::TRAILER;
                let same = again.len() == record.bytes().len() && again[..body] == record.bytes()[..body];
                found.expect(same, Subject::Events, sequence, || {
                    "the record is not the encoding of its event".into()
                });
                books.fold(&event, &mut found);
                claims.passed(&event, &mut found);
                anchors.extend(anchor(&event).map(|anchor| (sequence, anchor)));
                begun.passed(&event);
                snapshots.passed(record, &books, &mut found);
            }
            Err(error) => found.wrong(Subject::Events, sequence, error.to_string()),
        }
    };
    let walked = journal::verify(&LookOnly, dir, &mut each, progress)?;

    if books.bank != identity.bank && walked.head.sequence > 0 {
        found.wrong(Subject::Events, 1, "the first event names another bank".into());
    }
    if walked.damage.is_none() {
        books.settle(&mut found);
        books.reversals.settle(dir, &mut found).map_err(|source| OpenError::Io {
            path: dir.join("journal"),
            what: "read",
            source,
        })?;
        let mut again = claims.settle(walked.head.sequence, &mut found);
        if again.needed() {
            look_again(dir, &mut again, &mut found)?;
            again.settle(&mut found);
        }
        snapshots.settle(&mut found);
    }
    let damage = first_damage(dir, &walked, &found);
    let mut checks = vec![journal_check(&walked), sidecar_check(&walked.sidecars)];
    checks.extend(found.into_checks());
    let report = Report {
        identity,
        head: walked.head,
        events: walked.records,
        transactions: books.transactions,
        accounts: books.accounts.len() as u64,
        checks,
        damage,
        seconds: 0.0,
    };
    Ok((report, anchors, begun))
}

/// What a business day says about the audit trail.
pub(super) fn anchor(event: &Event) -> Option<Anchor> {
    let of_day = matches!(event.body, Body::DayOpened { .. } | Body::DayClosed { .. });
    let note = event.note.as_ref().filter(|_| of_day)?;
    Anchor::parse(note.description.as_deref()?)
}

/// Walks once more for the events that claims and their files differ about. Damage was found the first time.
fn look_again(dir: &Path, again: &mut Again, found: &mut Findings) -> Result<(), OpenError> {
    let mut each = |record: Record<'_>| {
        if let Ok(event) = codec::decode(record.bytes()) {
            again.passed(&event, found);
        }
    };
    journal::verify(&LookOnly, dir, &mut each, &mut |_, _| ()).map(|_| ())
}

/// Whose folder it is; the journal's walk checks the file itself.
fn identity_of(dir: &Path) -> Result<Identity, OpenError> {
    let path = dir.join("IDENTITY");
    match std::fs::read_to_string(&path) {
        Ok(text) => places::identity(&text).ok_or(OpenError::IdentityDamaged { path }),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Err(OpenError::NotABank { dir: dir.to_path_buf() }),
            ErrorKind::InvalidData => Err(OpenError::IdentityDamaged { path }),
            _ => Err(OpenError::Io { path, what: "read", source: error }),
        },
    }
}

fn journal_check(walked: &journal::Report) -> Check {
    let mut detail = Vec::new();
    match (&walked.damage, &walked.tail) {
        (Some(damage), _) => detail.push(damage.to_string()),
        (None, Some(tail)) => detail.push(format!(
            "behind the last whole frame stand {} bytes at segment {}, offset {}: a frame being written, or a \
             torn one that nobody was answered for",
            tail.bytes, tail.segment, tail.offset
        )),
        (None, None) if walked.in_use => detail.push("a server is writing; this is how far it was".to_owned()),
        (None, None) if !walked.confirmed => {
            detail.push("the last frame is not confirmed yet: a server is running, or was killed".to_owned());
        }
        _ => {}
    }
    if !walked.strangers.is_empty() {
        detail.push(format!("files that are no part of a journal: {}", walked.strangers.join(", ")));
    }
    Check { name: "journal", ok: walked.damage.is_none(), checked: walked.frames, detail: detail.join("; ") }
}

fn sidecar_check(found: &journal::Sidecars) -> Check {
    let numbers = |segments: &[u64]| segments.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let mut detail = Vec::new();
    if !found.wrong.is_empty() {
        let of = numbers(&found.wrong);
        detail
            .push(format!("of segment {of}: another index than the segment's; remove it, it is made again"));
    }
    if !found.missing.is_empty() {
        let of = numbers(&found.missing);
        detail.push(format!("of segment {of}: none that checks; the next start makes it again"));
    }
    let checked = found.sound + found.wrong.len() as u64;
    Check { name: "sidecars", ok: found.wrong.is_empty(), checked, detail: detail.join("; ") }
}

/// The journal's own damage, else the first event at which something does not hold, with its place.
fn first_damage(dir: &Path, walked: &journal::Report, found: &Findings) -> Option<Damage> {
    if let Some(JournalDamage { segment, offset, sequence, what }) = walked.damage.clone() {
        let (segment, offset, sequence) = (Some(segment), Some(offset), Some(sequence));
        return Some(Damage { segment, offset, ..Damage::new(sequence, what.to_owned()) });
    }
    let Some((sequence, what)) = found.first() else {
        let segment = Some(*walked.sidecars.wrong.first()?);
        let what = sidecar_check(&walked.sidecars).detail;
        return Some(Damage { segment, ..Damage::new(None, what) });
    };
    let place = sequence.and_then(|sequence| places::find(dir, sequence).ok().flatten());
    let (segment, offset) = place.map_or((None, None), |place| (Some(place.segment), Some(place.offset)));
    Some(Damage { segment, offset, ..Damage::new(sequence, what) })
}
