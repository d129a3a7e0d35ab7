//! The wish for a rail: its form, and whether the books have what it names.

use ledger::{AccountId, AccountType};
use serde::Deserialize;
use utoipa::ToSchema;

use super::not_possible;
use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::wire::{self, AccountIdText, Amount, Clean};
use crate::payments::rail::settings::{Lane, RailSettings, Window, bounds};

/// A rail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RailBody<'a> {
    /// Where its questions go.
    #[serde(borrow)]
    #[schema(example = "https://rail.example/bankcore")]
    url: Clean<'a>,
    /// New payments are refused; those under way go on.
    #[serde(default)]
    paused: bool,
    /// Beneficiaries are named by IBAN.
    #[serde(default)]
    iban_required: bool,
    /// From when payments are handed over, UTC; always, if both are left out.
    #[schema(example = "06:00")]
    opens: Option<Clean<'a>>,
    /// Until before when payments are handed over, UTC; a later one waits for the next day.
    #[schema(example = "17:00")]
    cut_off: Option<Clean<'a>>,
    /// By when a payment is expected to be settled after it was handed over; a day if left out.
    settles_within_seconds: Option<i64>,
    /// How long an answer may take; 10,000 if left out.
    timeout_ms: Option<i64>,
    /// The first interval between questions, doubling; 1,000 if left out.
    enquire_after_ms: Option<i64>,
    /// The longest interval between questions; 600,000 if left out.
    enquire_at_most_ms: Option<i64>,
    /// After so many fruitless questions a case is opened; 20 if left out.
    tries_max: Option<u32>,
    /// The other side is a bankcore: payments over it can be of mode two_phase as well.
    #[serde(default)]
    two_phase: bool,
    /// How long the other bank has to prepare before a payment is given up; 30,000 if left out.
    prepare_within_ms: Option<i64>,
    /// What it carries, 1 to 32 currencies.
    currencies: Vec<CarriedBody<'a>>,
}

/// A currency that a rail carries, and where its money lies.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CarriedBody<'a> {
    /// ISO 4217.
    #[serde(borrow)]
    #[schema(example = "BDT")]
    currency: Clean<'a>,
    /// The largest amount of one payment.
    amount_max: Amount<'a>,
    /// Money on its way: a liability of the bank's own.
    clearing_account_id: AccountIdText,
    /// Where it goes once paid: an asset (nostro) or a liability of the bank's own.
    settlement_account_id: AccountIdText,
    /// Money whose owner is unclear: a liability of the bank's own.
    suspense_account_id: AccountIdText,
}

const CURRENCIES_MAX: usize = 32;

