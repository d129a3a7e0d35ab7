//! Moving house with everything under way: payments that are out in both modes, promises in doubt, events to deliver.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use sim::server::MariaDb;

use crate::bank::{Bank, free_port};
use crate::receiver::Receiver;
use crate::{Money, PATIENCE, end_well, line};

/// Payments each way: half of them in two phases.
const PAYMENTS: usize = 4;

#[test]
fn what_is_under_way_goes_on_after_a_move_into_a_database_and_back_into_a_folder() {
    let (here, there) = (free_port(), free_port());
    let database = MariaDb::shared().empty();
    let (mut bank, mut other) = (Bank::start(&here, None), Bank::start(&there, None));
    let (uncommitted, cut) = line::without(&here, "\"commit\"");
    bank.pair(&there);
    other.pair(&uncommitted);
    let before = [Money::of(&bank), Money::of(&other)];
    let receiver = Receiver::start();
    bank.subscribe(&receiver.url());

    // The other bank has two payments prepared here and cannot say that they are committed; then it is gone, and what is
    // paid from here does not arrive.
    for number in 0..PAYMENTS {
        other.payer().pay(number, &bank.bob()).expect("a payment");
    }
    let begun = std::time::Instant::now();
    while bank.in_doubt().iter().filter(|promise| promise["state"] == "prepared").count() < PAYMENTS / 2 {
        assert!(begun.elapsed() < PATIENCE, "{:#?}", bank.in_doubt());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let to = other.bob();
    other.stop();
    for number in 0..PAYMENTS {
        bank.payer().pay(number, &to).expect("a payment");
    }
    for home in [Some(database.url.as_str()), None] {
        bank.move_to(home);
        let out = bank.payments();
        assert_eq!(out.len(), PAYMENTS);
        assert!(out.iter().all(|payment| !crate::is_over(payment)), "{out:#?}");
        assert_eq!(bank.in_doubt().len(), PAYMENTS / 2);
        bank.deposit_again(if home.is_some() { "in the database" } else { "in the folder" });
        bank.delivered();
    }
    cut.store(false, Ordering::Relaxed);
    other.restart();
    let before = [before[0].with_deposits(2), before[1]];
    let head = {
        crate::ended(&bank, PAYMENTS);
        crate::ended(&other, PAYMENTS);
        bank.delivered()
    };
    end_well(&mut bank, &mut other, &before, PAYMENTS);
    let got = receiver.got();
    let seen: HashSet<u64> = got
        .iter()
        .map(|event| event["sequence"].as_str().expect("a number").parse().expect("a number"))
        .collect();
    let missing: Vec<u64> = (1..=head).filter(|sequence| !seen.contains(sequence)).collect();
    assert_eq!(missing, Vec::<u64>::new(), "of {head}");
}
