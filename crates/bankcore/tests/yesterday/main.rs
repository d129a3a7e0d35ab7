//! Yesterday's files open today. The folder `v1` was made once (`crates/bank/examples/yesterday.rs`) by the binary
//! that first wrote this format, and is never made anew: a bank cannot be asked to.

#[path = "../common/mod.rs"]
mod common;

use std::io::Read as _;
use std::path::Path;

use common::{Server, bankcore, get, http, json, refusal};
use serde_json::Value;
use tempfile::TempDir;

/// The bank of yesterday, unpacked, and what it said of itself.
fn yesterday() -> (TempDir, Value) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/yesterday/v1");
    let dir = tempfile::tempdir().expect("a folder");
    unpack(&from, dir.path());
    let expected = std::fs::read(from.join("expected.json")).expect("what it said");
    (dir, serde_json::from_slice(&expected).expect("JSON"))
}

fn unpack(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the fixture").map(Result::unwrap) {
        let name = entry.file_name().into_string().expect("a name");
        if entry.path().is_dir() {
            unpack(&entry.path(), &to.join(name));
        } else if let Some(name) = name.strip_suffix(".gz") {
            let packed = std::fs::File::open(entry.path()).expect("a file");
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("unpacked");
            std::fs::write(to.join(name), bytes).expect("written");
        }
    }
}

/// Everything that was said is still said; there may be more of it.
#[track_caller]
fn assert_still_says(now: &Value, then: &Value, place: &str) {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            for (name, then) in then {
                assert_still_says(now.get(name).unwrap_or(&Value::Null), then, &format!("{place}.{name}"));
            }
        }
        (Value::Array(now), Value::Array(then)) => {
            assert!(now.len() >= then.len(), "{place} has lost something");
            for (at, (now, then)) in now.iter().zip(then).enumerate() {
                assert_still_says(now, then, &format!("{place}[{at}]"));
            }
        }
        _ => assert_eq!(now, then, "{place}"),
    }
}

fn post(server: &Server, path: &str, secret: &str, key: &str, body: &str) -> common::Answer {
    let bearer = format!("Bearer {secret}");
    let headers =
        [("Authorization", &*bearer), ("Idempotency-Key", key), ("Content-Type", "application/json")];
    http(&server.address, "POST", &format!("/api/v1{path}"), &headers, body).expect("an answer")
}

#[test]
fn a_bank_of_yesterday_verifies_says_what_it_said_and_goes_on() {
    let (dir, expected) = yesterday();
    let report = json(dir.path(), &["verify"]);
    assert_eq!(report["head"], expected["head"]);
    assert!(report["checks"].as_array().unwrap().iter().all(|check| check["ok"] == true), "{report}");

    let server = Server::start(dir.path(), &[]);
    let secret = expected["secret"].as_str().unwrap();
    for (path, then) in expected["pages"].as_object().unwrap() {
        let now = get(&server.address, &format!("/api/v1{path}"), secret);
        assert_eq!(now.status, 200, "{path}: {:?}", now.body);
        assert_still_says(&now.body, then, path);
    }
    let pay = r#"{"from_account_id": "3", "to_account_id": "4", "amount": "100.00", "currency": "BDT"}"#;
    let again = post(&server, "/transactions/transfer", secret, "pay", pay);
    let then = &expected["pages"]["/idempotency/pay"]["transaction"]["id"];
    assert_eq!((again.status, again.replayed, &again.body["id"]), (201, true, then), "{again:?}");
    let other = post(&server, "/transactions/transfer", secret, "pay", &pay.replace("100", "101"));
    assert_eq!(other.body["code"], "idempotency_key_reused");
    let hold =
        expected["pages"].as_object().unwrap().keys().find(|path| path.starts_with("/holds/")).unwrap();
    for (path, key, body) in [
        ("/transactions/transfer", "today", pay.to_owned()),
        (&format!("{hold}/capture"), "today-2", r#"{"to_account_id": "4"}"#.into()),
    ] {
        let answer = post(&server, path, secret, key, &body);
        assert_eq!((answer.status, answer.replayed), (201, false), "{answer:?}");
    }
    assert!(server.stop());

    let report = json(dir.path(), &["verify"]);
    assert!(report["head"]["sequence"].as_u64() > expected["head"]["sequence"].as_u64());
    assert_eq!(report["ok"], true, "{report}");
}

/// What is derived may be missing: it is made again from yesterday's journal.
#[test]
fn a_bank_of_yesterday_is_its_journal() {
    let (dir, expected) = yesterday();
    for derived in ["keys", "references", "snapshots"] {
        std::fs::remove_dir_all(dir.path().join(derived)).unwrap();
    }
    let server = Server::start(dir.path(), &[]);
    let secret = expected["secret"].as_str().unwrap();
    for (path, then) in expected["pages"].as_object().unwrap() {
        assert_still_says(&get(&server.address, &format!("/api/v1{path}"), secret).body, then, path);
    }
    assert!(server.stop());
    assert_eq!(json(dir.path(), &["verify"])["ok"], true);
}

/// A folder of tomorrow's format is not damaged, and is not touched.
#[test]
fn a_bank_of_tomorrow_is_refused_in_one_line() {
    let (dir, _) = yesterday();
    let identity = dir.path().join("IDENTITY");
    let text = std::fs::read_to_string(&identity).unwrap();
    let (body, _) = text.split_once("check = ").unwrap();
    let body = body.replace("format = 1", "format = 2");
    let text = format!("{body}check = {:08x}\n", crc32c::crc32c(body.as_bytes()));
    std::fs::write(&identity, &text).unwrap();
    for command in ["serve", "verify"] {
        let output = bankcore().args([command, "--data"]).arg(dir.path()).output().expect("the binary runs");
        let line = refusal(&output);
        assert!(line.contains("format 2") && line.contains("run the version that wrote it"), "{line}");
    }
    assert_eq!(std::fs::read_to_string(&identity).unwrap(), text);
}
