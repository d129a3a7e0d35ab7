//! For who watches: each line when it happens, colours only on a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use console::{Style, StyledObject, style};

use super::{Report, some, sum, telling};
use crate::command::drill::count::{Count, grouped};
use crate::command::drill::play::Played;
use crate::command::drill::scenario::{Outcome, Scenario};
use crate::command::drill::story::{Kind, Line, Who};

/// So long each line stands alone, for those who read along.
const PACE: Duration = Duration::from_millis(120);

/// So long a scenario's end stands.
const REST: Duration = Duration::from_millis(800);

/// What a line is indented by, and where its words begin.
const INDENT: usize = 7;
const WORDS: usize = INDENT + 24;

/// The widest line; a terminal may be narrower.
const WIDTH: usize = 120;

/// Width of a column of money.
const MONEY: usize = 14;

/// The terminal, or what stdout leads to.
#[derive(Clone, Copy)]
pub(in super::super) struct Terminal {
    watched: bool,
    width: usize,
}

impl Terminal {
    pub(in super::super) fn new() -> Terminal {
        let watched = std::io::stdout().is_terminal();
        let columns = console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| columns.into());
        Terminal { watched, width: if watched { columns.clamp(60, WIDTH) } else { WIDTH } }
    }

    pub(in super::super) fn opens(self, place: &str, scenarios: usize) {
        let title = style("bankcore drill").bold();
        let ways = if scenarios == 1 { "one way" } else { &format!("{scenarios} ways") };
        say(&format!("{title}: {ways} in which a transfer fails, played for real\n{place}\n"));
    }

    pub(in super::super) async fn begins(self, number: usize, of: usize, scenario: &Scenario) {
        let number = format!("{number:>2}/{of}");
        say(&format!("{} {}", style(format!("{number:INDENT$}")).dim(), bold(scenario.title)));
        let elsewhere = format!("{}: {}", scenario.name, scenario.fear);
        say(&format!("{:INDENT$} {}\n", "", style(self.wrapped(&elsewhere, INDENT + 1)).dim()));
        self.pause(PACE * 4).await;
    }

    pub(in super::super) async fn line(self, line: &Line) {
        let mark = match line.kind {
            Kind::Went => style(" "),
            Kind::Broke => style("✗").red().bold(),
            Kind::Wrong => style("!").red().bold(),
        };
        let words = self.wrapped(&line.what, WORDS + 1);
        let words = match line.kind {
            Kind::Went => style(words),
            Kind::Broke | Kind::Wrong => style(words).red(),
        };
        let at = style(format!("{:>7.2} s", line.at.as_secs_f64())).dim();
        say(&format!(
            "{:3}{at}  {} {mark} {words}",
            "",
            colour(line.who).apply_to(format!("{:<11}", line.who.name()))
        ));
        self.pause(PACE).await;
    }

    pub(in super::super) async fn ended(self, played: &Played) {
        if let Some(count) = &played.count {
            table(count);
        }
        let balanced = match (played.was_played(), played.balanced()) {
            (false, _) => "",
            (true, true) => ", balanced",
            (true, false) => ", NOT BALANCED",
        };
        let outcome = format!("{}{balanced}", played.outcome.name().replace('_', " "));
        let mark = match (played.outcome, played.ok()) {
            (Outcome::NotPlayed, _) => style("-").dim(),
            (_, true) => style("✓").green().bold(),
            (_, false) => style("✗").red().bold(),
        };
        let outcome = if played.ok() { style(outcome).green() } else { style(outcome).red() };
        let how = self.wrapped(&played.how, INDENT + 1);
        say(&format!("{:5}{mark}  {}\n{:INDENT$} {how}\n", "", outcome.bold(), ""));
        self.pause(REST).await;
    }

    pub(in super::super) fn closes(self, report: &Report) {
        say(&format!("{:INDENT$} {}", "", bold("All of it")));
        for played in &report.played {
            let balanced = if played.balanced() { "balanced" } else { "" };
            let mark = if played.ok() { " " } else { "✗" };
            say(&format!(
                "{:5}{mark}  {:20} {:11} {balanced:9} {:>6.1} s",
                "",
                played.scenario.name,
                played.outcome.name().replace('_', " "),
                played.took.as_secs_f64()
            ));
        }
        for line in report.sums() {
            say(&format!("{:INDENT$} the whole bank: {line}", ""));
        }
        if let Some(verified) = report.verification() {
            say(&format!("{:INDENT$} closed and verified: {}", "", self.wrapped(&verified, INDENT + 1)));
        }
        let (mark, verdict) = match report.ok() {
            true => (style("✓").green().bold(), style(report.verdict()).green().bold()),
            false => (style("✗").red().bold(), style(report.verdict()).red().bold()),
        };
        say(&format!("{:5}{mark}  {verdict}", ""));
    }

    /// Text over several lines, each but the first one indented.
    fn wrapped(self, text: &str, indent: usize) -> String {
        wrapped(text, indent, self.width)
    }

    async fn pause(self, pause: Duration) {
        if self.watched {
            tokio::time::sleep(pause).await;
        }
    }
}

fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let mut lines = String::new();
    let mut column = indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > width {
            lines.push_str(&format!("\n{:indent$}", ""));
            column = indent;
        } else if column > indent {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}

/// Each account before and after, and the sums of both sides.
fn table(count: &Count) {
    let row = |name: &str, cells: [String; 4]| {
        let [before, after, debit, credit] = cells;
        let line = format!("{name:40}{before:>MONEY$}{after:>MONEY$}{debit:>MONEY$}{credit:>MONEY$}");
        format!("{:INDENT$} {}", "", line.trim_end())
    };
    say("");
    let titles = ["before", "after", "debited", "credited"].map(str::to_owned);
    say(&style(row("", titles)).dim().to_string());
    for account in telling(count) {
        let cells =
            [grouped(account.before), grouped(account.after), some(account.debit()), some(account.credit())];
        say(&row(&account.name, cells));
    }
    let (debits, credits) = count.sums();
    if debits != 0 || credits != 0 {
        say(&bold(&row("", [String::new(), String::new(), grouped(debits), grouped(credits)])).to_string());
    }
    for total in &count.totals {
        say(&style(format!("{:INDENT$} the whole bank: {}", "", sum(total))).dim().to_string());
    }
}

fn bold(text: &str) -> StyledObject<String> {
    style(text.to_owned()).bold()
}

fn colour(who: Who) -> Style {
    let plain = Style::new();
    match who {
        Who::Drill => plain.dim(),
        Who::Customer | Who::Teller | Who::Middleware => plain.cyan(),
        Who::Operator => plain.magenta(),
        Who::Service => plain.blue(),
        Who::Partner | Who::Wallet => plain.yellow(),
    }
}

/// Whoever watches may go away; the drill goes on, and ends what it has started.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn a_long_line_goes_on_under_its_words() {
        assert_eq!(wrapped("one two three", 4, 12), "one two\n    three");
        assert_eq!(wrapped("one", 4, 5), "one", "a word is never cut");
        assert_eq!(wrapped("", 4, 12), "");
    }
}
