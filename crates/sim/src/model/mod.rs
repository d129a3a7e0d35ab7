//! The model: the same bank once more, as plainly as it can be written.
//!
//! It shares the vocabulary of `ledger` (commands, codes, events) and none of its rules: no `decide`, no `apply`, no
//! account arithmetic. Accounts are maps of `i128`, every total is added up by hand, every check is spelled out.
//! Two programs that were written apart and agree on a million requests are rarely wrong together.
//!
//! ```text
//!  Ask ─► Model::expect(ask, time) ─► Expected (accepted with its facts, refused with its code, replayed …)
//!                                        │
//!  Event ─► Fact::from ── must equal ────┘        Model::fold(fact) ─► the next state
//! ```
//! Over another way in (HTTP), where only answers are seen, the same model serves: build the [`Fact`] from the
//! answer and compare the fields that are there.

mod account;
mod ask;
mod budget;
mod expect;
mod fact;
mod manage;
mod movement;
mod reserve;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::{Currency, Date, Digest};

pub use account::Account;
pub use ask::{Ask, Intent};
pub use budget::Budget;
pub use expect::{Expected, Refused};
pub use fact::{Fact, Leg, What};

/// An open hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whose funds.
    pub account: u64,
    /// Who is promised them.
    pub to: Option<u64>,
    /// Minor units.
    pub amount: i128,
    /// The currency.
    pub currency: Currency,
    /// When it ends by itself, microseconds.
    pub expires_at: i64,
}

/// A transaction that can be reversed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its kind.
    pub kind: ledger::TransactionKind,
    /// Its posted lines.
    pub lines: Vec<ledger::Line>,
    /// What was taken back of each line.
    pub reversed: Vec<i128>,
}

/// The bank, in plain maps.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Every event so far, in order; the first has sequence 1.
    pub facts: Vec<Arc<Fact>>,
    /// Accounts by id.
    pub accounts: BTreeMap<u64, Account>,
    /// Open holds by id.
    pub holds: BTreeMap<u64, Hold>,
    /// Holds that have ended.
    pub ended: BTreeSet<u64>,
    /// Transactions by id.
    pub transactions: BTreeMap<u64, Transaction>,
    /// Who used a key, and for what.
    pub keys: BTreeMap<Digest, (u64, Option<Arc<Intent>>)>,
    /// Account numbers in use.
    pub numbers: BTreeSet<String>,
    /// Names in the order of their numbers.
    pub names: Vec<(ledger::event::NameKind, String)>,
    /// References and who carries them.
    pub references: BTreeMap<String, Vec<u64>>,
    /// The open business day.
    pub open_day: Option<i32>,
    /// The newest day ever opened.
    pub newest_day: Option<i32>,
    /// The budgets of recorded refusals; full again after a restart.
    pub budget: Budget,
}

impl Model {
    /// An empty bank with this budget of recorded refusals (a second, at once).
    #[must_use]
    pub fn new(budget: (u32, u32)) -> Model {
        Model { budget: Budget::new(budget.0, budget.1), ..Model::default() }
    }

    /// The sequence of the newest event.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.facts.len() as u64
    }

    /// The time of the newest event.
    #[must_use]
    pub fn time(&self) -> i64 {
        self.facts.last().map_or(0, |fact| fact.time)
    }

    /// When the next hold ends by itself, and which.
    #[must_use]
    pub fn next_due(&self) -> Option<(i64, u64)> {
        self.holds.iter().map(|(id, hold)| (hold.expires_at, *id)).min()
    }

    /// The booking date of an event at `time`.
    #[must_use]
    pub fn booking(&self, time: i64) -> i32 {
        self.open_day.or(self.newest_day).unwrap_or_else(|| Date::of_micros(time).0)
    }

    /// Sum of debits and credits per currency.
    #[must_use]
    pub fn sums(&self) -> BTreeMap<Currency, (i128, i128)> {
        let mut sums: BTreeMap<Currency, (i128, i128)> = BTreeMap::new();
        for account in self.accounts.values() {
            let sum = sums.entry(account.currency).or_default();
            sum.0 += account.debits;
            sum.1 += account.credits;
        }
        sums
    }

    /// Takes an event in, whoever decided it.
    ///
    /// # Panics
    /// If it does not follow from what is there: that is a finding, and the message says which.
    pub fn fold(&mut self, fact: &Fact, intent: Option<Arc<Intent>>) {
        assert_eq!(fact.sequence, self.head() + 1, "a gap in the sequence");
        assert!(fact.time >= self.time(), "time goes back at {}", fact.sequence);
        if fact.key != Digest::NONE {
            let before = self.keys.insert(fact.key, (fact.sequence, intent));
            assert!(before.is_none(), "event {} uses a key that {before:?} used", fact.sequence);
        }
        if let What::Opened { account, number, .. } = &fact.what {
            assert_eq!(*account, self.accounts.len() as u64 + 1, "accounts are numbered without gaps");
            assert!(self.numbers.insert(number.clone()), "account number {number} was given out twice");
            self.accounts.insert(*account, Account::opened(fact));
        }
        for leg in &fact.legs {
            let account =
                self.accounts.get_mut(&leg.account).expect("an entry on an account that is not there");
            account.fold(leg, fact.sequence);
        }
        self.fold_what(fact);
        if let Some(reference) = &fact.reference {
            self.references.entry(reference.clone()).or_default().push(fact.sequence);
        }
        self.facts.push(Arc::new(fact.clone()));
    }

    fn fold_what(&mut self, fact: &Fact) {
        match &fact.what {
            What::Named { id, kind, text } => {
                self.names.push((*kind, text.clone()));
                assert_eq!(*id as usize, self.names.len(), "names are numbered without gaps");
            }
            What::Changed { account, status, limit } => {
                let account =
                    self.accounts.get_mut(account).expect("a change of an account that is not there");
                if let Some((before, after)) = status {
                    assert_eq!(account.status, *before);
                    account.status = *after;
                }
                if let Some((before, after)) = limit {
                    assert_eq!(account.limit, *before);
                    account.limit = *after;
                }
            }
            What::HoldPlaced { expires_at } => {
                let held = &fact.legs[0];
                let hold = Hold {
                    account: held.account,
                    to: fact.legs.get(1).map(|promise| promise.account),
                    amount: held.amount,
                    currency: held.currency,
                    expires_at: *expires_at,
                };
                self.holds.insert(fact.sequence, hold);
            }
            What::HoldEnded { hold, .. } => self.end_hold(*hold),
            What::Posted { kind, hold, reverses } => {
                if let Some(hold) = hold {
                    self.end_hold(*hold);
                }
                let lines = fact.posted_lines();
                if let Some((original, indices)) = reverses {
                    let original = self.transactions.get_mut(original).expect("a reversal of nothing");
                    for (index, line) in indices.iter().zip(&lines) {
                        original.reversed[usize::from(*index)] += i128::from(line.amount);
                    }
                }
                let reversed = vec![0; lines.len()];
                self.transactions.insert(fact.sequence, Transaction { kind: *kind, lines, reversed });
            }
            What::DayOpened(day) => (self.open_day, self.newest_day) = (Some(*day), Some(*day)),
            What::DayClosed(_) => self.open_day = None,
            What::BankOpened | What::Opened { .. } | What::Refused { .. } | What::Group { .. } => {}
        }
    }

    fn end_hold(&mut self, hold: u64) {
        assert!(self.holds.remove(&hold).is_some(), "hold {hold} ends, but is not open");
        assert!(self.ended.insert(hold), "hold {hold} ends twice");
    }
}
