//! The server is killed under load, again and again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bank::store::mysql::Settings;
use sim::auditor::Told;
use sim::server::MariaDb;

use super::bank::{Running, fresh, furnish, insist_on, prove, sums_hold, transfer};

const KILLS: u32 = 20;
const CLIENTS: usize = 4;

#[test]
fn killed_twenty_times_under_load_everything_acknowledged_is_there_once() {
    let server = MariaDb::start();
    let database = server.migrated();
    let settings = Settings { patience: Duration::from_secs(3), ..database.settings() };
    let bank = Running::open(&settings);
    let [_, alice, bob] = furnish(&bank.books, 1 << 40);
    let stop = AtomicBool::new(false);
    let told: Vec<Told> = std::thread::scope(|scope| {
        let (stop, books) = (&stop, &bank.books);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || {
                    let mut told = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let request = transfer(alice, bob, 1, &format!("{client} {}", told.len()));
                        // Whether anybody hears of a kill depends on how soon the server is back.
                        match insist_on(books, &request).0 {
                            bank::books::Decided::Accepted { event, .. } => {
                                told.push(Told::Happened(vec![event]))
                            }
                            other => panic!("{other:?}"),
                        }
                    }
                    told
                })
            })
            .collect();
        for kill in 0..KILLS {
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
    assert!(told.len() > KILLS as usize, "there was load: {} transfers", told.len());
    sums_hold(&database, &server);
    let again = bank::store::mysql::open(&settings, &fresh()).expect("a healthy server");
    assert!(again.writing.state() == writing.state(), "in memory and in the tables");
}
