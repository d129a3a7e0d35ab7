//! The walk: each record once, handed to everything that looks at it.

use std::io::ErrorKind;
use std::path::Path;

use journal::{Damage as JournalDamage, Identity, OpenError, Record};
use ledger::codec;

use super::books::Books;
use super::claims::{Claims, References};
use super::findings::{Findings, Subject};
use super::look::LookOnly;
use super::places;
use super::report::{Check, Damage, Report};
use super::snapshots::Waiting;

/// Walks the folder and checks all that the journal can prove or disprove.
pub(super) fn walk(dir: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Report, OpenError> {
    let identity = identity_of(dir)?;
    let mut found = Findings::new();
    // Opened before the walk: a server only files and saves what is durable, so the walk passes it all.
    let mut claims = Claims::open(dir, &identity, &mut found);
    let mut references = References::open(dir, &identity, &mut found);
    let mut snapshots = Waiting::open(dir, &identity, &mut found);
    let mut books = Books::default();
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
                event.claims(|digest, claimed| claims.add(digest, claimed.to_value(), &mut found));
                if let Some(reference) = event.reference() {
                    references.add(reference, sequence, &mut found);
                }
                snapshots.passed(record, &books, &mut found);
            }
            Err(error) => found.wrong(Subject::Events, sequence, error.to_string()),
        }
    };
    let mut walked = journal::verify(&LookOnly, dir, &mut each, progress)?;

    let in_use = walked.damage.as_ref().is_some_and(|damage| being_written(dir, damage, walked.head));
    if in_use {
        walked.damage = None;
    }
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
        claims.settle(walked.head.sequence, &mut found);
        references.settle(walked.head.sequence, &mut found);
        snapshots.settle(&mut found);
    }
    let damage = first_damage(dir, &walked, &found);
    let mut checks = vec![journal_check(&walked, in_use)];
    checks.extend(found.into_checks());
    Ok(Report {
        identity,
        head: walked.head,
        events: walked.records,
        transactions: books.transactions,
        accounts: books.accounts.len() as u64,
        checks,
        damage,
        seconds: 0.0,
    })
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

fn being_written(dir: &Path, damage: &JournalDamage, head: journal::Head) -> bool {
    let places = [(damage.segment, damage.offset), (damage.segment + 1, journal::BLOCK as u64)];
    places.iter().any(|(segment, offset)| places::continues(dir, *segment, *offset, head).unwrap_or(false))
}

fn journal_check(walked: &journal::Report, in_use: bool) -> Check {
    let mut detail = Vec::new();
    match (&walked.damage, &walked.tail) {
        (Some(damage), _) => detail.push(damage.to_string()),
        (None, Some(tail)) => detail.push(format!(
            "behind the last whole frame stand {} bytes at segment {}, offset {}: a frame being written, or a \
             torn one that nobody was answered for",
            tail.bytes, tail.segment, tail.offset
        )),
        (None, None) if in_use => detail.push("a server is writing; this is how far it was".to_owned()),
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

/// The journal's own damage, else the first event at which something does not hold, with its place.
fn first_damage(dir: &Path, walked: &journal::Report, found: &Findings) -> Option<Damage> {
    if let Some(JournalDamage { segment, offset, sequence, what }) = walked.damage.clone() {
        let (segment, offset, sequence) = (Some(segment), Some(offset), Some(sequence));
        return Some(Damage { segment, offset, sequence, what: what.to_owned() });
    }
    let (sequence, what) = found.first()?;
    let place = sequence.and_then(|sequence| places::find(dir, sequence).ok().flatten());
    let (segment, offset) = place.map_or((None, None), |place| (Some(place.segment), Some(place.offset)));
    Some(Damage { segment, offset, sequence, what })
}
