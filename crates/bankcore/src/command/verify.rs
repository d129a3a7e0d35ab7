//! `bankcore verify`: proves everything in a data folder again.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use bank::verify::{self, Progress, Report};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::cli::AskArgs;
use crate::output;

/// Prove that nothing in a data folder was changed or lost
///
/// Walks every byte of the journal, folds every event again by code of its own, and compares balances, holds,
/// keys, references, snapshots and the bank database with it. Nothing is written, and a server may be running: then
/// the walk ends where the journal ended when it got there.
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore verify --data bank\n  bankcore verify --data bank --json\n\n\
    Exit code 0 only if all holds; else the first damage is named by its place.")]
pub struct VerifyArgs {
    #[command(flatten)]
    ask: AskArgs,
}

/// Verifies and prints what was found; success only if all holds.
///
/// # Errors
/// If the folder cannot be looked at.
pub fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let dir = args.ask.data.load()?.data;
    let bar = bar();
    let told = bar.clone();
    let progress: Progress = Box::new(move |done, all| {
        told.set_length(all);
        told.set_position(done);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(verify::verify(&dir, progress));
    bar.finish_and_clear();
    let report = report?;
    if args.ask.json {
        output::json(&document(&report))?;
    } else {
        output::print(&text(&report))?;
    }
    Ok(if report.ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}  {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn text(report: &Report) -> String {
    let mut table = output::empty(["", "Check", "Checked", "Detail"].into_iter());
    for check in &report.checks {
        let mark = if check.ok { "ok" } else { "WRONG" };
        table.add_row([mark, check.name, &check.checked.to_string(), &check.detail]);
    }
    let verdict = match &report.damage {
        None => "All holds".to_owned(),
        Some(damage) => format!("DAMAGE: {damage}"),
    };
    format!(
        "{table}\n{verdict}.\nHead {} {}\n{} events, {} transactions, {} accounts in {:.1} s\n",
        report.head.sequence,
        hex(&report.head.hash),
        report.events,
        report.transactions,
        report.accounts,
        report.seconds
    )
}

fn document(report: &Report) -> Value {
    let checks: Vec<Value> = report
        .checks
        .iter()
        .map(|check| {
            json!({"name": check.name, "ok": check.ok, "checked": check.checked, "detail": check.detail})
        })
        .collect();
    let damage = report.damage.as_ref().map(|damage| {
        json!({
            "segment": damage.segment, "offset": damage.offset, "sequence": damage.sequence,
            "what": damage.what,
        })
    });
    json!({
        "ok": report.ok(),
        "bank": hex(&report.identity.bank),
        "timeline": report.identity.timeline,
        "head": {"sequence": report.head.sequence, "hash": hex(&report.head.hash)},
        "events": report.events,
        "transactions": report.transactions,
        "accounts": report.accounts,
        "checks": checks,
        "damage": damage,
        "seconds": report.seconds,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
