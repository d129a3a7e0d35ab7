//! Taking events back: for a store whose commit may fail after the rules have gone on.
//!
//! The journal store needs none of this: what it cannot write it never lives to see. A store that asks another
//! server to commit can be told no, and then decides the batch again from the books as they were.

use smallvec::SmallVec;

use crate::account::{Account, AccountType};
use crate::currency::Currency;
use crate::event::{Body, Event, NameKind};
use crate::ids::{AccountId, Sequence};
use crate::late::Dates;
use crate::state::State;
use crate::totals::Total;
use crate::view::{BusinessDay, Hold};

/// How the books were before some events, newest last.
#[derive(Default, Debug)]
pub struct Undo {
    steps: Vec<Before>,
}

/// What one event is about to change.
#[derive(Debug)]
struct Before {
    head: Sequence,
    time: i64,
    day: BusinessDay,
    accounts: SmallVec<[(AccountId, Account); 2]>,
    opened: bool,
    bank: bool,
    named: Option<(NameKind, Box<str>)>,
    placed: Option<Sequence>,
    ended: Option<(Sequence, Hold)>,
    reversed: Vec<((Sequence, u8), Option<i64>)>,
    late: Vec<(AccountId, Vec<(Dates, i128)>)>,
    totals: SmallVec<[Total; 2]>,
    total_count: usize,
}

impl Undo {
    /// Nothing to take back.
    #[must_use]
    pub fn new() -> Undo {
        Undo::default()
    }

    /// Forgets everything: what was applied stays.
    pub fn clear(&mut self) {
        self.steps.clear();
    }
}

impl State {
    /// As [`State::apply`], and remembers what it changes.
    ///
    /// # Panics
    /// As [`State::apply`].
    pub fn apply_undoable(&mut self, event: &Event, undo: &mut Undo) {
        undo.steps.push(Before::of(self, event));
        self.apply(event);
    }

    /// Takes back everything in `undo`: the books are what they were when it was empty.
    pub fn take_back(&mut self, undo: &mut Undo) {
        while let Some(before) = undo.steps.pop() {
            before.restore(self);
        }
    }
}

impl Before {
    fn of(state: &State, event: &Event) -> Before {
        let mut before = Before {
            head: state.head,
            time: state.time,
            day: state.day,
            accounts: SmallVec::new(),
            opened: false,
            bank: false,
            named: None,
            placed: None,
            ended: None,
            reversed: Vec::new(),
            late: Vec::new(),
            totals: SmallVec::new(),
            total_count: state.totals.lines().len(),
        };
        for entry in &event.entries {
            let known = before.accounts.iter().any(|(id, _)| *id == entry.account);
            if let Some(account) = state.account(entry.account).filter(|_| !known) {
                before.accounts.push((entry.account, *account));
                before.total(state, account.currency(), account.account_type);
            }
        }
        let open = |hold: &Sequence| state.hold(*hold).map(|open| (*hold, *open));
        match &event.body {
            Body::BankOpened { .. } => before.bank = true,
            Body::Named { kind, text, .. } => before.named = Some((*kind, text.clone())),
            Body::AccountOpened(opening) => {
                before.opened = true;
                before.total(state, opening.currency, opening.account_type);
            }
            Body::HoldPlaced { .. } => before.placed = Some(event.sequence),
            Body::HoldEnded { hold, .. } => before.ended = open(hold),
            Body::Posted { hold, reverses, .. } => {
                before.ended = hold.as_ref().and_then(open);
                if let Some((original, indices)) = reverses {
                    let places = indices.iter().map(|index| (*original, *index));
                    before.reversed =
                        places.map(|place| (place, state.reversed.get(&place).copied())).collect();
                }
                if event.value != event.booking {
                    let accounts = before.accounts.iter().map(|(id, _)| *id);
                    before.late = accounts.map(|id| (id, state.late.of(id))).collect();
                }
            }
            Body::AccountChanged { .. }
            | Body::DayOpened { .. }
            | Body::DayClosed { .. }
            | Body::Refused(_)
            | Body::Group { .. } => {}
        }
        before
    }

    fn total(&mut self, state: &State, currency: Currency, account_type: AccountType) {
        let known = |total: &Total| total.currency == currency && total.account_type == account_type;
        if !self.totals.iter().any(known) {
            self.totals.extend(state.totals.get(currency, account_type).copied());
        }
    }

    fn restore(self, state: &mut State) {
        state.totals.restore(&self.totals, self.total_count);
        (state.head, state.time, state.day) = (self.head, self.time, self.day);
        if self.opened {
            state.pop_account();
        }
        for (id, account) in self.accounts {
            *state.account_mut(id) = account;
        }
        if self.bank {
            (state.bank, state.timeline, state.bank_name) = Default::default();
        }
        if let Some(name) = self.named {
            state.names.pop();
            state.numbers.remove(&name);
        }
        if let Some(placed) = self.placed {
            state.end_hold(placed);
        }
        if let Some((id, hold)) = self.ended {
            state.due.insert((hold.expires_at, id));
            state.holds.insert(id, hold);
        }
        for (place, amount) in self.reversed {
            match amount {
                Some(amount) => state.reversed.insert(place, amount),
                None => state.reversed.remove(&place),
            };
        }
        for (id, sums) in self.late {
            state.late.replace(id, sums);
        }
    }
}
