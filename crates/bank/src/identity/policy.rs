//! Who may do what: one pure function, deny by default, below HTTP so that no path skips it.
//!
//! The table is read by the tests, so it cannot drift from the code.
//!
//! | word      | reaches | else |
//! |-----------|---------|------|
//! | all       | any object | |
//! | customers | customers' accounts, not the bank's own | 403 |
//! | drawer    | the same, with cash over the own drawer only | 403 |
//! | own       | what belongs to the holder | hidden: 404, as if it were not there |
//! | -         | nothing | 403 |
//!
//! | action         | admin | banker | operations | auditor | customer | queue |
//! |----------------|-------|--------|------------|---------|----------|-------|
//! | OpenAccount    | all   | customers | -       | -       | -        | -     |
//! | ReadAccount    | all   | all    | all        | all     | own      | -     |
//! | ListAccounts   | all   | all    | all        | all     | own      | -     |
//! | Freeze         | all   | customers | all     | -       | -        | -     |
//! | Unfreeze       | all   | -      | all        | -       | -        | -     |
//! | CloseAccount   | all   | -      | -          | -       | -        | -     |
//! | ChangeLimits   | all   | -      | -          | -       | -        | -     |
//! | Deposit        | all   | drawer | -          | -       | -        | -     |
//! | Withdraw       | all   | drawer | -          | -       | -        | -     |
//! | Transfer       | all   | customers | -         | -       | own      | customers |
//! | PostEntries    | all   | -      | all        | -       | -        | -     |
//! | Batch          | all   | all    | all        | -       | all      | -     |
//! | Hold           | all   | customers | -         | -       | own      | -     |
//! | EndHold        | all   | customers | -         | -       | own      | -     |
//! | Pay            | all   | customers | customers | -       | own      | customers |
//! | ReadPayment    | all   | all    | all        | all     | own      | -     |
//! | ListPayments   | all   | all    | all        | all     | own      | -     |
//! | CancelPayment  | all   | customers | customers | -      | own      | -     |
//! | ReadCases      | all   | -      | all        | all     | -        | -     |
//! | ResolveCase    | all   | -      | all        | -       | -        | -     |
//! | ReadPromises   | all   | -      | all        | all     | -        | -     |
//! | DecidePromise  | all   | -      | all        | -       | -        | -     |
//! | ReadRails      | all   | all    | all        | all     | all      | -     |
//! | ManageRails    | all   | -      | -          | -       | -        | -     |
//! | Reverse        | all   | -      | all        | -       | -        | -     |
//! | ReadTransaction| all   | all    | all        | all     | own      | -     |
//! | ListTransactions| all  | all    | all        | all     | own      | -     |
//! | ReadEvents     | all   | -      | all        | all     | -        | -     |
//! | ReadTrialBalance| all  | -      | all        | all     | -        | -     |
//! | ReadKey        | all   | own    | all        | all     | own      | -     |
//! | OpenDay        | all   | -      | all        | -       | -        | -     |
//! | CloseDay       | all   | -      | all        | -       | -        | -     |
//! | ConfirmClock   | all   | -      | all        | -       | -        | -     |
//! | ReadBreaks     | all   | -      | all        | all     | -        | -     |
//! | CloseBreak     | all   | -      | all        | -       | -        | -     |
//! | ManageKeys     | all   | -      | -          | -       | -        | -     |
//! | ListKeys       | all   | -      | -          | all     | -        | -     |
//! | ReadAudit      | all   | -      | -          | all     | -        | -     |
//! | ReadMetrics    | all   | -      | all        | all     | -        | -     |
//! | ManageOutbox   | all   | -      | all        | -       | -        | -     |
//! | ReadOutbox     | all   | -      | all        | all     | -        | -     |
//!
//! - `own` for ReadKey is one's own idempotency keys: another principal's are hidden. Those who repair and those
//!   who check may ask about anybody's, except the bank's own subsystems', which no request can name.
//! - A customer ends only a hold that they placed themselves: a merchant's or the bank's stays.
//! - A batch is an envelope: each command in it is asked for on its own.
//! - A customer's account is a liability that has an owner. The ledger transfers between any two accounts of
//!   the same normal side, so without this a teller could pay out the bank's income, and a customer move a
//!   debt of theirs to somebody else's loan. Who does not know what an account is says "the bank's".
//! - What comes from a queue pays from customers' accounts and reads nothing; no API key has this role.
//! - Whoever may move money may give it a value date in the past, within the rules' bound: nothing is computed from
//!   value dates yet. With interest it becomes a right of its own.
//! - A banker opens customers' accounts without an overdraft: a limit is for those who may change limits.

use super::credential::Credential;
use super::role::Role;

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// What somebody wants to do.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Action { $($(#[$doc])* $name,)+ }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Action] = &[$(Action::$name,)+];
        }
    };
}

