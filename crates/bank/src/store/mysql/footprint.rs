//! What a batch will touch: the accounts to lock before it is decided.
//!
//! A guess that may be too small: a hold that somebody else placed a moment ago is not known yet. What a batch
//! touches without holding it is noticed when it is decided, and the batch is begun again with it.

use std::collections::BTreeSet;

use ledger::{AccountId, Command, Request, Sequence, State};

use crate::sequencer::{Submission, Work};

/// Adds the accounts of a batch.
pub(super) fn of_batch(batch: &[Submission], state: &State, accounts: &mut BTreeSet<AccountId>) {
    for submission in batch {
        match &submission.work {
            Work::Requests(requests) => {
                requests.iter().for_each(|request| of_request(request, state, accounts))
            }
            Work::Group { members, .. } => {
                members.iter().for_each(|request| of_request(request, state, accounts));
            }
            Work::Name(..) | Work::Query(_) | Work::ConfirmClock | Work::Stop => {}
        }
    }
    // What is not there cannot be locked; the rules will say so.
    let newest = AccountId(state.account_count());
    accounts.retain(|id| id.0 > 0 && *id <= newest);
}

/// Adds the accounts of an open hold.
pub(super) fn of_hold(hold: Sequence, state: &State, accounts: &mut BTreeSet<AccountId>) {
    if let Some(open) = state.hold(hold) {
        accounts.insert(open.account);
        accounts.extend(open.to);
    }
}

fn of_request(request: &Request, state: &State, accounts: &mut BTreeSet<AccountId>) {
    match &request.command {
        Command::Deposit(movement)
        | Command::Withdraw(movement)
        | Command::Transfer(movement)
        | Command::Prepare(movement) => {
            accounts.extend([movement.from, movement.to]);
        }
        Command::Post { lines } => accounts.extend(lines.iter().map(|line| line.account)),
        Command::Reverse { original, .. } => {
            accounts.extend(original.lines.iter().map(|line| line.account));
        }
        Command::Hold { account, to, .. } => {
            accounts.insert(*account);
            accounts.extend(*to);
        }
        Command::Capture { hold, to, .. } => {
            of_hold(*hold, state, accounts);
            accounts.extend(*to);
        }
        Command::Void { hold }
        | Command::Expire { hold }
        | Command::Commit { hold }
        | Command::Abort { hold } => of_hold(*hold, state, accounts),
        Command::ChangeAccount { account, .. } => {
            accounts.insert(*account);
        }
        Command::OpenAccount(_)
        | Command::OpenDay { .. }
        | Command::CloseDay { .. }
        | Command::Name { .. } => {}
    }
}
