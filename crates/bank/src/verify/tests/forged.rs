//! Journals whose checksums and chain are right and whose content is not: what only the own fold can find.

use std::path::Path;

use journal::disk::{Disk, OsDisk};
use journal::{Batch, Folder, Options};
use ledger::command::Note;
use ledger::{Body, Effect, Event, codec};
use rstest::rstest;
use tempfile::TempDir;

use super::bank::{copy, copy_files, settings};
use super::{failed, verify};
use crate::verify::places;

fn events(dir: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    let mut each = |record: journal::Record<'_>| events.push(codec::decode(record.bytes()).unwrap());
    journal::verify(&OsDisk, dir, &mut each, &mut |_, _| ()).unwrap();
    events
}

/// The small bank with its events changed, written anew. `derived`: with its old key files.
async fn forge(derived: bool, change: impl FnOnce(&mut Vec<Event>)) -> TempDir {
    let original = copy().await;
    let mut events = events(original.path());
    change(&mut events);
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(original.path().join("IDENTITY")).unwrap();
    let identity = places::identity(&text).unwrap();
    let options = Options { background: false, ..settings().store.journal };
    let folder = Folder::create(OsDisk, dir.path(), identity, options).unwrap();
    let (mut journal, _) = folder.recover(None, &mut |_| ()).unwrap();
    for event in &events {
        let mut batch = Batch::new();
        batch.push(|bytes| codec::encode(event, bytes));
        journal.appender.append(&mut batch).unwrap();
    }
    journal.appender.confirm().unwrap();
    drop(journal);
    std::fs::copy(original.path().join("bank.db"), dir.path().join("bank.db")).unwrap();
    for folder in ["keys", "references"] {
        if derived && OsDisk.exists(&original.path().join(folder)) {
            copy_files(&original.path().join(folder), &dir.path().join(folder));
        }
    }
    dir
}

/// The position of the first event for which this is true.
fn first(events: &[Event], is: impl Fn(&Event) -> bool) -> usize {
    events.iter().position(is).expect("the small bank has one")
}

fn transfer(events: &[Event]) -> usize {
    first(events, |event| event.transaction().is_some() && event.sequence.0 > 40)
}

fn no_change(_: &mut [Event]) -> usize {
    0
}

fn more_is_debited_than_credited(events: &mut [Event]) -> usize {
    let at = transfer(events);
    events[at].entries[0].amount += 1;
    at
}

fn a_balance_is_raised(events: &mut [Event]) -> usize {
    let at = transfer(events);
    events[at].entries[1].balance_after += 1;
    at
}

fn a_version_is_skipped(events: &mut [Event]) -> usize {
    let at = transfer(events);
    events[at].entries[0].version += 1;
    at
}

fn a_link_leads_elsewhere(events: &mut [Event]) -> usize {
    let at = transfer(events);
    events[at].entries[0].previous.0 -= 1;
    at
}

fn a_skip_pointer_leads_elsewhere(events: &mut [Event]) -> usize {
    let at = first(events, |event| event.entries.iter().any(|entry| entry.version == 128));
    let entry = events[at].entries.iter_mut().find(|entry| entry.version == 128).unwrap();
    entry.skip.0 += 1;
    at
}

fn a_key_is_used_twice(events: &mut [Event]) -> usize {
    let at = transfer(events);
    events[at].key = events[at - 1].key;
    at
}

fn a_hold_is_ended_twice(events: &mut [Event]) -> usize {
    let at = first(events, |event| matches!(event.body, Body::HoldEnded { .. }));
    let ended = events.iter().find_map(|event| match event.body {
        Body::Posted { hold: Some(hold), .. } => Some(hold),
        _ => None,
    });
    let Body::HoldEnded { hold, .. } = &mut events[at].body else { unreachable!() };
    *hold = ended.unwrap();
    at
}

fn a_hold_releases_less(events: &mut [Event]) -> usize {
    let at = first(events, |event| matches!(event.body, Body::HoldEnded { .. }));
    events[at].entries[0].amount -= 1;
    at
}

fn more_is_taken_back_than_there_was(events: &mut [Event]) -> usize {
    let of_reversal = |event: &Event| matches!(&event.body, Body::Posted { reverses: Some(_), .. });
    let last = events.iter().rposition(of_reversal).unwrap();
    // Both entries, so that it balances; what follows no longer adds up either, but later.
    events[last].entries.iter_mut().for_each(|entry| entry.amount += 1);
    last
}

