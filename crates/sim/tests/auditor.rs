//! An auditor that finds nothing is worth nothing: here the history lies, one small lie at a time, and is found out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bank::store::memory;
use ledger::{Digest, Event, Sequence};
use sim::auditor::{self, Told};
use sim::desk::{Desk, Settings};
use sim::model::{Ask, Model};
use sim::time::SimClock;
use sim::workload::Workload;

/// A sound history of a busy day.
fn a_history() -> Vec<Event> {
    let (store, reads) = memory::open();
    let (clock, reads) = (SimClock::default(), std::sync::Arc::new(reads));
    let mut desk = Desk::new(store, reads.clone(), clock.clone(), &Settings::default(), |_| ());
    let mut model = Model::new((0, 1));
    model.fold(&(&auditor::history(&*reads)[0]).into(), None);
    let mut workload = Workload::new(3);
    while model.head() < 300 {
        clock.pass(1_000);
        let ask = workload.next(&model, clock.now());
        model.expire(clock.now());
        model.expect(&ask, clock.now());
        match ask {
            Ask::One(request) => drop(desk.ask(|books| async move { books.submit(request).await })),
            Ask::Many(requests) => drop(desk.ask(|books| async move { books.submit_all(requests).await })),
            Ask::Group { header, members } => {
                drop(desk.ask(|books| async move { books.submit_group(header, members).await }));
            }
            Ask::Name(kind, text) => drop(desk.ask(|books| async move { books.intern(kind, &text).await })),
        }
    }
    auditor::history(&*reads)
}

fn is_found(history: &[Event]) -> bool {
    catch_unwind(AssertUnwindSafe(|| drop(auditor::audit(history)))).is_err()
}

#[test]
fn a_sound_history_passes() {
    assert!(!is_found(&a_history()));
}

#[test]
fn every_small_lie_about_a_transaction_is_found() {
    let sound = a_history();
    type Lie = fn(&mut Event);
    let lies: [(&str, Lie); 6] = [
        ("an amount", |event| event.entries[0].amount += 1),
        ("a balance", |event| event.entries[1].balance_after += 1),
        ("a side", |event| event.entries[0].side = event.entries[0].side.opposite()),
        ("a version", |event| event.entries[0].version += 1),
        ("a link", |event| event.entries[0].previous = Sequence(1)),
        ("a lost leg", |event| event.entries.truncate(event.entries.len() - 1)),
    ];
    for (what, lie) in lies {
        for index in 0..sound.len() {
            if sound[index].transaction().is_some() {
                let mut history = sound.clone();
                lie(&mut history[index]);
                assert!(is_found(&history), "{what} in event {}", index + 1);
            }
        }
    }
}

#[test]
fn an_event_that_is_missing_doubled_or_moved_is_found() {
    let sound = a_history();
    for index in 1..sound.len() - 1 {
        let without: Vec<Event> = [&sound[..index], &sound[index + 1..]].concat();
        assert!(is_found(&without), "event {} is missing", index + 1);
        let twice: Vec<Event> = [&sound[..=index], &sound[index..]].concat();
        assert!(is_found(&twice), "event {} is there twice", index + 1);
    }
}

#[test]
fn a_key_that_two_events_use_is_found() {
    let mut history = a_history();
    let keyed: Vec<usize> = (0..history.len()).filter(|index| !history[*index].key.is_none()).collect();
    history[keyed[5]].key = history[keyed[2]].key;
    assert!(is_found(&history));
}

#[test]
fn what_was_told_and_is_not_so_is_found() {
    let history = a_history();
    let model = auditor::audit(&history);
    let check = |told: Told| {
        catch_unwind(AssertUnwindSafe(|| auditor::acknowledged(&[told], &history, &model))).is_err()
    };
    assert!(!check(Told::Happened(vec![history[20].clone()])));
    let mut other = history[20].clone();
    other.time += 1;
    assert!(check(Told::Happened(vec![other])), "another event than the one that was acknowledged");
    let mut lost = history.last().unwrap().clone();
    lost.sequence = lost.sequence.next();
    assert!(check(Told::Happened(vec![lost])), "an acknowledged event that is not there");
    let used = history.iter().find(|event| !event.key.is_none()).unwrap();
    assert!(check(Told::Absent(used.key, used.sequence)), "a key that was said to be unused");
    assert!(!check(Told::Absent(Digest::of_number("never"), Sequence(300))));
}
