//! The drill as its users run it: the real binary, with the processes that it starts, breaks and ends.

mod common;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Server, bankcore, demo_file, json, refusal};
use serde_json::Value;
use sim::server::MariaDb;

/// Longer than anything here takes, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// Every scenario, and how it ends.
const ENDS: [(&str, &str); 11] = [
    ("partial-commit", "refused"),
    ("lost-response", "posted"),
    ("double-submit", "posted"),
    ("double-spend", "refused"),
    ("kill-in-transfer", "posted"),
    ("lost-answer", "settled"),
    ("downstream-down", "settled"),
    ("downstream-refuses", "reversed"),
    ("crash-between", "settled"),
    ("lost-message", "delivered"),
    ("silent-rail", "case"),
];

/// A drill whose temporary files are in `home`.
fn drill(home: &Path, words: &[&str]) -> Command {
    let mut command = bankcore();
    command.arg("drill").args(words).env("TMPDIR", home);
    command
}

fn report(output: &Output) -> Value {
    let complaint = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {complaint}"))
}

/// The processes that work in a folder.
fn processes(home: &Path) -> Vec<String> {
    let home = home.to_str().unwrap();
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(home)).collect()
}

/// Nothing is left of a drill.
fn nothing_left(home: &Path) {
    assert_eq!(processes(home), Vec::<String>::new());
    let left: Vec<_> = std::fs::read_dir(home).unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn outcomes(report: &Value) -> Vec<(&str, &str)> {
    let scenarios = report["scenarios"].as_array().unwrap();
    scenarios.iter().map(|one| (one["name"].as_str().unwrap(), one["outcome"].as_str().unwrap())).collect()
}

fn minor(text: &Value) -> i64 {
    text.as_str().unwrap().replace('.', "").parse().unwrap()
}

#[test]
fn every_scenario_ends_balanced_and_as_it_should_and_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let output = drill(home.path(), &["--json"]).output().unwrap();
    let report = report(&output);
    assert_eq!(outcomes(&report), ENDS, "{report:#}");
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    for scenario in report["scenarios"].as_array().unwrap() {
        assert_eq!((&scenario["balanced"], &scenario["ok"]), (&true.into(), &true.into()), "{scenario:#}");
        let lines = scenario["timeline"].as_array().unwrap();
        assert!(lines.iter().any(|line| line["kind"] == "broke"), "nothing broke: {scenario:#}");
        assert!(lines.iter().all(|line| line["kind"] != "wrong"), "{scenario:#}");
        let accounts = scenario["accounts"].as_array().unwrap();
        let sum = |side: &str| accounts.iter().map(|row| minor(&row[side])).sum::<i64>();
        assert_eq!(sum("debited"), sum("credited"), "{scenario:#}");
        assert_eq!(scenario["totals"][0]["debits"], scenario["totals"][0]["credits"], "{scenario:#}");
    }
    assert_eq!((&report["ok"], &report["balanced"]), (&true.into(), &true.into()), "{report:#}");
    assert_eq!(report["verified"]["ok"], true, "{report:#}");
    nothing_left(home.path());
}

