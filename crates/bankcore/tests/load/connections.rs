//! Places for connections: counted, given up by those who do not use theirs, and never taken from the others.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::common::Server;
use crate::peer::{Peer, Who};

/// With 96 files there are 32 places: 64 are for the bank itself. Half of 64 were too few for it once, and the last who was
/// let in waited for ever.
const FEW_FILES: [&str; 4] = ["sh", "-c", r#"ulimit -n 96 && exec "$@""#, "sh"];
const PLACES: usize = 32;

#[test]
fn one_connection_too_many_is_closed_at_once_and_no_other_notices() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_under(&FEW_FILES, folder.path(), &["--demo"]);
    let who = Who::teller(&server, folder.path());
    let mut seated: Vec<Peer> = (0..PLACES).map(|_| Peer::connect(&who.address)).collect();
    for (index, peer) in seated.iter_mut().enumerate() {
        let said = peer.ask(&who.deposit(&format!("seated-{index}"))).expect("an answer");
        assert_eq!(said.status, 201, "{said:?}");
    }
    for _ in 0..100 {
        let begun = Instant::now();
        assert!(Peer::connect(&who.address).ended(), "no place, no word");
        assert!(begun.elapsed() < Duration::from_secs(5), "told at once");
    }
    for (index, peer) in seated.iter_mut().enumerate() {
        let said = peer.ask(&who.deposit(&format!("still-{index}"))).expect("an answer");
        assert_eq!(said.status, 201, "{said:?}");
    }
    // A place that is given up is taken by the next who comes.
    drop(seated.pop());
    let begun = Instant::now();
    let said = loop {
        if let Some(said) = Peer::connect(&who.address).ask(&who.deposit("next")) {
            break said;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "a place is free");
    };
    assert_eq!(said.status, 201, "{said:?}");
    drop(seated);
    assert!(server.stop());
}

/// A head within ten seconds, a body within thirty; whoever sends letter by letter is let go, and the others are
/// answered all the while.
#[test]
fn whoever_is_slow_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--demo"]);
    let who = Who::teller(&server, folder.path());
    let request = who.deposit("slow");
    let body = request.len() - 20;
    let (mut heads, mut bodies): (Vec<_>, Vec<_>) =
        (0..40).map(|_| (Peer::connect(&who.address), Peer::connect(&who.address))).unzip();
    for peer in &mut bodies {
        peer.stream.write_all(&request[..body]).unwrap();
    }
    let begun = Instant::now();
    let mut others = Peer::connect(&who.address);
    for (count, letter) in request.iter().enumerate() {
        heads.retain_mut(|peer| peer.stream.write_all(&[*letter]).is_ok());
        if heads.is_empty() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(25), "{} slow heads are still there", heads.len());
        let said = others.ask(&who.deposit(&format!("other-{count}"))).expect("an answer");
        assert_eq!(said.status, 201, "{said:?}");
        std::thread::sleep(Duration::from_millis(250));
    }
    assert!(heads.is_empty());
    for peer in &mut bodies {
        let said = peer.answer().expect("told why");
        assert_eq!((said.status, said.body["code"].as_str()), (408, Some("body_too_slow")));
    }
    let asked = others.ask(&who.question("/api/v1/idempotency/slow")).expect("an answer");
    assert_eq!(asked.status, 404, "half a request is none: {asked:?}");
    drop((others, bodies));
    assert!(server.stop());
}
