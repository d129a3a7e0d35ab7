//! Which transactions a list shows.

use ledger::{AccountId, Currency, Date, Event, Side, TransactionKind, money};

use crate::http::problem::Problem;
use crate::http::wire;

/// Which transactions a list shows; what is none does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Filter {
    pub(super) account: Option<AccountId>,
    pub(super) kind: Option<TransactionKind>,
    pub(super) first: Option<Date>,
    pub(super) last: Option<Date>,
    pub(super) currency: Option<Currency>,
    pub(super) least: Option<i64>,
    pub(super) most: Option<i64>,
}

impl Filter {
    /// From texts; the first that is not of its form is the problem.
    pub(super) fn new(
        kind: Option<&str>,
        days: (Option<&str>, Option<&str>),
        currency: Option<&str>,
        amounts: (Option<&str>, Option<&str>),
    ) -> Result<Filter, Problem> {
        let unknown = |text: &str| Problem::malformed(format!("kind cannot be \"{text:.40}\"."));
        let kind = kind.map(|text| TransactionKind::from_name(text).ok_or_else(|| unknown(text)));
        let day = |field, text: Option<&str>| text.map(|text| wire::parse_date(field, text)).transpose();
        let currency = currency.map(wire::currency).transpose()?;
        let amount = |field: &str, text: Option<&str>| {
            let Some(text) = text else { return Ok(None) };
            let currency = currency.ok_or_else(|| {
                Problem::malformed(format!("{field} needs currency, to be a number of it."))
            })?;
            money::parse(text, currency).map(Some).map_err(|error| Problem::amount(field, text, error))
        };
        Ok(Filter {
            account: None,
            kind: kind.transpose()?,
            first: day("from_date", days.0)?,
            last: day("to_date", days.1)?,
            currency,
            least: amount("min_amount", amounts.0)?,
            most: amount("max_amount", amounts.1)?,
        })
    }

    /// Whether a list shows this event.
    pub(super) fn covers(&self, event: &Event) -> bool {
        let Some(kind) = event.transaction() else { return false };
        self.kind.is_none_or(|wanted| kind == wanted)
            && self.first.is_none_or(|first| event.booking >= first)
            && self.last.is_none_or(|last| event.booking <= last)
            && self.account.is_none_or(|id| event.posted().any(|entry| entry.account == id))
            && self.currency.is_none_or(|currency| self.amount_fits(event, currency))
    }

    /// What was debited in the currency lies between the bounds; nothing in the currency never fits.
    fn amount_fits(&self, event: &Event, currency: Currency) -> bool {
        let debits = event.posted().filter(|entry| entry.side == Side::Debit && entry.currency == currency);
        let mut sum = None;
        for entry in debits {
            *sum.get_or_insert(0) += i128::from(entry.amount);
        }
        sum.is_some_and(|sum| {
            self.least.is_none_or(|least| sum >= i128::from(least))
                && self.most.is_none_or(|most| sum <= i128::from(most))
        })
    }
}
