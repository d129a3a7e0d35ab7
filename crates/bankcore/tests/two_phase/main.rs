//! Two banks that pay each other, in both modes over one rail, while both are killed again and again.
//!
//! The real binary twice, the books of one in a folder, those of the other in MariaDB. Each is the coordinator of what
//! its own customer pays in two phases and the participant of what the other's does; and each is the other's rail for
//! what is handed over as a saga. Both die by SIGKILL at any moment, and answers are lost between them. At the end: every
//! payment was made once or not at all, by both banks alike; the two clearing accounts mirror each other to the unit, and
//! so do the two nostros; nothing is prepared any more, nothing in doubt; and `verify` finds nothing.
//!
//! `PAYMENTS=1000 KILLS=50 cargo test -p bankcore --test two_phase` makes it a long one.

mod bank;
#[path = "../common/mod.rs"]
mod common;
mod line;
mod moving;
#[allow(dead_code, reason = "the outbox's test uses all of it")]
#[path = "../outbox/receiver.rs"]
mod receiver;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bank::{Bank, free_port};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use sim::server::MariaDb;

/// Longer than a payment takes through all its questions, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(300);

fn size(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn both_banks_make_a_payment_or_neither_does_whoever_is_killed() {
    let (payments, kills) = (size("PAYMENTS", 50), size("KILLS", 16));
    let mut random = StdRng::seed_from_u64(12);
    let (here, there) = (free_port(), free_port());
    let database = MariaDb::shared().migrated();
    let mut folder = Bank::start(&here, None);
    let mut server = Bank::start(&there, Some(&database.url));
    folder.pair(&line::to(&there, random.random()));
    server.pair(&line::to(&here, random.random()));
    let before = [Money::of(&folder), Money::of(&server)];

    std::thread::scope(|scope| {
        for (payer, to) in [(folder.payer(), server.bob()), (server.payer(), folder.bob())] {
            let mut random = StdRng::seed_from_u64(random.random());
            scope.spawn(move || {
                for number in 0..payments {
                    std::thread::sleep(Duration::from_millis(random.random_range(0..800)));
                    // Asked for until it is answered: the same key is the same payment.
                    let id = loop {
                        match payer.pay(number, &to) {
                            Some(id) => break id,
                            None => std::thread::sleep(Duration::from_millis(50)),
                        }
                    };
                    if number % 5 == 4 {
                        std::thread::sleep(Duration::from_millis(random.random_range(0..60)));
                        payer.cancel(&id);
                    }
                }
            });
        }
        for kill in 0..kills {
            std::thread::sleep(Duration::from_millis(random.random_range(200..1_200)));
            let victim = if kill % 2 == 0 { &server } else { &folder };
            victim.kill();
            std::thread::sleep(Duration::from_millis(random.random_range(0..300)));
            victim.restart();
        }
    });

    let (ours, theirs) = end_well(&mut folder, &mut server, &before, payments);
    let count = |all: &[Value]| all.iter().filter(|payment| payment["state"] == "settled").count();
    eprintln!("{payments} payments each way, {kills} kills: {} and {} settled", count(&ours), count(&theirs));
}

/// One bank's database is set back to before half of the payments, its books and the other bank are not.
#[test]
fn a_bank_database_that_was_set_back_loses_no_leg_of_either_bank() {
    let payments = size("PAYMENTS", 24);
    let (here, there) = (free_port(), free_port());
    let (mut folder, mut other) = (Bank::start(&here, None), Bank::start(&there, None));
    folder.pair(&line::to(&there, 5));
    other.pair(&line::to(&here, 6));
    let before = [Money::of(&folder), Money::of(&other)];
    let pay = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            for (payer, to) in [(folder.payer(), other.bob()), (other.payer(), folder.bob())] {
                assert!(payer.pay(number, &to).is_some());
            }
        }
    };
    pay(0..payments / 2);
    let kept = folder.keep_database();
    pay(payments / 2..payments);
    folder.set_back(&kept);
    end_well(&mut folder, &mut other, &before, payments);
}

