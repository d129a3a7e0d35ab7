//! What the bank at the other end of a rail gets to a question, in either mode.

use ledger::money::AmountError;

/// What came of a question. What a reply says is durable.
#[derive(Clone, PartialEq, Debug)]
pub enum Answered<R> {
    /// This, signed.
    Reply(R),
    /// It is durable; our books have not done it yet. It is to be asked again.
    NotYet,
    /// The reference stands for another payment; a case tells of it.
    ReferenceReused,
    /// It is a question of our own that somebody sent back.
    Reflected,
    /// The rail is not one for two-phase commits.
    NotAPeer,
    /// There is no such currency here.
    UnknownCurrency,
    /// The amount is none.
    Amount(AmountError),
}

/// The code of a refusal since our exposure to the other bank is used up.
pub(super) const EXPOSURE: &str = "exposure_exhausted";
/// The code of a refusal since the rail does not carry the currency.
pub(super) const NOT_CARRIED: &str = "currency_not_carried";
/// The code of a refusal since nobody here has this account number.
pub(super) const NOBODY: &str = "unknown_beneficiary";

/// The code that the other bank is told for a refusal of our books, given as `code: words`.
pub(super) fn code_of(refusal: &str) -> &str {
    match refusal.split(':').next().unwrap_or(refusal) {
        // What our own account at the other end of the entry lacks is its debt to us.
        "insufficient_funds" => EXPOSURE,
        code => code,
    }
}

/// What the other bank is told with a code, in words.
pub(super) fn reason(code: &str) -> &'static str {
    match code {
        EXPOSURE => "The other bank takes no more over this rail until the exposure is settled or raised.",
        NOT_CARRIED => "The other bank's rail does not carry this currency.",
        NOBODY => "The other bank has no such account in this currency.",
        _ => "The other bank cannot credit the beneficiary.",
    }
}
