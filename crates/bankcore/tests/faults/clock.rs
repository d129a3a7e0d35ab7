//! A clock that jumps a year ahead under a running server.

use std::fs;
use std::path::PathBuf;

use crate::common::{Server, json, run};
use crate::teller::{Teller, problem};

/// The library that moves the clock of one process.
fn library() -> PathBuf {
    let places = fs::read_dir("/usr/lib").expect("libraries").map_while(Result::ok);
    let mut found = places.map(|place| place.path().join("faketime/libfaketimeMT.so.1"));
    found.find(|path| path.exists()).expect("libfaketime is there (the Debian package faketime)")
}

#[test]
fn a_year_ahead_stops_writing_until_somebody_has_looked() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, hands) = (folder.path().join("bank"), folder.path().join("clock"));
    fs::write(&hands, "+0").unwrap();
    let words = [
        "env",
        &format!("LD_PRELOAD={}", library().display()),
        &format!("FAKETIME_TIMESTAMP_FILE={}", hands.display()),
        "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ];
    let server = Server::start_under(&words, &dir, &["--demo", "--business-day", "manual"]);
    let teller = Teller::at(&server, &dir);
    let first = teller.deposit("first");
    assert_eq!(first.status, 201, "{first:?}");

    fs::write(&hands, "+365d").unwrap();
    let refused = teller.deposit("second");
    assert_eq!((problem(&refused), refused.retry_after), ((503, "clock_jumped"), Some(30)));
    assert_eq!(problem(&teller.get("/api/v1/ready")), (503, "clock_jumped"));
    for view in teller.views().iter().filter(|view| !view.ends_with("/ready")) {
        assert_eq!(teller.get(view).status, 200, "{view}");
    }
    let again = teller.deposit("first");
    assert_eq!((again.status, again.replayed, &again.body), (201, true, &first.body));

    // A clock that is put right goes on by itself; one that is right already is confirmed.
    fs::write(&hands, "+0").unwrap();
    assert_eq!(teller.deposit("second").status, 201);
    fs::write(&hands, "+365d").unwrap();
    assert_eq!(problem(&teller.deposit("third")), (503, "clock_jumped"));
    assert!(run(&dir, &["clock", "confirm"]).status.success());
    let third = teller.deposit("third");
    assert_eq!((third.status, third.replayed), (201, false), "{third:?}");
    let year = |answer: &crate::common::Answer| -> u16 {
        answer.body["posted_at"].as_str().unwrap()[..4].parse().unwrap()
    };
    assert_eq!(year(&third), year(&first) + 1);
    assert_eq!(teller.balance().body["ledger_balance"], "3.00");
    assert!(server.stop());
    assert_eq!(json(&dir, &["verify"])["ok"], true);
}