impl RailBody<'_> {
    /// The rail as configured.
    pub(super) async fn rail(&self, app: &App, name: &str) -> Result<RailSettings, Problem> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
            return Err(not_possible("A rail's name has 1 to 32 characters out of a-z 0-9 -."));
        }
        let url = reqwest::Url::parse(&self.url.0).ok();
        let web = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url =
            web.ok_or_else(|| not_possible("url is not an address that begins with http:// or https://."))?;
        let window = match (&self.opens, &self.cut_off) {
            (None, None) => None,
            (Some(opens), Some(cut_off)) => {
                let window = minutes(&opens.0).zip(minutes(&cut_off.0));
                let window = window.filter(|(opens, cut_off)| opens < cut_off && *opens < 24 * 60);
                let (opens, cut_off) = window.ok_or_else(|| {
                    not_possible(
                        "opens and cut_off are times of day like 06:00 and 17:00, the first earlier.",
                    )
                })?;
                Some(Window { opens, cut_off })
            }
            _ => return Err(not_possible("opens and cut_off are named together, or neither.")),
        };
        let within = |what: &str, given: Option<i64>, bound: bounds::Bound, unit: i64| {
            let value = given.unwrap_or(bound.default);
            if (bound.least..=bound.most).contains(&value) {
                return Ok(value * unit);
            }
            Err(not_possible(format!("{what} is a number from {} to {}.", bound.least, bound.most)))
        };
        let enquire_after_us =
            within("enquire_after_ms", self.enquire_after_ms, bounds::ENQUIRE_AFTER_MS, 1_000)?;
        let enquire_at_most_us =
            within("enquire_at_most_ms", self.enquire_at_most_ms, bounds::ENQUIRE_AT_MOST_MS, 1_000)?;
        if enquire_at_most_us < enquire_after_us {
            return Err(not_possible("enquire_at_most_ms is not below enquire_after_ms."));
        }
        if !(1..=CURRENCIES_MAX).contains(&self.currencies.len()) {
            return Err(not_possible(format!("A rail carries 1 to {CURRENCIES_MAX} currencies.")));
        }
        let mut currencies: Vec<Lane> = Vec::with_capacity(self.currencies.len());
        for carried in &self.currencies {
            let lane = carried.lane(app).await?;
            if currencies.iter().any(|known| known.currency == lane.currency) {
                return Err(not_possible(format!("{} is named twice.", lane.currency)));
            }
            currencies.push(lane);
        }
        if self.prepare_within_ms.is_some() && !self.two_phase {
            return Err(not_possible("prepare_within_ms is for a rail with two_phase."));
        }
        let prepare_within_us =
            within("prepare_within_ms", self.prepare_within_ms, bounds::PREPARE_WITHIN_MS, 1_000)?;
        let tries = within("tries_max", self.tries_max.map(i64::from), bounds::TRIES_MAX, 1)?;
        let settles = self.settles_within_seconds;
        Ok(RailSettings {
            name: name.to_owned(),
            url: url.to_string(),
            paused: self.paused,
            iban_required: self.iban_required,
            window,
            settles_within_us: within(
                "settles_within_seconds",
                settles,
                bounds::SETTLES_WITHIN_S,
                1_000_000,
            )?,
            timeout_us: within("timeout_ms", self.timeout_ms, bounds::TIMEOUT_MS, 1_000)?,
            enquire_after_us,
            enquire_at_most_us,
            tries_max: u32::try_from(tries).unwrap_or(u32::MAX),
            prepare_within_us: self.two_phase.then_some(prepare_within_us),
            currencies,
            keys: Vec::new(),
        })
    }
}

impl CarriedBody<'_> {
    async fn lane(&self, app: &App) -> Result<Lane, Problem> {
        let currency = wire::currency(&self.currency.0)?;
        let amount_max = self.amount_max.positive("amount_max", currency)?;
        let [clearing, settlement, suspense] =
            [self.clearing_account_id.0, self.settlement_account_id.0, self.suspense_account_id.0];
        if clearing == settlement || clearing == suspense || settlement == suspense {
            return Err(not_possible("Clearing, settlement and suspense are three accounts."));
        }
        for (what, id, asset) in
            [("clearing", clearing, false), ("settlement", settlement, true), ("suspense", suspense, false)]
        {
            check(app, what, id, currency, asset).await?;
        }
        Ok(Lane { currency, amount_max, clearing, settlement, suspense })
    }
}

/// An account of the bank's own, of this currency, of the right type.
async fn check(
    app: &App,
    what: &str,
    id: AccountId,
    currency: ledger::Currency,
    asset: bool,
) -> Result<(), Problem> {
    let view = app.service.books.account(id).await?;
    let fits = view.is_some_and(|view| {
        let kind = view.account.account_type;
        let right = kind == AccountType::Liability || (asset && kind == AccountType::Asset);
        view.account.owner.0 == 0 && view.account.currency() == currency && right
    });
    let kinds = if asset { "an asset or a liability" } else { "a liability" };
    if fits {
        return Ok(());
    }
    Err(not_possible(format!(
        "{what}_account_id {id}: the {what} account is {kinds} of the bank's own, in {currency}."
    )))
}

/// Minutes of the day of a time like 17:30; 24:00 is the end of the day.
fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        two_digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60 || (hours, minutes) == (24, 0)).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::minutes;

    #[test]
    fn a_time_of_day_is_read_strictly() {
        for (text, expected) in [
            ("00:00", Some(0)),
            ("17:30", Some(1_050)),
            ("24:00", Some(1_440)),
            ("24:01", None),
            ("7:30", None),
            ("17:60", None),
            ("+1:30", None),
            ("17", None),
        ] {
            assert_eq!(minutes(text), expected, "{text}");
        }
    }
}