fn an_account_number_is_given_twice(events: &mut [Event]) -> usize {
    let opened: Vec<usize> =
        (0..events.len()).filter(|at| matches!(events[*at].body, Body::AccountOpened(_))).collect();
    let Body::AccountOpened(one) = events[opened[0]].body.clone() else { unreachable!() };
    let Body::AccountOpened(other) = &mut events[opened[1]].body else { unreachable!() };
    other.number = one.number;
    opened[1]
}

fn a_refusal_moves_money(events: &mut [Event]) -> usize {
    let at = first(events, |event| matches!(event.body, Body::Refused(_)));
    let mut entry = events[at - 1].entries[0];
    (entry.effect, entry.amount) = (Effect::Posted, 1);
    events[at].entries.push(entry);
    at
}

fn a_group_lacks_a_member(events: &mut [Event]) -> usize {
    let at = first(events, |event| event.in_group);
    events[at].in_group = false;
    at
}

fn time_goes_back(events: &mut [Event]) -> usize {
    let at = transfer(events);
    events[at].time = events[at - 1].time - 1;
    at
}

fn a_day_that_is_not_open(events: &mut [Event]) -> usize {
    let at = transfer(events);
    events[at].booking.0 -= 1;
    at
}

fn a_value_date_lies_too_far(events: &mut [Event]) -> usize {
    let at = transfer(events);
    events[at].value.0 += 367;
    at
}

fn a_name_has_another_number(events: &mut [Event]) -> usize {
    let at = first(events, |event| matches!(event.body, Body::Named { .. }));
    let Body::Named { id, .. } = &mut events[at].body else { unreachable!() };
    id.0 += 1;
    at
}

#[rstest]
#[case::nothing(no_change, &[])]
#[case::unbalanced(more_is_debited_than_credited, &["transactions", "balances", "trial_balance"])]
#[case::balance(a_balance_is_raised, &["balances"])]
#[case::version(a_version_is_skipped, &["history"])]
#[case::link(a_link_leads_elsewhere, &["history"])]
#[case::skip(a_skip_pointer_leads_elsewhere, &["history"])]
#[case::key(a_key_is_used_twice, &["keys"])]
#[case::hold_twice(a_hold_is_ended_twice, &["holds", "keys"])]
#[case::hold_less(a_hold_releases_less, &["holds"])]
#[case::reversal(more_is_taken_back_than_there_was, &["balances", "reversals"])]
#[case::number(an_account_number_is_given_twice, &["keys"])]
#[case::refusal(a_refusal_moves_money, &["transactions", "history", "balances", "trial_balance"])]
#[case::group(a_group_lacks_a_member, &["groups"])]
#[case::time(time_goes_back, &["days"])]
#[case::day(a_day_that_is_not_open, &["days"])]
#[case::value(a_value_date_lies_too_far, &["days"])]
#[case::name(a_name_has_another_number, &["names"])]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_sound_journal_is_found(
    #[case] change: fn(&mut [Event]) -> usize,
    #[case] expected: &[&str],
) {
    let mut at = 0;
    let dir = forge(false, |events| at = change(events)).await;
    let report = verify(dir.path()).await;
    assert_eq!(failed(&report), expected, "{:#?}", report.checks);
    if let Some(damage) = report.damage {
        let sequence = at as u64 + 1;
        assert_eq!(damage.sequence, Some(sequence), "{damage}");
        let place = places::find(dir.path(), sequence).unwrap().unwrap();
        assert_eq!((damage.segment, damage.offset), (Some(place.segment), Some(place.offset)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_files_that_lead_elsewhere_are_found() {
    let dir = forge(true, |events| {
        let at = transfer(events);
        events[at].key.0[3] ^= 1;
    })
    .await;
    let report = verify(dir.path()).await;
    assert_eq!(failed(&report), ["keys"], "{:#?}", report.checks);

    let dir = forge(true, |events| {
        let at = first(events, |event| event.reference() == Some("D-1"));
        let note = Note { reference: Some("D-2".into()), ..Note::default() };
        events[at].note = Some(note.into());
    })
    .await;
    let report = verify(dir.path()).await;
    assert_eq!(failed(&report), ["references"], "{:#?}", report.checks);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_cut_off_by_the_end_is_found() {
    let dir = forge(false, |events| {
        let member = first(events, |event| event.in_group);
        events.truncate(member + 1);
    })
    .await;
    let report = verify(dir.path()).await;
    assert_eq!(failed(&report), ["groups"], "{:#?}", report.checks);
}

/// A journal that lost its end is whole in itself; what was derived from it tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_is_shorter_than_its_key_files_is_found() {
    let dir = forge(true, |events| events.truncate(45)).await;
    let report = verify(dir.path()).await;
    assert!(failed(&report).contains(&"keys"), "{:#?}", report.checks);
}
