//! Ten thousand connections of rubbish, and the memory that they take.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::Server;
use crate::peer::{Peer, Who};

/// Connections, and how many at a time.
const CONNECTIONS: usize = 10_000;
const AT_A_TIME: usize = 32;

/// Largest memory of the process, in MiB: several times what it takes, a fraction of what the rubbish holds.
const MEMORY_MAX: u64 = 512;

/// Every limit is met from above: the head's bytes, the body's (announced, and found out on the way), the depth and
/// form of JSON, and what is no HTTP at all. Each is refused with its status or the end of the connection, and the
/// memory stays what it was.
/// A body that announced more than any may have was waited for half a minute before it was refused.
#[test]
fn rubbish_is_refused_and_takes_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--demo"]);
    let who = Who::teller(&server, folder.path());
    let before = who.balance();
    let kinds = kinds(&who);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= CONNECTIONS {
                        break;
                    }
                    let (rubbish, statuses) =
                        &kinds[if index.is_multiple_of(100) { 0 } else { 1 + index % (kinds.len() - 1) }];
                    let mut peer = Peer::connect(&who.address);
                    // It may be refused before all of it was sent.
                    let _ = peer.stream.write_all(rubbish);
                    if let Some(said) = peer.answer() {
                        assert!(statuses.contains(&said.status), "{said:?}, not {statuses:?}");
                    }
                }
            });
        }
    });
    assert_eq!(who.balance(), before);
    let peak = peak_mib(&server);
    eprintln!("{CONNECTIONS} connections of rubbish: {peak} MiB at most");
    assert!(peak < MEMORY_MAX, "{peak} MiB");
    let said = Peer::connect(&who.address).ask(&who.deposit("well")).expect("an answer");
    assert_eq!(said.status, 201, "{said:?}");
    assert!(server.stop());
}

/// Requests that are none, and the statuses that may be said to each. The first one is large.
fn kinds(who: &Who) -> Vec<(Vec<u8>, &'static [u16])> {
    let head = |more: &str| {
        format!(
            "POST /api/v1/banker/deposits HTTP/1.1\r\nHost: b\r\nAuthorization: Bearer {}\r\nIdempotency-Key: k\r\n\
             Content-Type: application/json\r\n{more}\r\n",
            who.token
        )
    };
    let body = |text: &str| (head(&format!("Content-Length: {}\r\n", text.len())) + text).into_bytes();
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
    let deep = "[".repeat(100_000);
    let wide = format!("{{\"account_id\":{}", "[1],".repeat(20_000));
    vec![
        ((head("Transfer-Encoding: chunked\r\n") + &chunk.repeat(5)).into_bytes(), &[413]),
        // Within what is read of a head: an odd request that is whole, and refused for what it says.
        (head(&format!("X: {}\r\n", "x".repeat(30_000))).into_bytes(), &[400]),
        (head(&format!("X: {}\r\n", "x".repeat(1_000_000))).into_bytes(), &[431]),
        (head(&"X: x\r\n".repeat(5_000)).into_bytes(), &[431]),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000)).into_bytes(), &[414, 431]),
        (head("Content-Length: 1000000000\r\n").into_bytes(), &[413]),
        (head("Content-Length: many\r\n").into_bytes(), &[400]),
        (body(&deep), &[400]),
        (body(&format!("{{\"account_id\":{deep}")), &[400]),
        (body(&wide), &[400]),
        (vec![0xff; 100_000], &[400, 431]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(100), &[400]),
    ]
}

fn peak_mib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib / 1_024
}
