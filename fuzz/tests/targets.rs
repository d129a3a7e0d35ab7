//! Everything that failed once, and some seconds of new inputs, the same ones on every machine.

use std::time::Duration;

use fuzz::{runner, targets};

/// How long each target runs here; `cargo run -p fuzz` runs one for as long as you like.
const TIME: Duration = Duration::from_secs(4);

fn hold(name: &str) {
    let (_, target) = targets::TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    runner::replay(name, *target);
    let inputs = runner::run_for(name, *target, 0, TIME);
    assert!(inputs > 20, "{name}: only {inputs} inputs in {TIME:?}");
}

#[test]
fn events() {
    hold("event");
}

#[test]
fn journals() {
    hold("journal");
}

#[test]
fn snapshots() {
    hold("snapshot");
}

#[test]
fn key_files() {
    hold("keys");
}

#[test]
fn bodies() {
    hold("http");
}

#[test]
fn no_target_is_left_out() {
    let names: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["event", "journal", "snapshot", "keys", "http"]);
}
