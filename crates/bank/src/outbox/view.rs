//! Which events a subscription gets, and how much of each: never more than its principal may see.

use ledger::{AccountId, Event};

use super::lanes::LaneIds;
use crate::books::Facts;
use crate::http::wire::{EventOut, event_kind};
use crate::identity::{Action, Credential, Object, allow, sees};

/// What a subscriber wants to hear about; everything where nothing is named.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Kinds of events.
    pub kinds: Vec<&'static str>,
    /// Accounts; an event that touches one of them is wanted.
    pub accounts: Vec<u64>,
}

impl Filter {
    /// Is it wanted?
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        let kind = self.kinds.is_empty() || self.kinds.contains(&event_kind(event));
        let touches = || event.entries.iter().any(|entry| self.accounts.contains(&entry.account.0));
        kind && (self.accounts.is_empty() || touches())
    }
}

/// Whether the holder may hear of an event at all.
#[must_use]
pub fn may_hear(holder: &Credential, event: &Event) -> bool {
    if whole(holder) {
        return true;
    }
    let accounts: LaneIds = event.entries.iter().map(|entry| entry.account.0).collect();
    allow(holder, Action::ReadTransaction, Object::Transaction(&accounts)).is_ok() && !accounts.is_empty()
}

/// An event, as it is, as the holder may see it.
#[must_use]
pub fn shown(holder: &Credential, event: &Event, as_it_is: EventOut) -> EventOut {
    if whole(holder) { as_it_is } else { as_it_is.for_holder_of(event, |account| sees(holder, account.0)) }
}

/// May the holder read events as they are?
#[must_use]
pub fn whole(holder: &Credential) -> bool {
    allow(holder, Action::ReadEvents, Object::Bank).is_ok()
}

/// The lanes of an event: the customers' accounts that it touches. The bank's own make none, or every deposit
/// would wait for the drawer.
#[must_use]
pub fn lanes(event: &Event, facts: impl Fn(AccountId) -> Option<Facts>) -> LaneIds {
    let mut lanes = LaneIds::new();
    for entry in &event.entries {
        let id = entry.account;
        if !lanes.contains(&id.0) && facts(id).is_some_and(|facts| facts.of_customer) {
            lanes.push(id.0);
        }
    }
    lanes
}
