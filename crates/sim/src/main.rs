//! `cargo run --release -p sim -- --seeds 1000 [--from 0] [--verbose]`: runs seeds, and names those that found something.

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    let verbose = arguments.iter().any(|argument| argument == "--verbose");
    let Some(seeds) = number("--seeds") else {
        eprintln!("usage: sim --seeds N [--from S] [--verbose]");
        return ExitCode::from(2);
    };
    let from = number("--from").unwrap_or(0);
    let began = Instant::now();
    let (mut failed, mut events, mut answers, mut restarts, mut doubts, mut happened) =
        (Vec::new(), 0, 0, 0, 0, 0);
    for seed in from..from + seeds {
        match catch_unwind(|| sim::simulation::run(seed, verbose)) {
            Ok(report) => {
                events += report.events;
                answers += report.answers;
                restarts += report.restarts;
                doubts += report.doubts.0;
                happened += report.doubts.1;
            }
            Err(_) => {
                eprintln!("seed {seed} found something: sim --seeds 1 --from {seed} --verbose");
                failed.push(seed);
            }
        }
    }
    println!(
        "{seeds} seeds from {from} in {:.1} s: {events} events, {answers} answers compared, {restarts} restarts, \
         {doubts} batches in doubt of which {happened} had happened; {} seeds found something {failed:?}",
        began.elapsed().as_secs_f64(),
        failed.len(),
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
