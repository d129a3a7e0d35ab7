//! The books with the events of an undecided group folded over them.
//!
//! Each member of a group sees those before it, and a refusal leaves the books as they were: only the
//! overlay is thrown away.

use std::collections::BTreeMap;

use crate::account::Account;
use crate::digest::Digest;
use crate::entry::Effect;
use crate::event::{Body, Claimed, Event, NameKind};
use crate::ids::{AccountId, NameId, Sequence};
use crate::view::{BusinessDay, Hold, View};

/// A view over a view; see the module's story.
pub struct Overlay<'a, V> {
    base: &'a V,
    accounts: BTreeMap<AccountId, Account>,
    holds: BTreeMap<Sequence, Option<Hold>>,
    reversed: BTreeMap<(Sequence, u8), i64>,
    claims: BTreeMap<Digest, Claimed>,
}

impl<'a, V: View> Overlay<'a, V> {
    /// Nothing folded yet.
    pub fn new(base: &'a V) -> Self {
        Overlay {
            base,
            accounts: BTreeMap::new(),
            holds: BTreeMap::new(),
            reversed: BTreeMap::new(),
            claims: BTreeMap::new(),
        }
    }

    /// Folds a member's event in. Members move money; they open no accounts, days or names.
    pub fn fold(&mut self, event: &Event) {
        for entry in &event.entries {
            let base = self.base;
            let account = self
                .accounts
                .entry(entry.account)
                .or_insert_with(|| *base.account(entry.account).expect("decided"));
            entry.fold(account, event.sequence);
        }
        match &event.body {
            Body::HoldPlaced { expires_at } => {
                self.holds.insert(event.sequence, Some(hold_of(event, *expires_at)));
            }
            Body::HoldEnded { hold, .. } => {
                self.holds.insert(*hold, None);
            }
            Body::Posted { hold, reverses, .. } => {
                if let Some(hold) = hold {
                    self.holds.insert(*hold, None);
                }
                if let Some((original, indices)) = reverses {
                    for (index, entry) in indices.iter().zip(event.posted()) {
                        *self.reversed.entry((*original, *index)).or_default() += entry.amount;
                    }
                }
            }
            other => unreachable!("not a member of a group: {other:?}"),
        }
        event.claims(|digest, claimed| {
            self.claims.insert(digest, claimed);
        });
    }
}

/// The hold that a placing event describes.
pub(crate) fn hold_of(event: &Event, expires_at: i64) -> Hold {
    let held = &event.entries[0];
    debug_assert_eq!(held.effect, Effect::Held);
    Hold {
        account: held.account,
        side: held.side,
        to: event.entries.get(1).map(|promise| promise.account),
        amount: held.amount,
        currency: held.currency,
        expires_at,
    }
}

impl<V: View> View for Overlay<'_, V> {
    fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id).or_else(|| self.base.account(id))
    }

    fn hold(&self, id: Sequence) -> Option<&Hold> {
        match self.holds.get(&id) {
            Some(changed) => changed.as_ref(),
            None => self.base.hold(id),
        }
    }

    fn reversed(&self, original: Sequence, entry: u8) -> i64 {
        self.base.reversed(original, entry) + self.reversed.get(&(original, entry)).copied().unwrap_or(0)
    }

    fn day(&self) -> BusinessDay {
        self.base.day()
    }

    fn next_account(&self) -> AccountId {
        self.base.next_account()
    }

    fn next_name(&self) -> NameId {
        self.base.next_name()
    }

    fn name(&self, kind: NameKind, text: &str) -> Option<NameId> {
        self.base.name(kind, text)
    }

    fn claimed(&self, digest: &Digest) -> Option<Claimed> {
        self.claims.get(digest).copied().or_else(|| self.base.claimed(digest))
    }
}
