//! The real binary under load, killed at random moments, started again, and held to its word.
//!
//! Clients note what they were told; a small model adds up what that means. After each kill:
//! acknowledged ⇒ there, once, as it was told; refused ⇒ absent; unanswered ⇒ decided by asking with the same
//! key. At the end the balances are the model's, and `bankcore verify` proves the folder.
//!
//! `KILLS=1000 cargo test --release -p bankcore --test kill` makes it a long one.

mod bank;
mod client;
mod ledger;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bank::Bank;
use client::Client;
use ledger::{Books, Intent, Told};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Clients at a time.
const CLIENTS: u64 = 6;

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let kills: u64 = std::env::var("KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let mut random = StdRng::seed_from_u64(7);
    let mut bank = Bank::start();
    let mut books = Books::new(bank.demo());
    for round in 0..kills {
        let told = load(&bank, &books, round, Duration::from_millis(random.random_range(20..400)));
        bank.kill();
        bank.restart();
        let mut client = Client::connect(bank.address());
        for (intent, told) in told {
            // What got no answer is asked for by key, and sent again if nothing was decided.
            let told = match told {
                Told::Nothing => intent.resolve(&mut client, books.teller()),
                told => told,
            };
            intent.check(&mut client, books.teller(), &told);
            books.fold(&intent, &told);
        }
        books.compare(&mut client);
    }
    let acknowledged = books.posted();
    assert!(acknowledged > kills, "the load did something: {acknowledged}");
    bank.kill();
    bank.verify();
    eprintln!("{kills} kills, {acknowledged} posted, {} refused: none lost, none double", books.refused());
}

/// Sends until the process is gone: each client one request after the other.
fn load(bank: &Bank, books: &Books, round: u64, time: Duration) -> Vec<(Intent, Told)> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|index| {
                let (stop, address) = (&stop, bank.address());
                scope.spawn(move || {
                    let mut random = StdRng::seed_from_u64(round * CLIENTS + index);
                    let mut client = Client::connect(address);
                    let mut told = Vec::new();
                    for number in 0.. {
                        let key = format!("kill-{round}-{index}-{number}");
                        let intent = Intent::draw(&mut random, books, key);
                        let answer = intent.send(&mut client, books.teller());
                        let gone = answer == Told::Nothing;
                        told.push((intent, answer));
                        if gone || stop.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                    told
                })
            })
            .collect();
        std::thread::sleep(time);
        bank.signal_kill();
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().expect("a client ends")).collect()
    })
}
