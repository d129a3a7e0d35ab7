//! Questions about current state, answered from a [`State`].

use ledger::event::Claimed;
use ledger::{AccountId, Digest, State};

use crate::books::TrialBalance;
use crate::sequencer::{AccountView, Answer, Query};

/// Accounts that one question visits at most: the rules thread answers it, and others wait.
const VISITS_MAX: u64 = 20_000;

/// Answers `query`; `claims` finds who holds a digest.
pub(super) fn answer(state: &State, query: &Query, claims: impl Fn(&Digest) -> Option<Claimed>) -> Answer {
    match query {
        Query::Account(id) => Answer::Accounts(account(state, *id).into_iter().collect()),
        Query::Accounts { after, limit, owner } => {
            let last = state.account_count().min(after.0.saturating_add(VISITS_MAX));
            let ids = (after.0.saturating_add(1)..=last).map(AccountId);
            let wanted = |view: &AccountView| owner.is_none_or(|owner| view.account.owner == owner);
            Answer::Accounts(ids.filter_map(|id| account(state, id)).filter(wanted).take(*limit).collect())
        }
        Query::Claim(digest) => Answer::Claim(claims(digest)),
        Query::Hold(id) => Answer::Hold(state.hold(*id).copied(), claims(&Digest::of_hold_end(*id))),
        Query::Name(kind, text) => Answer::Name(state.number_of(*kind, text)),
        Query::Day => Answer::Day(state.day()),
        Query::TrialBalance => Answer::TrialBalance(TrialBalance::of(state)),
    }
}

fn account(state: &State, id: AccountId) -> Option<AccountView> {
    let account = *state.account(id)?;
    let owner = state.name_of(account.owner).map(|(_, name)| name.into());
    Some(AccountView { id, account, owner })
}
