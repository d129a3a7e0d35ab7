//! Seeds that once found something, under the name of what was wrong. What a seed does changes with the program, so
//! each finding has a test of its own where it was mended; the seeds stay because they were once unlucky in the right way.

fn passes(seed: u64) {
    let _ = sim::simulation::run(seed, false);
}

/// A list of requests was sent while nothing could be decided: one outcome came back for all of them, and whoever
/// looked for the second died (`sequencer::run`; conformance: a leap of the clock).
#[test]
fn a_list_that_is_turned_away_has_an_outcome_for_each() {
    passes(10);
}

/// An empty frame that only the page cache had seen was taken for durable, and its loss made a hole (`journal::recover`;
/// its test: `confirmation.rs`).
#[test]
fn a_confirmation_that_failed_is_written_again() {
    for seed in [406, 431, 493, 707, 797, 897] {
        passes(seed);
    }
}

/// A simulated disk refused a write that needed no space (journal's `space.rs`).
#[test]
fn a_full_disk_takes_what_needs_no_space() {
    passes(101_310);
}