actions! {
    /// Open an account. Object: [`Object::NewAccount`].
    OpenAccount,
    /// Read an account. Object: [`Object::Account`].
    ReadAccount,
    /// List accounts; leave out what [`sees`] denies. Object: [`Object::Bank`].
    ListAccounts,
    /// Stop an account. Object: [`Object::Account`].
    Freeze,
    /// Release a pending or frozen account. Object: [`Object::Account`].
    Unfreeze,
    /// End an account. Object: [`Object::Account`].
    CloseAccount,
    /// Change an overdraft limit. Object: [`Object::Account`].
    ChangeLimits,
    /// Take cash in. Object: [`Object::Cash`].
    Deposit,
    /// Pay cash out. Object: [`Object::Cash`].
    Withdraw,
    /// Move money between accounts. Object: [`Object::Account`], the one that pays.
    Transfer,
    /// Post a journal entry. Object: [`Object::Bank`].
    PostEntries,
    /// Send several commands at once. Object: [`Object::Bank`].
    Batch,
    /// Reserve funds. Object: [`Object::Account`], the one that pays.
    Hold,
    /// Capture or void a hold. Object: [`Object::Hold`].
    EndHold,
    /// Pay somebody at another institution. Object: [`Object::Account`], the one that pays.
    Pay,
    /// Read a payment. Object: [`Object::Account`], the one that pays.
    ReadPayment,
    /// List payments; a customer those of the own accounts. Object: [`Object::Bank`].
    ListPayments,
    /// Have a payment cancelled. Object: [`Object::Account`], the one that pays.
    CancelPayment,
    /// Read cases. Object: [`Object::Bank`].
    ReadCases,
    /// Decide about a case. Object: [`Object::Bank`].
    ResolveCase,
    /// Read what other banks had us prepare. Object: [`Object::Bank`].
    ReadPromises,
    /// Decide about a promise in doubt, without its coordinator. Object: [`Object::Bank`].
    DecidePromise,
    /// Read the ways to other institutions. Object: [`Object::Bank`].
    ReadRails,
    /// Make and change the ways to other institutions, and their keys. Object: [`Object::Bank`].
    ManageRails,
    /// Reverse a transaction. Object: [`Object::Bank`].
    Reverse,
    /// Read a transaction. Object: [`Object::Transaction`].
    ReadTransaction,
    /// List an account's transactions, or all. Object: [`Object::Account`] or [`Object::Bank`].
    ListTransactions,
    /// Read the stream of events. Object: [`Object::Bank`].
    ReadEvents,
    /// Read the trial balance. Object: [`Object::Bank`].
    ReadTrialBalance,
    /// Ask what became of an idempotency key. Object: [`Object::Principal`].
    ReadKey,
    /// Open a business day. Object: [`Object::Bank`].
    OpenDay,
    /// Close a business day. Object: [`Object::Bank`].
    CloseDay,
    /// Accept a clock that jumped. Object: [`Object::Bank`].
    ConfirmClock,
    /// Read balances that their entries did not explain. Object: [`Object::Bank`].
    ReadBreaks,
    /// Be done with one. Object: [`Object::Bank`].
    CloseBreak,
    /// Create and revoke API keys. Object: [`Object::Bank`].
    ManageKeys,
    /// List API keys. Object: [`Object::Bank`].
    ListKeys,
    /// Read audit records. Object: [`Object::Bank`].
    ReadAudit,
    /// Read metrics. Object: [`Object::Bank`].
    ReadMetrics,
    /// Register, change and remove webhooks, and replay events. Object: [`Object::Bank`].
    ManageOutbox,
    /// See where events are delivered to, and how far that is. Object: [`Object::Bank`].
    ReadOutbox,
}

/// An account, as far as the policy must know it. Neither part ever changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountRef {
    /// The account.
    pub id: u64,
    /// A liability that has an owner; false for the bank's own and if unknown. Not needed for reading.
    pub of_customer: bool,
}

/// What it is to be done to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Object<'a> {
    /// The bank as a whole.
    Bank,
    /// An account to be.
    NewAccount {
        /// A liability that has an owner.
        of_customer: bool,
        /// Whether it begins with an overdraft limit.
        overdraft: bool,
    },
    /// An account.
    Account(AccountRef),
    /// A customer's account and the drawer that the cash goes through.
    Cash {
        /// The customer's account.
        account: AccountRef,
        /// The drawer.
        drawer: u64,
    },
    /// A hold on an account.
    Hold {
        /// The account that pays.
        account: AccountRef,
        /// The ledger's number of the principal who placed the hold.
        placed_by: u32,
    },
    /// A transaction, as the accounts that it has entries on.
    Transaction(&'a [u64]),
    /// Something that belongs to a principal, by name.
    Principal(&'a str),
}

impl AccountRef {
    /// A customer's account.
    #[must_use]
    pub fn customer(id: u64) -> AccountRef {
        AccountRef { id, of_customer: true }
    }

    /// One of the bank's own accounts, or one of which nothing is known.
    #[must_use]
    pub fn bank(id: u64) -> AccountRef {
        AccountRef { id, of_customer: false }
    }
}

/// The answer no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Denied {
    /// Somebody else's; the same answer as for what is not there (404).
    #[error("not found; check the id")]
    Hidden,
    /// Not for this credential at all (403).
    #[error("this API key may not do this; use one whose role may, and for cash the drawer of the key")]
    Forbidden,
}