#[test]
fn one_scenario_is_told_in_words_and_as_a_document() {
    let home = tempfile::tempdir().unwrap();
    let output = drill(home.path(), &["--only", "double-spend"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours where nobody watches: {text}");
    for part in ["two tellers pay out", "insufficient_funds", "1 of 1 ended balanced", "proved again"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let output = drill(home.path(), &["--only", "double-spend", "--markdown"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    assert!(text.starts_with("# Drill\n") && text.contains("\n| time | who | what |\n"), "{text}");
    nothing_left(home.path());
}

#[test]
fn what_does_not_exist_is_refused_with_what_does() {
    let home = tempfile::tempdir().unwrap();
    let error = refusal(&drill(home.path(), &["--only", "lost-horse"]).output().unwrap());
    assert!(error.contains("there is no scenario lost-horse") && error.contains("crash-between"), "{error}");

    let key = home.path().join("key");
    std::fs::write(&key, "bck_00000000_nobody").unwrap();
    let key = key.to_str().unwrap();
    for url in ["http://127.0.0.1:1", "nowhere", "ftp://127.0.0.1"] {
        let error = refusal(&drill(home.path(), &["--url", url, "--keys", key]).output().unwrap());
        assert!(error.contains(url) && !error.contains("os error 2"), "{error}");
    }
    let error = refusal(
        &drill(home.path(), &["--url", "http://127.0.0.1:1", "--keys", "/nowhere"]).output().unwrap(),
    );
    assert!(error.contains("cannot read /nowhere"), "{error}");
    std::fs::remove_file(key).unwrap();
    nothing_left(home.path());
}

/// Somebody's bank is not killed, and what the drill has there is put away.
#[test]
fn against_a_bank_that_runs_nothing_of_it_is_killed_and_the_drill_puts_its_things_away() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("bank");
    let server = Server::start(&dir, &["--demo", "--webhook-allow", "127.0.0.1"]);
    let keys = dir.join("demo.json");
    let url = format!("http://{}", server.address);
    let there = ["--url", &url, "--keys", keys.to_str().unwrap(), "--json"];

    // The demonstration's rail is somebody's.
    let error =
        refusal(&drill(home.path(), &[&there[..], &["--rail", "partner"]].concat()).output().unwrap());
    assert!(error.contains("the rail partner is not the drill's own"), "{error}");

    let output = drill(home.path(), &[&there[..], &["--rail", "drill"]].concat()).output().unwrap();
    let told = report(&output);
    let expected = ENDS.map(|(name, outcome)| match name {
        "kill-in-transfer" | "crash-between" => (name, "not_played"),
        _ => (name, outcome),
    });
    assert_eq!(outcomes(&told), expected, "{told:#}");
    assert!(output.status.success(), "{told:#}");
    assert_eq!(told["verified"], Value::Null);
    nothing_left(home.path());

    let rail = json(&dir, &["rail", "show", "drill"]);
    assert_eq!((&rail["status"], &rail["operation"]["key_ids"]), (&"paused".into(), &serde_json::json!([])));
    let keys = json(&dir, &["key", "list"]);
    let ours = keys["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["principal"].as_str().unwrap().starts_with("drill:"));
    let ours: Vec<_> = ours.collect();
    assert!(ours.len() > 10 && ours.iter().all(|key| key["status"] == "revoked"), "{ours:#?}");
    assert_eq!(json(&dir, &["webhook", "list"])["items"], serde_json::json!([]));

    // The same rail again is the drill's own; without one the payments are left out, and that is no failure.
    let words = ["--rail", "drill", "--only", "downstream-refuses"];
    let output = drill(home.path(), &[&there[..], &words].concat()).output().unwrap();
    assert_eq!(outcomes(&report(&output)), [("downstream-refuses", "reversed")]);
    let words = ["--only", "downstream-refuses", "--only", "double-submit"];
    let output = drill(home.path(), &[&there[..], &words].concat()).output().unwrap();
    assert_eq!(
        outcomes(&report(&output)),
        [("double-submit", "posted"), ("downstream-refuses", "not_played")]
    );
    assert!(output.status.success());
    assert_eq!(demo_file(&dir)["url"], url);
    assert!(server.stop(), "it ends well when it is asked to");
    assert_eq!(json(&dir, &["verify"])["ok"], true);
}

/// The books in MariaDB, and nothing readable on the wire: where a connection cannot be cut by hand, that is left out.
#[test]
fn against_books_in_a_database_over_https_it_is_played_as_well() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (path("cert.pem"), path("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let dir = folder.path().join("bank");
    let database = MariaDb::shared().empty();
    let flags = ["--demo", "--store", &database.url, "--webhook-allow", "127.0.0.1"];
    let server = Server::start(&dir, &[&flags[..], &["--tls-cert", &cert, "--tls-key", &key]].concat());
    let url = format!("https://{}", server.address);
    let keys = dir.join("demo.json");
    let there = ["--url", &url, "--keys", keys.to_str().unwrap(), "--rail", "drill", "--json"];

    // Whoever is not known to be who it says is not talked to.
    let error = refusal(&drill(home.path(), &there).output().unwrap());
    assert!(error.contains("there is no bank to play on"), "{error}");

    let output = drill(home.path(), &there).env("SSL_CERT_FILE", &cert).output().unwrap();
    let told = report(&output);
    let expected = ENDS.map(|(name, outcome)| match name {
        "lost-response" | "kill-in-transfer" | "crash-between" => (name, "not_played"),
        _ => (name, outcome),
    });
    assert_eq!(outcomes(&told), expected, "{told:#}");
    assert!(output.status.success(), "{told:#}");
    nothing_left(home.path());
    assert_eq!(live_keys(&dir, &["--store", &database.url]), Vec::<String>::new());
    assert!(server.stop());
    assert_eq!(json(&dir, &["verify", "--store", &database.url])["ok"], true);
}

/// The keys of drills that open something.
fn live_keys(dir: &Path, more: &[&str]) -> Vec<String> {
    let keys = json(dir, &[&["key", "list"], more].concat());
    let live = keys["items"].as_array().unwrap().iter().filter(|key| key["status"] != "revoked");
    let principals = live.map(|key| key["principal"].as_str().unwrap().to_owned());
    principals.filter(|principal| principal.starts_with("drill:")).collect()
}

/// In the middle of opening accounts, keys and rail, and of a scenario: no key of it opens anything afterwards.
#[test]
fn a_drill_in_somebodys_bank_that_is_interrupted_at_any_moment_leaves_no_key_behind() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("bank");
    let server = Server::start(&dir, &["--demo", "--webhook-allow", "127.0.0.1"]);
    let url = format!("http://{}", server.address);
    let keys = dir.join("demo.json");
    let there = ["--url", &url, "--keys", keys.to_str().unwrap(), "--rail", "drill"];
    let mut told = 0;
    for (millis, signal) in
        [(20, "-INT"), (40, "-TERM"), (60, "-INT"), (90, "-TERM"), (150, "-INT"), (2_500, "-TERM")]
    {
        let child = drill(home.path(), &there).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        let pid = child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        // Whoever has not begun to listen dies of the signal, and has made nothing.
        if output.status.code().is_some() {
            let error = refusal(&output);
            assert!(error.contains("the API keys that it made are revoked"), "{error}");
            assert!(error.contains(&format!("stay in the bank at {url}")), "{error}");
            told += 1;
        }
        assert_eq!(live_keys(&dir, &[]), Vec::<String>::new(), "after {millis} ms");
        assert_eq!(processes(home.path()), Vec::<String>::new());
    }
    assert!(told > 0, "some were interrupted while they worked");
    let rail = json(&dir, &["rail", "show", "drill"]);
    assert_eq!((&rail["status"], &rail["operation"]["key_ids"]), (&"paused".into(), &serde_json::json!([])));
    assert!(server.stop());
}

#[test]
fn a_drill_that_is_interrupted_ends_what_it_has_started() {
    let home = tempfile::tempdir().unwrap();
    let mut child =
        drill(home.path(), &["--json"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    // Both processes run, and a scenario is under way.
    while processes(home.path()).len() < 2 {
        assert!(began.elapsed() < PATIENCE, "{:?}", processes(home.path()));
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(500));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(1));
    nothing_left(home.path());
}
