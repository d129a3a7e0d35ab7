//! Refusals: the rules said no, and say why and what to do.
//!
//! A refusal is a value. Its code is stable, its figures are those that the rule compared, its remedy is a
//! sentence for the person who reads it. The texts live in one table, so that documents, interface and
//! records agree.

use std::fmt;

use crate::currency::Currency;
use crate::date::Date;
use crate::ids::AccountId;
use crate::money::Major;

/// What kind of answer a refusal is to its caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// The request can never be accepted as it stands. Not recorded.
    Request,
    /// Something that it names is not there. Not recorded.
    Missing,
    /// The books as they stand do not allow it. Recorded under its key and replayed.
    Books,
    /// The caller's view of an account is out of date. Not recorded: a new look is a new intent.
    Version,
}

/// How a figure of a refusal is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Figure {
    /// Minor units of the refusal's currency.
    Amount(&'static str),
    /// A plain number (an id, a count, a version).
    Number(&'static str),
    /// A day.
    Day(&'static str),
    /// Not used by this code.
    None,
}

macro_rules! codes {
    ($($variant:ident = $number:literal, $code:literal, $class:ident, $first:expr, $second:expr,
        $title:literal, $rule:literal, $remedy:literal;)+) => {
        /// The stable code of a refusal.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
        #[repr(u16)]
        pub enum Code { $(#[doc = $rule] $variant = $number,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// The code as callers see it.
            #[must_use]
            pub fn name(self) -> &'static str { match self { $(Code::$variant => $code,)+ } }

            /// The code with this number in a record.
            #[must_use]
            pub fn from_number(number: u16) -> Option<Code> { match number { $($number => Some(Code::$variant),)+ _ => None } }

            /// What kind of answer it is.
            #[must_use]
            pub fn class(self) -> Class { match self { $(Code::$variant => Class::$class,)+ } }

            /// A short title.
            #[must_use]
            pub fn title(self) -> &'static str { match self { $(Code::$variant => $title,)+ } }

            /// The rule that it enforces.
            #[must_use]
            pub fn rule(self) -> &'static str { match self { $(Code::$variant => $rule,)+ } }

            /// What the caller can do.
            #[must_use]
            pub fn remedy(self) -> &'static str { match self { $(Code::$variant => $remedy,)+ } }

            /// What its two figures mean.
            #[must_use]
            pub fn figures(self) -> [Figure; 2] {
                use Figure::{Amount, Day, Number};
                #[allow(unused_imports)]
                use Figure::None;
                match self { $(Code::$variant => [$first, $second],)+ }
            }
        }
    };
}

codes! {
    InsufficientFunds = 1, "insufficient_funds", Books, Amount("available"), Amount("needed"),
        "Insufficient funds", "No entry may bring the available balance below zero.",
        "Reduce the amount or fund the account.";
    AccountPending = 2, "account_pending", Books, None, None,
        "Account not active yet", "A pending account takes no entries.",
        "Activate the account first.";
    AccountFrozen = 3, "account_frozen", Books, None, None,
        "Account frozen", "A frozen account takes no ordinary entries on either side.",
        "Unfreeze the account, or use another one.";
    AccountClosed = 4, "account_closed", Books, None, None,
        "Account closed", "A closed account takes no entries, for ever.",
        "Use another account.";
    BalanceOverflow = 5, "balance_overflow", Books, Amount("balance"), Amount("amount"),
        "Balance too large", "A balance fits into 64 bits of minor units.",
        "Split the amount over several accounts.";
    NoOpenDay = 6, "no_open_day", Books, None, None,
        "No open business day", "Every transaction belongs to an open business day.",
        "Open a business day, or wait until one is open.";
    DayAlreadyOpen = 7, "day_already_open", Books, Day("open_day"), None,
        "A business day is open", "One business day is open at a time.",
        "Close the open day first.";
    DayNotAfter = 8, "day_not_after", Books, Day("newest_day"), Day("day"),
        "Business day not after the last one", "Business days only go forward.",
        "Open a later day.";
    DayNotOpen = 9, "day_not_open", Books, Day("day"), None,
        "That business day is not open", "Only the open business day can be closed.",
        "Look up which day is open.";
    HoldEnded = 10, "hold_ended", Books, Number("hold_id"), None,
        "Hold has ended", "A hold has one end: it was captured, voided or it expired.",
        "Place a new hold.";
    HoldExpired = 11, "hold_expired", Books, Number("hold_id"), None,
        "Hold has expired", "A hold is not captured after its time.",
        "Place a new hold.";
    CaptureExceedsHold = 12, "capture_exceeds_hold", Books, Amount("held"), Amount("amount"),
        "Capture larger than the hold", "No more is captured than was held.",
        "Capture at most the held amount.";
    AlreadyReversed = 13, "already_reversed", Books, Number("transaction_id"), None,
        "Already reversed", "A transaction is reversed at most once, in all.",
        "Nothing is left to reverse; look at its reversals.";
    ReversalExceeds = 14, "reversal_exceeds_original", Books, Amount("remaining"), Amount("amount"),
        "Reversal larger than what is left", "Reversals together never exceed the original.",
        "Reverse at most the remaining amount.";
    AccountNotEmpty = 15, "account_not_empty", Books, Amount("balance"), None,
        "Account not empty", "Only an empty account is closed.",
        "Move the balance away first.";
    AccountHasHolds = 16, "account_has_holds", Books, Amount("held"), None,
        "Account has holds", "An account with holds or promises is not closed.",
        "Capture, void or let the holds expire first.";
    StatusNotReachable = 17, "status_not_reachable", Books, None, None,
        "Status not reachable", "pending → active, active ⇄ frozen, all but closed → closed; closed is final.",
        "Look at the account's status and choose a step from there.";
    LimitBelowUse = 18, "limit_below_use", Books, Amount("in_use"), Amount("limit"),
        "Limit below what is in use", "An overdraft limit is not set below the overdraft in use.",
        "Set a limit of at least what is in use.";
    NumberTaken = 19, "number_taken", Books, None, None,
        "Account number taken", "An account number belongs to one account, for ever.",
        "Choose another number, or let the bank make one.";
    HoldTooLong = 20, "hold_too_long", Request, None, None,
        "Hold too long", "A hold expires in the future and within 400 days.",
        "Choose an earlier expiry.";
    ValueDateOutOfRange = 21, "value_date_out_of_range", Books, Day("booking_date"), Day("value_date"),
        "Value date out of range", "A value date lies within 366 days of the booking date.",
        "Choose a value date within a year of the booking date.";
    BatchRefused = 22, "batch_refused", Books, None, None,
        "Batch refused", "An atomic batch is accepted whole or not at all.",
        "Mend the command that was refused and send the batch under a new key.";
    KeyTakenInBatch = 23, "member_key_used", Books, None, None,
        "A member's key was used before", "A key stands for one intent, for ever.",
        "Leave out the commands that were posted before, or give them new keys.";
    FirstDayTooEarly = 24, "first_day_too_early", Books, Day("earliest_day"), Day("day"),
        "First business day too early", "Business days only go forward, and all before the first was booked on the day of the clock.",
        "Open that day or a later one.";
    HoldPrepared = 25, "hold_prepared", Books, Number("hold_id"), None,
        "Hold is prepared", "A prepared hold is ended by its coordinator's decision and by nothing else.",
        "Let the two-phase transaction end, or have an operator decide it.";

    AmountNotPositive = 40, "amount_not_positive", Request, None, None,
        "Amount not above zero", "Something must move.",
        "Send an amount above zero.";
    CurrencyMismatch = 41, "currency_mismatch", Request, None, None,
        "Currency of the account differs", "An account has one currency.",
        "Use the account's currency, or another account.";
    SameAccount = 42, "same_account", Request, None, None,
        "Same account on both sides", "Money moves between different accounts.",
        "Name two different accounts.";
    Unbalanced = 43, "unbalanced", Request, Amount("debits"), Amount("credits"),
        "Entries do not balance", "Per currency, debits equal credits.",
        "Correct the entries until they balance in each currency.";
    EntryCount = 44, "entry_count", Request, Number("entries"), Number("maximum"),
        "Wrong number of entries", "A transaction has at least two entries and at most 128.",
        "Split the transaction, or use an atomic batch.";
    WrongAccountType = 45, "wrong_account_type", Request, None, None,
        "Wrong type of account", "Cash moves between an asset and a customer's liability; a transfer joins accounts of one normal side.",
        "Name a drawer and a customer account, or post explicit entries.";
    DestinationRequired = 46, "destination_required", Request, Number("hold_id"), None,
        "No destination", "A capture needs an account that receives.",
        "Name to_account_id.";
    DestinationDiffers = 47, "destination_differs", Request, Number("hold_id"), None,
        "Destination differs from the hold's", "A hold that promises the funds to an account pays that account.",
        "Leave out to_account_id, or void the hold and place another.";
    EntriesRequired = 48, "entries_required", Request, Number("entries"), None,
        "Name the entries to reverse", "A part of a transaction with more than two entries names its entries, balanced.",
        "Send the entries with their amounts.";
    NotReversible = 49, "not_reversible", Request, Number("transaction_id"), None,
        "Not reversible", "A reversal is not reversed.",
        "Post the movement again as a new transaction.";
    TooManyMembers = 50, "too_many_commands", Request, Number("commands"), Number("maximum"),
        "Too many commands", "A batch has 1 to 8,192 commands.",
        "Send several batches.";
    NotInGroup = 51, "not_in_atomic_batch", Request, None, None,
        "Not possible in an atomic batch", "An atomic batch holds movements, entries, holds, their ends and reversals.",
        "Send this command alone.";
    LimitNegative = 52, "limit_negative", Request, None, None,
        "Limit below zero", "An overdraft limit is zero or more.",
        "Send a limit of zero or more.";
    NothingToChange = 53, "nothing_to_change", Request, None, None,
        "Nothing to change", "A change names a status or a limit.",
        "Send a status or an overdraft limit.";
    TextTooLong = 54, "text_too_long", Request, Number("bytes"), Number("maximum"),
        "Text too long", "Texts have limits, so that a record has one.",
        "Shorten the text.";
    NumberReserved = 55, "number_reserved", Request, None, None,
        "Account number reserved", "Numbers that begin with BC are made by the bank; a number is not empty.",
        "Choose another number, or leave it out.";
    NameKnown = 56, "name_known", Request, Number("number"), None,
        "Name known", "A name is given one number, once.",
        "Use the number that it has.";
    ValueDateNotTaken = 57, "value_date_not_taken", Request, None, None,
        "No value date possible", "Only a transaction has a value date; what posts nothing takes none.",
        "Leave the value date out.";

    UnknownAccount = 70, "account_not_found", Missing, None, None,
        "Account not found", "Entries are made on accounts of this bank.",
        "Check the account id.";
    UnknownHold = 71, "hold_not_found", Missing, Number("hold_id"), None,
        "Hold not found", "Only a hold can be captured or voided.",
        "Check the hold id.";
    UnknownTransaction = 72, "transaction_not_found", Missing, Number("transaction_id"), None,
        "Transaction not found", "Only a transaction can be reversed.",
        "Check the transaction id.";

    VersionDiffers = 90, "version_differs", Version, Number("version"), Number("expected"),
        "The account has changed", "A change that names a version is made on that version only.",
        "Read the account again and decide anew.";
}

/// The rules said no.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Which rule.
    pub code: Code,
    /// On which account, if on one.
    pub account: Option<AccountId>,
    /// The currency of the figures.
    pub currency: Option<Currency>,
    /// The figures that the rule compared; [`Code::figures`] says what they are.
    pub figures: [i64; 2],
    /// In a batch: which command was refused, from 0.
    pub member: Option<u16>,
}

impl Refusal {
    /// A refusal without figures.
    #[must_use]
    pub fn new(code: Code) -> Refusal {
        Refusal { code, account: None, currency: None, figures: [0; 2], member: None }
    }

    /// On this account.
    #[must_use]
    pub fn on(mut self, account: AccountId) -> Refusal {
        self.account = Some(account);
        self
    }

    /// With these figures; what does not fit into 64 bits is shown as the largest that does.
    #[must_use]
    pub fn figures(mut self, first: i128, second: i128) -> Refusal {
        let clip = |figure: i128| figure.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        self.figures = [clip(first), clip(second)];
        self
    }

    /// In this currency.
    #[must_use]
    pub fn in_currency(mut self, currency: Currency) -> Refusal {
        self.currency = Some(currency);
        self
    }

    /// Is it kept under the request's key and replayed?
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.code.class() == Class::Books
    }

    /// Name and printed value of each figure.
    pub fn named_figures(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        self.code.figures().into_iter().zip(self.figures).filter_map(|(figure, value)| match figure {
            Figure::Amount(name) => Some((name, self.amount(value))),
            Figure::Number(name) => Some((name, value.to_string())),
            Figure::Day(name) => Some((name, Date(value as i32).to_string())),
            Figure::None => None,
        })
    }

    fn amount(&self, minor: i64) -> String {
        match self.currency {
            Some(currency) => Major(minor.into(), currency).to_string(),
            None => minor.to_string(),
        }
    }
}

impl fmt::Display for Refusal {
    /// One sentence with the figures, as a problem document's detail.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.currency.map_or("", Currency::code);
        let [first, second] = self.figures.map(|figure| self.amount(figure));
        if let Some(member) = self.member {
            write!(f, "Command {member} of the batch: ")?;
        }
        match (self.code, self.account) {
            (Code::InsufficientFunds, Some(id)) => {
                write!(f, "Account {id} has {first} {unit} available, {second} is needed.")
            }
            (Code::BalanceOverflow, Some(id)) => {
                write!(f, "Account {id} stands at {first} {unit}; {second} more does not fit.")
            }
            (Code::Unbalanced, _) => write!(f, "Debits are {first} {unit}, credits are {second}."),
            (Code::CaptureExceedsHold, _) => {
                write!(f, "{first} {unit} is held, {second} was to be captured.")
            }
            (Code::ReversalExceeds, _) => {
                write!(f, "{first} {unit} is left to reverse, {second} was asked for.")
            }
            (Code::CurrencyMismatch, Some(id)) => write!(f, "Account {id} is in {unit}."),
            (code, account) => {
                write!(f, "{}", code.rule())?;
                if let Some(id) = account {
                    write!(f, " Account: {id}.")?;
                }
                for (name, value) in self.named_figures() {
                    write!(
                        f,
                        " {}: {value}{}{unit}.",
                        name.replace('_', " "),
                        if unit.is_empty() { "" } else { " " }
                    )?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_found_again() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::from_number(*code as u16), Some(*code));
            assert!(!code.remedy().is_empty() && code.rule().ends_with('.'));
        }
    }

    #[test]
    fn a_refusal_reads_as_a_sentence() {
        let bdt = Currency::from_code("BDT").unwrap();
        let refusal = Refusal::new(Code::InsufficientFunds)
            .on(AccountId(101))
            .in_currency(bdt)
            .figures(300_000, 500_000);
        assert_eq!(refusal.to_string(), "Account 101 has 3000.00 BDT available, 5000.00 is needed.");
    }
}
