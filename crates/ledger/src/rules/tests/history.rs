//! What an event carries so that an account's history needs no index: version, link, skip pointer.

use super::World;
use crate::event::Event;
use crate::ids::Sequence;

fn world() -> World {
    let mut world = World::new();
    world.run(
        "
        open-day 2026-01-05
        open alice liability BDT overdraft 90000.00
        open bob liability BDT
        ",
    );
    world
}

#[test]
fn each_entry_names_the_event_before_it_on_its_account() {
    let mut world = world();
    world.run(
        "
        transfer alice bob 1.00 BDT
        change alice limit 80000.00
        hold alice 1.00 BDT to bob as H
        open carol liability BDT
        capture H
        post debit alice 1.00 BDT *2, credit bob 1.00 BDT, credit carol 1.00 BDT
        ",
    );
    for name in ["alice", "bob", "carol"] {
        let (id, account) = (world.id(name), world.account(name));
        let touching: Vec<&Event> =
            world.events.iter().filter(|event| event.entries.iter().any(|it| it.account == id)).collect();
        let mut previous = Sequence(0);
        for (version, event) in (1..).zip(&touching) {
            for entry in event.entries.iter().filter(|entry| entry.account == id) {
                assert_eq!(
                    (entry.previous, entry.version),
                    (previous, version),
                    "{name} at {}",
                    event.sequence
                );
            }
            previous = event.sequence;
        }
        assert_eq!((account.last, account.version), (previous, touching.len() as u64));
        assert_eq!(account.opened, touching[0].sequence);
    }
}

#[test]
fn skip_pointers_lead_64_and_4096_versions_back() {
    let mut world = world();
    for _ in 0..2_100 {
        world.run(
            "
            transfer alice bob 0.01 BDT
            transfer bob alice 0.01 BDT
            ",
        );
    }
    let alice = world.id("alice");
    let mut at_version = vec![Sequence(0)];
    for event in &world.events {
        for entry in event.entries.iter().filter(|entry| entry.account == alice) {
            assert_eq!(entry.version as usize, at_version.len());
            let distance = [4_096, 64].into_iter().find(|distance| entry.version.is_multiple_of(*distance));
            let expected =
                distance.map_or(Sequence(0), |distance| at_version[(entry.version - distance) as usize]);
            assert_eq!(entry.skip, expected, "at version {}", entry.version);
            at_version.push(event.sequence);
        }
    }
    assert!(at_version.len() > 4_200);
}

#[test]
fn an_entry_twice_on_one_account_is_one_step_of_its_history() {
    let mut world = world();
    for _ in 0..63 {
        world.run("post debit alice 0.01 BDT *2, credit bob 0.02 BDT");
    }
    let event = world.events.last().expect("posted");
    let alice: Vec<_> = event.entries.iter().filter(|entry| entry.account == world.id("alice")).collect();
    assert_eq!(alice.len(), 2);
    assert_eq!(
        (alice[0].version, alice[0].previous, alice[0].skip),
        (64, Sequence(event.sequence.0 - 1), Sequence(0))
    );
    assert_eq!((alice[1].version, alice[1].previous, alice[1].skip), (64, alice[0].previous, Sequence(0)));
    assert_eq!(alice[1].balance_after, alice[0].balance_after - 1);
}

/// A total is unsigned. An amount below zero wrapped it in a release build, and since the balance then came out
/// as the entry said, nobody noticed.
#[test]
#[should_panic(expected = "amount on account 1")]
fn an_amount_below_zero_is_never_folded_in() {
    let mut world = world();
    world.run("transfer alice bob 1.00 BDT");
    let mut event = world.events.last().expect("posted").clone();
    event.sequence = event.sequence.next();
    for entry in &mut event.entries {
        entry.balance_after += 2 * (entry.balance_after.signum()) * -entry.amount;
        (entry.previous, entry.version) = (world.state.head(), entry.version + 1);
        entry.amount = -entry.amount;
    }
    world.state.apply(&event);
}
