//! `bankcore migrate`: moves a bank from one home into another, and proves that nothing is different there.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use bank::moving::{self, Home, Proof, Stage};
use bank::store::mysql;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::output;

/// Copy a bank between a data folder and a database, in any direction, and prove that the two are equal
///
/// Stop the services of the source first. The target must be empty, or an unfinished copy of the same source: whatever
/// interrupts the command, start it again and it goes on where it was. Events, ids, keys, times and the chain are the
/// same in the new home, and so are API keys, audit trail, payments under way, promises and subscriptions with their marks.
/// The source stays as it is; do not serve both. What a database keeps for itself is listed at the end.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore migrate --from bank --to mysql://owner:secret@localhost:3306/bank\n  \
    bankcore migrate --from mysql://owner:secret@localhost:3306/bank --to bank --json\n  \
    bankcore migrate --from bank --to /mnt/new/bank\n\n\
    Exit code 0 only if everything is equal. Until then the target refuses to be served. A copy reads the source three \
    times and the target twice: once to verify, once to copy, once to compare."
)]
pub struct MigrateArgs {
    /// The bank to copy: a data folder, or the URL of a database
    #[arg(long, value_name = "DIR|URL", env = "BANKCORE_FROM", hide_env_values = true)]
    from: String,

    /// Where to: an empty folder, or an empty database
    #[arg(long, value_name = "DIR|URL", env = "BANKCORE_TO", hide_env_values = true)]
    to: String,

    /// Copy into a server that does not sync every commit
    #[arg(long)]
    accept_weak_durability: bool,

    /// Print the proof as JSON
    #[arg(long)]
    json: bool,
}

/// Copies and prints the proof; success only if all is equal.
///
/// # Errors
/// Why there is no copy.
pub fn run(args: &MigrateArgs) -> anyhow::Result<ExitCode> {
    let home = |text: &str| -> Home {
        match text.parse() {
            Ok(Home::Database(settings)) => Home::Database(mysql::Settings {
                accept_weak_durability: args.accept_weak_durability,
                ..settings
            }),
            Ok(folder) => folder,
            Err(never) => match never {},
        }
    };
    let bar = bar();
    let told = bar.clone();
    let proof = moving::migrate(&home(&args.from), &home(&args.to), &mut |stage, done, all| {
        told.set_message(word(stage));
        told.set_length(all);
        told.set_position(done);
    });
    bar.finish_and_clear();
    let proof = proof?;
    if args.json {
        output::json(&document(&proof))?;
    } else {
        output::print(&text(&proof))?;
    }
    Ok(if proof.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Source => "verifying the source",
        Stage::Copy => "copying",
        Stage::Target => "verifying the copy",
        Stage::Proof => "comparing",
    }
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg:>20} {wide_bar} {percent}%  {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn text(proof: &Proof) -> String {
    let mut table = output::empty(["", "What", "Source", "Copy"].into_iter());
    for line in &proof.lines {
        let mark = if line.is_equal() { "same" } else { "DIFFERS" };
        table.add_row([mark, &line.what, &line.source, &line.target]);
    }
    let verdict = match proof.holds() {
        true => format!("{} now holds the same bank as {}.", proof.to, proof.from),
        false => format!(
            "{} is NOT the same bank as {}, and is not served. Empty it and start again.",
            proof.to, proof.from
        ),
    };
    let left: String = proof
        .left
        .iter()
        .map(|left| format!("{} rows of {} stay in the source: {}.\n", left.rows, left.what, left.why))
        .collect();
    format!("{table}\n{verdict}\n{left}")
}

fn document(proof: &Proof) -> Value {
    let lines: Vec<Value> = proof
        .lines
        .iter()
        .map(|line| {
            json!({"what": line.what, "source": line.source, "target": line.target, "equal": line.is_equal()})
        })
        .collect();
    let left: Vec<Value> = proof
        .left
        .iter()
        .map(|left| json!({"table": left.what, "rows": left.rows, "why": left.why}))
        .collect();
    json!({"ok": proof.holds(), "from": proof.from, "to": proof.to, "lines": lines, "left_behind": left})
}
