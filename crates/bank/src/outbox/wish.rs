//! What may be wished for: names, filters and holders of subscriptions.

use ledger::AccountId;

use super::template::{self, Templates};
use super::view::Filter;
use super::{Begin, OutboxError};
use crate::identity::{PrincipalName, Role};
use crate::store::Reads;

/// Longest name of a subscription, in characters.
pub const NAME_MAX: usize = 100;

/// Accounts that a subscription names at most.
pub const ACCOUNTS_MAX: usize = 1_000;

/// An endpoint that is to be registered.
#[derive(Clone, Debug)]
pub struct Wish {
    /// What people call it.
    pub name: String,
    /// Where to.
    pub url: String,
    /// Whose it is.
    pub principal: PrincipalName,
    /// As which role its principal sees the events.
    pub role: Role,
    /// For a customer: the accounts whose events are seen.
    pub accounts: Vec<u64>,
    /// What is wanted of that.
    pub filter: Filter,
    /// What the text of a notification is made from, by kind of event.
    pub templates: Templates,
    /// From when on.
    pub begin: Begin,
}

/// What is to be changed; what is none stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What people call it.
    pub name: Option<String>,
    /// Where to.
    pub url: Option<String>,
    /// Which kinds; all if empty.
    pub kinds: Option<Vec<&'static str>>,
    /// Which accounts; all if empty.
    pub accounts: Option<Vec<u64>>,
    /// All templates; none if empty.
    pub templates: Option<Templates>,
    /// Whether it gets anything.
    pub enabled: Option<bool>,
}

impl Wish {
    /// Sorted, and free of contradictions.
    pub(super) fn checked(mut self, reads: &dyn Reads) -> Result<Wish, OutboxError> {
        check_name(&self.name)?;
        sort(&mut self.accounts);
        match (self.role, self.accounts.is_empty()) {
            (Role::Customer, true) => {
                return Err(wish("a customer's subscription names the accounts that it may see"));
            }
            (Role::Customer, false) | (_, true) => {}
            (_, false) => return Err(wish("only a customer's subscription names accounts that it may see")),
        }
        check_accounts(&self.accounts, reads)?;
        sort(&mut self.filter.accounts);
        check_accounts(&self.filter.accounts, reads)?;
        check_templates(&self.templates)?;
        if let Begin::After(sequence) = self.begin {
            check_sequence(sequence, reads)?;
        }
        Ok(self)
    }
}

pub(super) fn check_name(name: &str) -> Result<(), OutboxError> {
    let length = name.chars().count();
    if length == 0 || length > NAME_MAX || name.chars().any(char::is_control) {
        return Err(wish("a name has 1 to 100 printable characters"));
    }
    Ok(())
}

pub(super) fn check_templates(templates: &Templates) -> Result<(), OutboxError> {
    templates.iter().try_for_each(|(kind, text)| {
        template::check(text).map_err(|why| OutboxError::Wish(format!("the template for {kind}: {why}")))
    })
}

pub(super) fn check_accounts(accounts: &[u64], reads: &dyn Reads) -> Result<(), OutboxError> {
    if accounts.len() > ACCOUNTS_MAX {
        return Err(wish("a subscription names at most 1000 accounts"));
    }
    match accounts.iter().find(|id| reads.facts(AccountId(**id)).is_none()) {
        Some(id) => Err(OutboxError::Wish(format!("there is no account {id}"))),
        None => Ok(()),
    }
}

/// Not beyond the newest event.
pub(super) fn check_sequence(sequence: u64, reads: &dyn Reads) -> Result<(), OutboxError> {
    let head = reads.head().sequence.0;
    if sequence > head {
        return Err(OutboxError::Wish(format!("the newest event is {head}; {sequence} is not there yet")));
    }
    Ok(())
}

pub(super) fn sort(ids: &mut Vec<u64>) {
    ids.sort_unstable();
    ids.dedup();
}

pub(super) fn wish(why: &str) -> OutboxError {
    OutboxError::Wish(why.to_owned())
}
