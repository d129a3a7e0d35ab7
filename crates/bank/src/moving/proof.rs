//! What is compared at the end, and how it came out: both homes walked by the same code.

use journal::{Head, Identity};
use ledger::State;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

use super::source::Source;
use super::{Error, Home, Left, Progress, Stage};
use crate::books::TrialBalance;
use crate::database::Database;
use crate::verify::Report;

/// One thing that was compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// What.
    pub what: String,
    /// What the source says.
    pub source: String,
    /// What the target says.
    pub target: String,
}

impl Line {
    /// Are they the same?
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.source == self.target
    }
}

/// The proof that two homes hold the same bank, or where they differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// The source.
    pub from: String,
    /// The target.
    pub to: String,
    /// All that was compared.
    pub lines: Vec<Line>,
    /// What did not come along.
    pub left: Vec<Left>,
}

impl Proof {
    /// Is everything equal?
    #[must_use]
    pub fn holds(&self) -> bool {
        self.lines.iter().all(Line::is_equal)
    }

    /// With what both verifications say.
    pub(super) fn begin(
        from: &Home,
        to: &Home,
        identity: Identity,
        source: &Report,
        target: &Report,
    ) -> Proof {
        let (from, to) = (from.to_string(), to.to_string());
        let mut proof = Proof { from, to, lines: Vec::new(), left: Vec::new() };
        proof.line("bank", hex(&identity.bank), hex(&target.identity.bank));
        proof.line("timeline", identity.timeline, target.identity.timeline);
        proof.line("verified", verdict(source), verdict(target));
        proof.line("head", head(source.head), head(target.head));
        proof.line("events", source.events, target.events);
        proof.line("transactions", source.transactions, target.transactions);
        proof.line("accounts", source.accounts, target.accounts);
        proof
    }

    fn line(&mut self, what: &str, source: impl ToString, target: impl ToString) {
        self.lines.push(Line {
            what: what.to_owned(),
            source: source.to_string(),
            target: target.to_string(),
        });
    }

    /// Walks both and compares what the events add up to.
    pub(super) fn compare(
        &mut self,
        source: &mut Source,
        target: &mut Source,
        runtime: &Runtime,
        progress: Progress<'_>,
    ) -> Result<(), Error> {
        let one = Sums::of(source, runtime, &mut |done| progress(Stage::Proof, done, 0))?;
        let all = one.counted[0].1;
        let other = Sums::of(target, runtime, &mut |done| progress(Stage::Proof, all + done, 2 * all))?;
        for ((what, source), (_, target)) in one.counted.iter().zip(&other.counted).skip(1) {
            self.line(what, source, target);
        }
        self.line("totals", one.totals, other.totals);
        self.line("chain", one.chain, other.chain);
        self.line("state", one.state, other.state);
        Ok(())
    }

    /// Compares the bank databases, row by row.
    pub(super) fn compare_people(
        &mut self,
        source: &Database,
        target: &Database,
        runtime: &Runtime,
    ) -> Result<(), Error> {
        let (one, other) = runtime.block_on(async { (source.summary().await, target.summary().await) });
        let text = |(_, rows, hash): &(&str, u64, [u8; 32])| format!("{rows} rows {}", hex(hash));
        for (source, target) in one?.iter().zip(&other?) {
            self.line(source.0, text(source), text(target));
        }
        Ok(())
    }
}

/// What all events add up to.
struct Sums {
    /// Things that were counted, events first.
    counted: Vec<(&'static str, u64)>,
    /// Debits and credits of each currency, minor units.
    totals: String,
    /// The chain over all events, computed anew.
    chain: String,
    /// The SHA-256 over the books at the head: accounts, balances, holds, reversals, names, business day.
    state: String,
}

impl Sums {
    fn of(books: &mut Source, runtime: &Runtime, progress: &mut dyn FnMut(u64)) -> Result<Sums, Error> {
        /// Events between two words about how far it is.
        const OFTEN: u64 = 8_192;
        let mut state = State::new();
        let [mut entries, mut keys, mut references] = [0; 3];
        let chain = books.walk(runtime, &mut |event, _| {
            state.apply(&event);
            entries += event.entries.len() as u64;
            keys += u64::from(!event.key.is_none());
            references += u64::from(event.reference().is_some());
            if event.sequence.0.is_multiple_of(OFTEN) {
                progress(event.sequence.0);
            }
            Ok(())
        })?;
        let mut hash = Sha256::new();
        state.save(&mut |bytes| hash.update(bytes));
        let counted = vec![
            ("events", state.head().0),
            ("entries", entries),
            ("keys", keys),
            ("references", references),
            ("open holds", state.holds().count() as u64),
            ("names", u64::from(state.name_count())),
        ];
        let totals = TrialBalance::of(&state).totals();
        let totals = totals.iter().map(|(currency, (debits, credits))| {
            format!("{} {debits} debited {credits} credited", currency.code())
        });
        Ok(Sums {
            counted,
            totals: totals.collect::<Vec<_>>().join(", "),
            chain: head(chain),
            state: hex(&hash.finalize()),
        })
    }
}

fn verdict(report: &Report) -> String {
    match &report.damage {
        None => "all holds".to_owned(),
        Some(damage) => format!("DAMAGE: {damage}"),
    }
}

fn head(head: Head) -> String {
    format!("{} {}", head.sequence, hex(&head.hash))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
