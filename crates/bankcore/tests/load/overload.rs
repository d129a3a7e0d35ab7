//! Many more requests in flight than the queue takes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::common::{Server, json};
use crate::peer::{Peer, Who};

/// So many commands may wait.
const QUEUE: &str = "16";

/// So many clients are busy without being too many for it, and so many are.
const FEW: usize = 16;
const MANY: usize = 300;

/// How long each of the two is kept up.
const TIME: Duration = Duration::from_secs(3);

/// Every answer is yes, or not now with a time; every yes counts once; and those who are turned away do not keep the
/// others from being served.
#[test]
fn too_many_at_once_are_told_so_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--demo", "--queue-submissions", QUEUE]);
    let who = Who::teller(&server, folder.path());
    let before = who.balance();
    let (few, few_a_second) = load(&who, "few", FEW);
    let (many, many_a_second) = load(&who, "many", MANY);
    for (status, _) in few.keys().chain(many.keys()) {
        assert!([201, 429, 503].contains(status), "{few:?} {many:?}");
    }
    let told = |(status, retry_after): &(u16, bool)| *status == 201 || *retry_after;
    assert!(few.keys().chain(many.keys()).all(told), "not now, and when: {few:?} {many:?}");
    assert!(many.contains_key(&(503, true)), "it was too much: {many:?}");
    let yes = |answers: &BTreeMap<(u16, bool), u64>| answers.get(&(201, false)).copied().unwrap_or(0);
    assert!(yes(&many) > 0, "{many:?}");
    assert_eq!(who.balance() - before, yes(&few) + yes(&many), "each yes counts once, and nothing else does");
    assert!(server.stop());
    assert_eq!(json(folder.path(), &["verify"])["ok"], true);
    eprintln!(
        "{FEW} clients: {few_a_second:.0} a second {few:?}; {MANY} clients with room for {QUEUE}: \
         {many_a_second:.0} a second {many:?}; goodput {:.0} %",
        100.0 * many_a_second / few_a_second
    );
}

/// So many clients, each one request after the other, each under a key of its own. Status and whether a time to come
/// back was named, with how often; and how many a second were done.
fn load(who: &Who, name: &str, clients: usize) -> (BTreeMap<(u16, bool), u64>, f64) {
    let stop = AtomicBool::new(false);
    let begun = Instant::now();
    let mut answers = BTreeMap::new();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|client| {
                let stop = &stop;
                scope.spawn(move || {
                    let mut peer = Peer::connect(&who.address);
                    let mut told = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let key = format!("{name}-{client}-{}", told.len());
                        let said = peer.ask(&who.deposit(&key)).expect("every request has an answer");
                        told.push((said.status, said.retry_after));
                    }
                    told
                })
            })
            .collect();
        std::thread::sleep(TIME);
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            for told in client.join().expect("a client ends") {
                *answers.entry(told).or_insert(0) += 1;
            }
        }
    });
    let done = answers.get(&(201, false)).copied().unwrap_or(0);
    (answers, done as f64 / begun.elapsed().as_secs_f64())
}
