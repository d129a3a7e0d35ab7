//! The drill as a document.

use super::{Report, some, sum, telling};
use crate::command::drill::count::{Count, grouped};
use crate::command::drill::play::Played;
use crate::command::drill::story::Kind;

pub(super) fn document(report: &Report) -> String {
    let mut text = format!("# Drill\n\nPlayed on {}: {}.\n", report.place, report.verdict());
    for (index, played) in report.played.iter().enumerate() {
        text.push_str(&section(index + 1, played));
    }
    text.push_str("\n## All of it\n\n| scenario | outcome | balanced | took |\n|---|---|---|---:|\n");
    for played in &report.played {
        let balanced = match (played.was_played(), played.balanced()) {
            (false, _) => "",
            (true, true) => "yes",
            (true, false) => "**no**",
        };
        let took = played.took.as_secs_f64();
        text.push_str(&format!(
            "| {} | {} | {balanced} | {took:.1} s |\n",
            played.scenario.name,
            played.outcome.name().replace('_', " ")
        ));
    }
    text.push('\n');
    for line in report.sums() {
        text.push_str(&format!("The whole bank: {line}.\n"));
    }
    if let Some(verified) = report.verification() {
        text.push_str(&format!("Closed and verified: {verified}.\n"));
    }
    text
}

fn section(number: usize, played: &Played) -> String {
    let scenario = played.scenario;
    let mut text =
        format!("\n## {number}. {} (`{}`)\n\n> {}\n", scenario.title, scenario.name, scenario.fear);
    if !played.lines.is_empty() {
        text.push_str("\n| time | who | what |\n|---:|---|---|\n");
    }
    for line in &played.lines {
        let what = cell(&line.what);
        let what = match line.kind {
            Kind::Went => what,
            Kind::Broke | Kind::Wrong => format!("**{what}**"),
        };
        text.push_str(&format!("| {:.2} s | {} | {what} |\n", line.at.as_secs_f64(), line.who.name()));
    }
    if let Some(count) = &played.count {
        text.push_str(&table(count));
    }
    let outcome = played.outcome.name().replace('_', " ");
    let balanced = match (played.was_played(), played.balanced()) {
        (false, _) => "",
        (true, true) => ", balanced",
        (true, false) => ", **not balanced**",
    };
    text.push_str(&format!("\n**{outcome}**{balanced}: {}\n", played.how));
    text
}

fn table(count: &Count) -> String {
    let mut text =
        "\n| account | before | after | debited | credited |\n|---|---:|---:|---:|---:|\n".to_owned();
    for row in telling(count) {
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            cell(&row.name),
            grouped(row.before),
            grouped(row.after),
            some(row.debit()),
            some(row.credit())
        ));
    }
    let (debits, credits) = count.sums();
    text.push_str(&format!("| | | | **{}** | **{}** |\n", grouped(debits), grouped(credits)));
    for total in &count.totals {
        text.push_str(&format!("\nThe whole bank: {}.\n", sum(total)));
    }
    text
}

/// Text that stays in its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
