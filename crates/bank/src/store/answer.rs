//! Questions about current state, answered from a [`State`].

use ledger::event::Claimed;
use ledger::{AccountId, Digest, NameId, State};

use crate::books::{ByValue, TrialBalance};
use crate::sequencer::{AccountView, Answer, Query, Wanted};

/// Accounts that one question visits at most: the rules thread answers it, and others wait.
const VISITS_MAX: u64 = 20_000;

/// Answers `query`; `claims` finds who holds a digest.
pub(super) fn answer(state: &State, query: &Query, claims: impl Fn(&Digest) -> Option<Claimed>) -> Answer {
    match query {
        Query::Account(id) => Answer::Accounts(account(state, *id).into_iter().collect()),
        Query::AccountsById(ids) => {
            Answer::Accounts(ids.iter().filter_map(|id| account(state, *id)).collect())
        }
        Query::ByValue(id, date) => {
            Answer::ByValue(account(state, *id).map(|view| Box::new(ByValue::of(state, view, *date))))
        }
        Query::Accounts { after, limit, wanted } => some(state, *after, *limit, wanted),
        Query::Claim(digest) => Answer::Claim(claims(digest)),
        Query::Hold(id) => Answer::Hold(state.hold(*id).copied(), claims(&Digest::of_hold_end(*id))),
        Query::Name(kind, text) => Answer::Name(state.number_of(*kind, text)),
        Query::Names(ids) => {
            let name = |id: &NameId| state.name_of(*id).map(|(_, text)| text.into());
            Answer::Names(ids.iter().map(name).collect())
        }
        Query::Reversed(ids) => {
            Answer::Reversed(ids.iter().map(|id| state.reversals(*id).collect()).collect())
        }
        Query::Day => Answer::Day(state.day()),
        Query::TrialBalance => Answer::TrialBalance(TrialBalance::of(state)),
        Query::Ready => Answer::Ready,
    }
}

fn some(state: &State, after: AccountId, limit: usize, wanted: &Wanted) -> Answer {
    let last = state.account_count().min(after.0.saturating_add(VISITS_MAX));
    let mut found = Vec::new();
    for id in (after.0.saturating_add(1)..=last).map(AccountId) {
        if found.len() == limit {
            return Answer::SomeAccounts(found, Some(AccountId(id.0 - 1)));
        }
        if state.account(id).is_some_and(|account| wanted.covers(account)) {
            found.extend(account(state, id));
        }
    }
    Answer::SomeAccounts(found, (last < state.account_count()).then_some(AccountId(last)))
}

fn account(state: &State, id: AccountId) -> Option<AccountView> {
    let account = *state.account(id)?;
    let owner = state.name_of(account.owner).map(|(_, name)| name.into());
    Some(AccountView { id, account, owner })
}
