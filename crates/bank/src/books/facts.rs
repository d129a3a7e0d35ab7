//! What never changes about accounts: enough for the policy and for reading amounts, without asking the books.
//!
//! The policy looks at every paying account before a request is queued. Asking the sequencer each time would
//! double the way of every transfer; what cannot change need not be asked. An account may be known here a
//! moment before its opening is durable: nothing of it is shown, and the rules decide later, in order.

use ledger::{AccountId, AccountType, Body, Currency, Event, NameId, State};
use parking_lot::RwLock;

/// What never changes about an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The currency.
    pub currency: Currency,
    /// A customer's account: a liability with an owner.
    pub of_customer: bool,
}

impl Facts {
    fn of(account_type: AccountType, owner: NameId, currency: Currency) -> Facts {
        Facts { currency, of_customer: account_type == AccountType::Liability && owner != NameId(0) }
    }
}

/// The facts of all accounts, by id; four bytes each. Written by the rules thread, read by everybody.
#[derive(Debug, Default)]
pub struct FactsTable {
    known: RwLock<Vec<Facts>>,
}

impl FactsTable {
    /// Of all accounts of these books.
    #[must_use]
    pub fn of(state: &State) -> FactsTable {
        let facts = state
            .accounts()
            .map(|(_, account)| Facts::of(account.account_type, account.owner, account.currency()));
        FactsTable { known: RwLock::new(facts.collect()) }
    }

    /// Takes in an event; only an opening says anything.
    pub fn learn(&self, event: &Event) {
        if let Body::AccountOpened(opening) = &event.body {
            self.known.write().push(Facts::of(opening.account_type, opening.owner, opening.currency));
        }
    }

    /// Of one account; none if there is no such account.
    #[must_use]
    pub fn get(&self, id: AccountId) -> Option<Facts> {
        let index = usize::try_from(id.0.checked_sub(1)?).ok()?;
        self.known.read().get(index).copied()
    }
}