/// Waits until every payment is at an end; then both banks have done the same, and `verify` finds nothing.
fn end_well(
    folder: &mut Bank,
    server: &mut Bank,
    before: &[Money; 2],
    payments: usize,
) -> (Vec<Value>, Vec<Value>) {
    let [ours, theirs] = [&*folder, &*server].map(|bank| ended(bank, payments));
    let (there, back) = (Settled::of(&ours, server), Settled::of(&theirs, folder));
    for (bank, before, out, come) in
        [(&*folder, &before[0], &there, &back), (&*server, &before[1], &back, &there)]
    {
        let expected = Money {
            alice: before.alice - out.prepared - out.handed_over,
            bob: before.bob + come.prepared + come.handed_over,
            // What we owe the other bank is what was paid there: the other one's mirrors it.
            clearing: before.clearing + out.prepared - come.prepared,
            nostro: before.nostro - out.handed_over + come.handed_over,
        };
        assert_eq!(Money::of(bank), expected);
        assert_eq!(bank.held("alice_savings"), 0, "nothing is prepared any more");
        assert_eq!(bank.in_doubt(), Vec::<Value>::new());
    }
    for bank in [folder, server] {
        bank.stop();
        bank.verify();
    }
    (ours, theirs)
}

/// Waits until every payment of a bank is at an end.
fn ended(bank: &Bank, payments: usize) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let all = bank.payments();
        assert!(all.len() <= payments, "a payment was made twice: {}", all.len());
        if all.len() == payments && all.iter().all(is_over) && bank.in_doubt().is_empty() {
            return all;
        }
        let open: Vec<_> = all.iter().filter(|payment| !is_over(payment)).collect();
        assert!(start.elapsed() < PATIENCE, "{} do not end, for instance {:#?}", open.len(), open.first());
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn is_over(payment: &Value) -> bool {
    ["settled", "reversed", "refused"].iter().any(|end| payment["state"] == *end)
}

/// Ledger balances, in minor units.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Money {
    alice: i64,
    bob: i64,
    clearing: i64,
    nostro: i64,
}

impl Money {
    fn of(bank: &Bank) -> Money {
        Money {
            alice: bank.balance("alice_savings"),
            bob: bank.balance("bob_savings"),
            clearing: bank.balance("clearing"),
            nostro: bank.balance("nostro"),
        }
    }

    /// After so many more deposits of 1.00 by Alice.
    fn with_deposits(self, count: i64) -> Money {
        Money { alice: self.alice + count * 100, ..self }
    }
}

/// What one bank paid the other, in minor units, by mode.
struct Settled {
    prepared: i64,
    handed_over: i64,
}

impl Settled {
    /// The other bank has done the same with each payment, once.
    fn of(payments: &[Value], other: &Bank) -> Settled {
        let promises: HashMap<String, Value> = other
            .promises()
            .into_iter()
            .map(|promise| (promise["reference"].as_str().expect("a reference").to_owned(), promise))
            .collect();
        let credits = other.credits();
        let mut sums = Settled { prepared: 0, handed_over: 0 };
        for payment in payments {
            let reference = payment["rail_reference"].as_str().expect("a reference");
            let settled = payment["state"] == "settled";
            let credited = credits.get(reference).copied().unwrap_or(0);
            assert_eq!(credited, usize::from(settled), "{payment:#}");
            if payment["mode"] == "saga" {
                sums.handed_over += if settled { minor(payment) } else { 0 };
                continue;
            }
            let promise = promises.get(reference);
            let committed = promise.is_some_and(|promise| promise["state"] == "committed");
            assert_eq!(settled, committed, "{payment:#} but {promise:#?}");
            if committed {
                assert_eq!(promise.expect("it is committed")["amount"], payment["amount"]);
                sums.prepared += minor(payment);
            }
        }
        assert!(sums.prepared > 0 && sums.handed_over > 0, "something was paid in each mode");
        sums
    }
}

fn minor(payment: &Value) -> i64 {
    payment["amount"].as_str().expect("text").replace('.', "").parse().expect("digits")
}
