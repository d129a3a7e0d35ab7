//! The server is killed under load, again and again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use bank::store::mysql::Settings;
use sim::auditor::Told;
use sim::server::MariaDb;

use super::bank::{Running, fresh, furnish, insist_on, prove, sums_hold, transfer};

const KILLS: u32 = 20;
const CLIENTS: usize = 4;
/// Answers since the last kill that are load.
const LOAD: usize = 8;

#[test]
fn killed_twenty_times_under_load_everything_acknowledged_is_there_once() {
    let server = MariaDb::start();
    let database = server.migrated();
    let settings = Settings { patience: Duration::from_secs(3), ..database.settings() };
    let bank = Running::open(&settings);
    let [_, alice, bob] = furnish(&bank.books, 1 << 40);
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let told: Vec<Told> = std::thread::scope(|scope| {
        let (stop, answered, books) = (&stop, &answered, &bank.books);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || {
                    let mut told = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let request = transfer(alice, bob, 1, &format!("{client} {}", told.len()));
                        // Whether anybody hears of a kill depends on how soon the server is back.
                        match insist_on(books, &request).0 {
                            bank::books::Decided::Accepted { event, .. } => {
                                told.push(Told::Happened(vec![event]));
                                answered.fetch_add(1, Ordering::Relaxed);
                            }
                            other => panic!("{other:?}"),
                        }
                    }
                    told
                })
            })
            .collect();
        for kill in 0..KILLS {
            // Every other one under load, however long the clients take to come back.
            let before = answered.load(Ordering::Relaxed);
            let loaded = || {
                answered.load(Ordering::Relaxed) >= before + LOAD
                    || clients.iter().any(ScopedJoinHandle::is_finished)
            };
            while kill % 2 == 0 && !loaded() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(40 + u64::from(kill * 7 % 20)));
            server.kill();
            server.run();
        }
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    });
    let (writing, reads) = bank.stop();
    prove(&*reads, writing.state(), &told);
    let moved = writing.state().account(bob).expect("there").ledger_balance();
    assert_eq!(moved, told.len() as i128, "each was answered, and posted once");
    assert!(told.len() >= KILLS as usize / 2 * LOAD, "there was load: {} transfers", told.len());
    sums_hold(&database, &server);
    let again = bank::store::mysql::open(&settings, &fresh()).expect("a healthy server");
    assert!(again.writing.state() == writing.state(), "in memory and in the tables");
}
