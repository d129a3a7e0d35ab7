//! Clients that go away in the middle.

use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::common::Server;
use crate::peer::{Peer, Who};

/// How many go away.
const TIMES: usize = 1_000;

/// Wherever a request is cut, it counts wholly or not at all, its key says which, and its connection is given up.
#[test]
fn a_thousand_clients_vanish_and_each_request_is_whole_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--demo"]);
    let who = Who::teller(&server, folder.path());
    let before = who.balance();
    let key = |index: usize| format!("vanished-{index}");
    for index in 0..TIMES {
        let request = who.deposit(&key(index));
        // A step that shares nothing with the length: every place is met, the end included.
        let cut = request.len() - index * 7 % request.len();
        let mut peer = Peer::connect(&who.address);
        peer.stream.write_all(&request[..cut]).unwrap();
    }
    let begun = Instant::now();
    while open_connections(&server) > 1.0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody holds a place any more");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut peer = Peer::connect(&who.address);
    let mut counted = 0;
    for index in 0..TIMES {
        let path = format!("/api/v1/idempotency/{}", key(index));
        let asked = peer.ask(&who.question(&path)).expect("an answer");
        let whole = index * 7 % who.deposit(&key(index)).len() == 0;
        match asked.status {
            200 => counted += u64::from(asked.body["status"] == "posted"),
            404 => {}
            _ => panic!("{asked:?}"),
        }
        assert!(whole || asked.status == 404, "a part of a request was taken for one: {asked:?}");
    }
    assert_eq!(who.balance() - before, counted);
    drop(peer);
    assert!(server.stop());
}

/// As the metrics say, the connection that asks included.
fn open_connections(server: &Server) -> f64 {
    let text = metrics(server);
    let line = text.lines().find_map(|line| line.strip_prefix("bankcore_connections ")).expect("a figure");
    line.parse().expect("a number")
}

fn metrics(server: &Server) -> String {
    use std::io::Read as _;
    let mut peer = Peer::connect(&server.address);
    peer.stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    peer.stream.read_to_string(&mut text).unwrap();
    text
}
