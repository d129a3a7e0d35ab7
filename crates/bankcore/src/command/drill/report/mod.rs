//! What came of the drill, in three forms: for who watches, for a document, for a program.

mod json;
mod markdown;
pub(super) mod terminal;

use std::time::Duration;

use terminal::Terminal;

use super::args::DrillArgs;
use super::count::{Count, Row, Total, commas, grouped};
use super::play::Played;
use super::scenario::{Need, Scenario};
use crate::output;

/// In which form it is told.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Terminal(Terminal),
    Markdown,
    Json,
}

impl Form {
    pub(super) fn of(args: &DrillArgs) -> Form {
        match (args.json, args.markdown) {
            (true, _) => Form::Json,
            (false, true) => Form::Markdown,
            (false, false) => Form::Terminal(Terminal::new()),
        }
    }

    /// Who tells it while it happens.
    pub(super) fn voice(self) -> Option<Terminal> {
        match self {
            Form::Terminal(terminal) => Some(terminal),
            Form::Markdown | Form::Json => None,
        }
    }
}

/// What came of the drill.
pub(super) struct Report {
    /// Where it was played.
    pub(super) place: String,
    pub(super) played: Vec<Played>,
    /// All that was ever debited and credited in the bank, at the end.
    pub(super) totals: Vec<Total>,
    /// Those are equal.
    pub(super) balanced: bool,
    /// What `verify` found; none for a bank that is not the drill's own.
    pub(super) verified: Option<bank::verify::Report>,
    pub(super) took: Duration,
}

impl Report {
    /// Something was played, all of it ended balanced and as it should, and the bank is whole.
    pub(super) fn ok(&self) -> bool {
        let played = self.played.iter().any(Played::was_played);
        let verified = self.verified.as_ref().is_none_or(bank::verify::Report::ok);
        played && self.balanced && verified && self.played.iter().all(Played::ok)
    }

    /// Prints it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn print(&self, form: Form) -> anyhow::Result<()> {
        match form {
            Form::Terminal(terminal) => {
                terminal.closes(self);
                Ok(())
            }
            Form::Markdown => output::print(&markdown::document(self)),
            Form::Json => output::json(&json::document(self)),
        }
    }

    /// In one sentence.
    fn verdict(&self) -> String {
        let played = self.played.iter().filter(|played| played.was_played()).count();
        let good = self.played.iter().filter(|played| played.was_played() && played.ok()).count();
        let left_out = match self.played.len() - played {
            0 => String::new(),
            count => format!(", {count} not played"),
        };
        let took = self.took.as_secs_f64();
        format!("{good} of {played} ended balanced and as they should{left_out}, in {took:.1} s")
    }

    /// The sum over the whole bank, a line for each currency.
    fn sums(&self) -> Vec<String> {
        self.totals.iter().map(sum).collect()
    }

    /// What `verify` found, in one sentence.
    fn verification(&self) -> Option<String> {
        let report = self.verified.as_ref()?;
        Some(match &report.damage {
            None => format!(
                "{} events, {} transactions, {} accounts: every checksum, hash, balance and key proved again",
                report.events, report.transactions, report.accounts
            ),
            Some(damage) => format!("DAMAGE: {damage}"),
        })
    }
}

/// All that was ever debited and credited in a currency.
fn sum(total: &Total) -> String {
    let sign = if total.debits == total.credits { "=" } else { "≠" };
    format!("debits {} {sign} credits {} {}", commas(&total.debits), commas(&total.credits), total.currency)
}

/// The rows that say something: the customers', and what moved.
fn telling(count: &Count) -> impl Iterator<Item = &Row> {
    count.rows.iter().filter(|row| row.customer || row.moved())
}

/// An amount, or nothing for zero.
fn some(minor: i64) -> String {
    if minor == 0 { String::new() } else { grouped(minor) }
}

/// The scenarios, as `--list` shows them.
pub(super) fn list(scenarios: &[&Scenario]) -> String {
    let mut table = output::empty(["Scenario", "What breaks", "Against --url"].into_iter());
    for scenario in scenarios {
        let there = match scenario.needs {
            needs if needs.contains(&Need::Kill) => "not played",
            needs if needs.contains(&Need::Rail) => "with --rail",
            needs if needs.contains(&Need::Near) => "if it may send webhooks to 127.0.0.1",
            needs if needs.contains(&Need::Cut) => "over plain http",
            _ => "played",
        };
        table.add_row([scenario.name, scenario.title, there]);
    }
    table.to_string()
}
