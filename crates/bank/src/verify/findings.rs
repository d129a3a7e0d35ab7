//! What was checked and what was wrong, by subject; the first of each kind with its sequence.

use super::report::Check;

macro_rules! subjects {
    ($($(#[$doc:meta])* $name:ident $word:literal,)+) => {
        /// What a check is about.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Subject { $($(#[$doc])* $name,)+ }

        impl Subject {
            const ALL: &'static [(Subject, &'static str)] = &[$((Subject::$name, $word),)+];
        }
    };
}

impl Subject {
    /// What is claimed, for the two that have files.
    pub(super) fn of_claims(self) -> &'static str {
        if self == Subject::References { "reference" } else { "key" }
    }
}

subjects! {
    /// Every record is the one encoding of one event.
    Events "events",
    /// Debits equal credits in each currency, and only transactions move money.
    Transactions "transactions",
    /// Versions, links and skip pointers of every account.
    History "history",
    /// Every balance is the sum of its entries and never below its floor.
    Balances "balances",
    /// Accounts are numbered without gaps and change as their events say.
    Accounts "accounts",
    /// One end each; what is held is the sum of the open holds.
    Holds "holds",
    /// Together never above the original.
    Reversals "reversals",
    /// One day at a time, going forward; transactions are booked on it.
    Days "days",
    /// Numbered without gaps, each once.
    Names "names",
    /// Each header is followed by its members.
    Groups "groups",
    /// Keys, hold ends and account numbers: unique, and found through the key files.
    Keys "keys",
    /// References are found through their files.
    References "references",
    /// Equal to the fold at their sequence.
    Snapshots "snapshots",
    /// Over all accounts.
    TrialBalance "trial_balance",
}

/// How many things were looked at, how many are wrong, and the first of those.
#[derive(Clone, Default)]
pub(super) struct Tally {
    checked: u64,
    wrong: u64,
    first: Option<(Option<u64>, String)>,
    notes: Vec<String>,
}

impl Tally {
    /// One more thing was looked at.
    pub(super) fn checked(&mut self) {
        self.checked += 1;
    }

    /// Something is wrong, with the event at which it shows if there is one.
    pub(super) fn wrong(&mut self, sequence: Option<u64>, what: String) {
        self.wrong += 1;
        // Claims are compared after the walk, so what is found first need not come first.
        let earlier = |known: &(Option<u64>, String)| match (sequence, known.0) {
            (Some(new), Some(old)) => new < old,
            // An event has a place, which helps more than knowing that something is wrong somewhere.
            (new, old) => new.is_some() && old.is_none(),
        };
        if self.first.as_ref().is_none_or(earlier) {
            self.first = Some((sequence, what));
        }
    }

    /// Something worth saying that is not wrong.
    pub(super) fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// What came of it.
    pub(super) fn into_check(self, name: &'static str) -> Check {
        let mut detail = match &self.first {
            None => Vec::new(),
            Some((Some(sequence), what)) => vec![format!("at sequence {sequence}: {what}")],
            Some((None, what)) => vec![what.clone()],
        };
        if self.wrong > 1 {
            detail.push(format!("{} more like this", self.wrong - 1));
        }
        detail.extend(self.notes);
        Check { name, ok: self.wrong == 0, checked: self.checked, detail: detail.join("; ") }
    }
}

/// The tallies of all subjects.
pub(super) struct Findings {
    tallies: Vec<Tally>,
}

impl Findings {
    pub(super) fn new() -> Findings {
        Findings { tallies: vec![Tally::default(); Subject::ALL.len()] }
    }

    /// One more thing was looked at.
    pub(super) fn checked(&mut self, subject: Subject) {
        self.tallies[subject as usize].checked();
    }

    /// Something is wrong, with the event at which it shows if there is one.
    pub(super) fn wrong(&mut self, subject: Subject, sequence: impl Into<Option<u64>>, what: String) {
        self.tallies[subject as usize].wrong(sequence.into(), what);
    }

    /// As [`Findings::wrong`], unless `holds`.
    pub(super) fn expect(
        &mut self,
        holds: bool,
        subject: Subject,
        sequence: u64,
        what: impl FnOnce() -> String,
    ) {
        if !holds {
            self.wrong(subject, sequence, what());
        }
    }

    /// Something worth saying that is not wrong.
    pub(super) fn note(&mut self, subject: Subject, text: String) {
        self.tallies[subject as usize].note(text);
    }

    /// The earliest event at which something is wrong, or something wrong that has no event.
    pub(super) fn first(&self) -> Option<(Option<u64>, String)> {
        let firsts = self.tallies.iter().filter_map(|tally| tally.first.clone());
        firsts.min_by_key(|(sequence, _)| sequence.unwrap_or(u64::MAX))
    }

    pub(super) fn into_checks(self) -> Vec<Check> {
        self.into_checks_of(|_| true)
    }

    /// The checks of some subjects.
    pub(super) fn into_checks_of(self, wanted: impl Fn(Subject) -> bool) -> Vec<Check> {
        let each = Subject::ALL.iter().zip(self.tallies).filter(|((subject, _), _)| wanted(*subject));
        each.map(|((_, name), tally)| tally.into_check(name)).collect()
    }
}
