//! The view: what the rules may look at.

use crate::account::{Account, Side};
use crate::currency::Currency;
use crate::date::Date;
use crate::digest::Digest;
use crate::event::{Claimed, NameKind};
use crate::ids::{AccountId, NameId, Sequence};
use crate::limits::NEVER;

/// The books as one command sees them. A store loads what a batch needs and hands this out.
pub trait View {
    /// An account.
    fn account(&self, id: AccountId) -> Option<&Account>;
    /// A hold that has not ended.
    fn hold(&self, id: Sequence) -> Option<&Hold>;
    /// How much of this entry of this transaction has been reversed already, minor units.
    fn reversed(&self, original: Sequence, entry: u8) -> i64;
    /// The business day.
    fn day(&self) -> BusinessDay;
    /// The id that the next account gets.
    fn next_account(&self) -> AccountId;
    /// The number that the next name gets.
    fn next_name(&self) -> NameId;
    /// The number of a name.
    fn name(&self, kind: NameKind, text: &str) -> Option<NameId>;
    /// Who holds a claim.
    fn claimed(&self, digest: &Digest) -> Option<Claimed>;
}

/// Which business day is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BusinessDay {
    /// The open day, if one is.
    pub open: Option<Date>,
    /// The newest day that was ever opened.
    pub newest: Option<Date>,
}

/// Funds reserved, not yet posted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    /// Whose funds.
    pub account: AccountId,
    /// The side that is reserved: the one that shrinks the account.
    pub side: Side,
    /// Who is promised them, if the hold says.
    pub to: Option<AccountId>,
    /// Minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// Microseconds since 1970; [`NEVER`] for a prepared one.
    pub expires_at: i64,
}

impl Hold {
    /// Is it the first phase of a two-phase commit? Then no time and nobody but its coordinator ends it.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        self.expires_at == NEVER
    }
}
