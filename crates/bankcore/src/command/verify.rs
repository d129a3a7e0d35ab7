//! `bankcore verify`: proves everything in a data folder, or in a database, again.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use bank::verify::{self, Progress, Report};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::cli::AskArgs;
use crate::{output, settings};

/// Prove that nothing in a data folder or a database was changed or lost
///
/// Walks every byte of the journal, folds every event again by code of its own, and compares balances, holds,
/// keys, references, snapshots and the bank database with it. Nothing is written, and a server may be running: then
/// the walk ends where the journal ended when it got there.
///
/// With --store it walks a database instead: every event, and every row of every table beside what the events say,
/// all as of one moment, while services and procedures go on. bank.db is looked at where --data has it.
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore verify --data bank\n  bankcore verify --data bank --json\n  \
    bankcore verify --store mysql://owner:secret@localhost:3306/bank --data bank\n\n\
    Exit code 0 only if all holds; else the first damage is named by its place: segment and offset, or table and row.")]
pub struct VerifyArgs {
    #[command(flatten)]
    ask: AskArgs,
}

/// Verifies and prints what was found; success only if all holds.
///
/// # Errors
/// If the folder cannot be looked at.
pub fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let config = args.ask.data.load()?;
    let database = settings::database(&config);
    let bar = bar(if database.is_some() { IN_EVENTS } else { IN_BYTES });
    let told = bar.clone();
    let progress: Progress = Box::new(move |done, all| {
        told.set_length(all);
        told.set_position(done);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = match database {
        Some(database) => runtime
            .block_on(verify::verify_database(&database, &config.data, progress))
            .map_err(anyhow::Error::from),
        None => runtime.block_on(verify::verify(&config.data, progress)).map_err(anyhow::Error::from),
    };
    bar.finish_and_clear();
    let report = report?;
    if args.ask.json {
        output::json(&document(&report))?;
    } else {
        output::print(&text(&report))?;
    }
    Ok(if report.ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

const IN_BYTES: &str = "{wide_bar} {bytes} of {total_bytes}  {eta} left";
const IN_EVENTS: &str = "{wide_bar} {human_pos} of {human_len} events  {eta} left";

fn bar(template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template);
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
            "segment": damage.segment, "offset": damage.offset, "table": damage.table, "row": damage.row,
            "sequence": damage.sequence, "what": damage.what,
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