/// How far a role reaches in an action.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Nothing,
    Own,
    Drawer,
    Customers,
    All,
}

/// Whether the holder of `credential` may do `action` to `object`.
pub fn allow(credential: &Credential, action: Action, object: Object<'_>) -> Result<(), Denied> {
    if credential.is_revoked() {
        return Err(Denied::Forbidden);
    }
    let granted = match reach(credential.role, action) {
        Reach::Nothing => false,
        Reach::Own => return own(credential, action, object),
        Reach::Drawer => match object {
            Object::Cash { account, drawer } => account.of_customer && credential.drawer == Some(drawer),
            _ => false,
        },
        Reach::Customers => match object {
            Object::NewAccount { of_customer, overdraft } => of_customer && !overdraft,
            Object::Account(account) | Object::Hold { account, .. } => account.of_customer,
            _ => false,
        },
        Reach::All => true,
    };
    if granted { Ok(()) } else { Err(Denied::Forbidden) }
}

/// Whether the holder of `credential` may see `account` and its balances.
#[must_use]
pub fn sees(credential: &Credential, account: u64) -> bool {
    allow(credential, Action::ReadAccount, Object::Account(AccountRef::bank(account))).is_ok()
}

fn own(credential: &Credential, action: Action, object: Object<'_>) -> Result<(), Denied> {
    let owns = |account: AccountRef| credential.owns(account.id);
    let (mine, permitted) = match (action, object) {
        (Action::ReadKey, Object::Principal(name)) => (*credential.principal == *name, true),
        // Each account in the answer is asked for with `sees`.
        (Action::ListAccounts | Action::ListPayments, Object::Bank) => (true, true),
        (Action::ReadAccount | Action::ListTransactions | Action::ReadPayment, Object::Account(account)) => {
            (owns(account), true)
        }
        (Action::ReadTransaction, Object::Transaction(ids)) => {
            (ids.iter().any(|id| credential.owns(*id)), true)
        }
        (Action::Transfer | Action::Hold | Action::Pay | Action::CancelPayment, Object::Account(account)) => {
            (owns(account), account.of_customer)
        }
        (Action::EndHold, Object::Hold { account, placed_by }) => {
            (owns(account), account.of_customer && credential.principal_id() == Some(placed_by))
        }
        _ => (true, false),
    };
    match (mine, permitted) {
        (false, _) => Err(Denied::Hidden),
        (true, false) => Err(Denied::Forbidden),
        (true, true) => Ok(()),
    }
}

fn reach(role: Role, action: Action) -> Reach {
    use Action::*;
    match (role, action) {
        (Role::Admin, _) => Reach::All,
        (Role::Banker | Role::Customer, ReadKey) => Reach::Own,
        (Role::Banker, Deposit | Withdraw) => Reach::Drawer,
        (Role::Banker, OpenAccount | Freeze | Transfer | Hold | EndHold | Pay | CancelPayment) => {
            Reach::Customers
        }
        (
            Role::Banker,
            ReadAccount | ListAccounts | Batch | ReadTransaction | ListTransactions | ReadPayment
            | ListPayments | ReadRails,
        ) => Reach::All,
        (Role::Operations, Pay | CancelPayment) => Reach::Customers,
        (
            Role::Operations,
            ReadAccount | ListAccounts | Freeze | Unfreeze | PostEntries | Batch | Reverse | ReadTransaction
            | ListTransactions | ReadEvents | ReadTrialBalance | ReadKey | OpenDay | CloseDay | ConfirmClock
            | ReadBreaks | CloseBreak | ReadMetrics | ReadPayment | ListPayments | ReadCases | ResolveCase
            | ReadPromises | DecidePromise | ReadRails | ManageOutbox | ReadOutbox,
        ) => Reach::All,
        (
            Role::Auditor,
            ReadAccount | ListAccounts | ReadTransaction | ListTransactions | ReadEvents | ReadTrialBalance
            | ReadKey | ReadBreaks | ListKeys | ReadAudit | ReadMetrics | ReadPayment | ListPayments
            | ReadCases | ReadPromises | ReadRails | ReadOutbox,
        ) => Reach::All,
        (Role::Queue, Transfer | Pay) => Reach::Customers,
        (Role::Customer, Batch | ReadRails) => Reach::All,
        (
            Role::Customer,
            ReadAccount | ListAccounts | Transfer | Hold | EndHold | ReadTransaction | ListTransactions | Pay
            | ReadPayment | ListPayments | CancelPayment,
        ) => Reach::Own,
        _ => Reach::Nothing,
    }
}

#[cfg(test)]
mod tests;
