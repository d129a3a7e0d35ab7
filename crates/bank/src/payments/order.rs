//! The wish for a payment: what must be so before anything is written.

use std::str::FromStr as _;

use ledger::money::Major;
use ledger::{AccountId, Body, Currency, Digest};

use super::rail::Party;
use super::rail::settings::{Lane, RailSettings};
use super::two_phase::Mode;
use super::{PaymentError, Payments};

/// Bytes of a name, and of an account on the other side, at most.
pub const NAME_BYTES_MAX: usize = 140;
/// Bytes of an account on the other side at most: that of an IBAN.
pub const ACCOUNT_BYTES_MAX: usize = 34;

/// A wish for a payment.
#[derive(Clone, PartialEq, Debug)]
pub struct Wish {
    /// Over which rail.
    pub rail: String,
    /// Who pays.
    pub account: AccountId,
    /// Minor units, above zero.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
    /// Who is paid.
    pub beneficiary: Party,
    /// The caller's own reference.
    pub client_reference: Option<String>,
    /// For the statements.
    pub description: Option<String>,
    /// How it is carried out.
    pub mode: Mode,
}

/// Why a wish is refused. Nothing was written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such rail.
    #[error("There is no rail {0:?}.")]
    UnknownRail(String),
    /// The rail takes nothing new.
    #[error("The rail {0} is paused.")]
    RailPaused(String),
    /// The rail does not carry the currency.
    #[error("The rail {rail} does not carry {currency}.")]
    CurrencyNotCarried {
        /// The rail.
        rail: String,
        /// The currency.
        currency: &'static str,
    },
    /// More than the rail carries at once.
    #[error("The rail carries at most {limit} {currency} in one payment.")]
    OverLimit {
        /// Major units.
        limit: String,
        /// The currency.
        currency: &'static str,
    },
    /// The rail does not carry payments in this mode.
    #[error("The rail {rail} does not carry payments of mode {}.", mode.name())]
    ModeNotCarried {
        /// The rail.
        rail: String,
        /// The mode.
        mode: Mode,
    },
    /// The beneficiary's account is no IBAN.
    #[error("The beneficiary's account is no IBAN: {0}.")]
    IbanInvalid(String),
    /// The beneficiary's name or account has no form.
    #[error("A beneficiary has a name of 1 to 140 bytes and an account of 1 to 34 letters and digits.")]
    Beneficiary,
    /// There is no such account, or it is none of a customer.
    #[error("Payments are made from customers' accounts.")]
    NotACustomers,
    /// The account has another currency.
    #[error("The account is in {0}.")]
    OtherCurrency(&'static str),
    /// The key belongs to another wish.
    #[error("This key was used for another request.")]
    KeyReused,
}

impl Wish {
    /// What makes this wish what it is: a retry has the same, another wish does not.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        let text = |text: &str| [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat();
        let optional =
            |one: &Option<String>| one.as_deref().map_or(vec![0], |one| [vec![1], text(one)].concat());
        // What was asked for before there were modes has the fingerprint that it had.
        let mode: &[u8] = match self.mode {
            Mode::Saga => b"",
            Mode::TwoPhase => b"two_phase",
        };
        Digest::over(&[
            b"payment",
            &text(&self.rail),
            &self.account.0.to_be_bytes(),
            &self.amount.to_be_bytes(),
            &self.currency.numeric().to_be_bytes(),
            &text(&self.beneficiary.name),
            &text(&self.beneficiary.account),
            &optional(&self.client_reference),
            &optional(&self.description),
            mode,
        ])
    }

    /// Whether the rail carries it.
    ///
    /// # Errors
    /// Why not.
    pub fn fits<'a>(&self, rail: &'a RailSettings) -> Result<&'a Lane, Refused> {
        if rail.paused {
            return Err(Refused::RailPaused(rail.name.clone()));
        }
        if !rail.modes().contains(&self.mode) {
            return Err(Refused::ModeNotCarried { rail: rail.name.clone(), mode: self.mode });
        }
        let currency = self.currency.code();
        let lane = rail.lane(self.currency);
        let lane = lane.ok_or_else(|| Refused::CurrencyNotCarried { rail: rail.name.clone(), currency })?;
        if self.amount > lane.amount_max {
            let limit = Major(lane.amount_max.into(), self.currency).to_string();
            return Err(Refused::OverLimit { limit, currency });
        }
        let Party { name, account } = &self.beneficiary;
        let plain = account.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let sized = (1..=ACCOUNT_BYTES_MAX).contains(&account.len());
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !plain || !sized {
            return Err(Refused::Beneficiary);
        }
        if rail.iban_required {
            iban::Iban::from_str(account).map_err(|why| Refused::IbanInvalid(why.to_string()))?;
        }
        Ok(lane)
    }
}

impl Payments {
    /// Who pays, by name and number; refused if it is no customer's account of this currency.
    pub(super) async fn debtor(&self, wish: &Wish) -> Result<Result<Party, Refused>, PaymentError> {
        let facts = self.books.reads().facts(wish.account);
        let Some(facts) = facts.filter(|facts| facts.of_customer) else {
            return Ok(Err(Refused::NotACustomers));
        };
        if facts.currency != wish.currency {
            return Ok(Err(Refused::OtherCurrency(facts.currency.code())));
        }
        Ok(self.party(wish.account).await?.ok_or(Refused::NotACustomers))
    }

    /// An account's name and number.
    pub(super) async fn party(&self, account: AccountId) -> Result<Option<Party>, PaymentError> {
        let Some(view) = self.books.account(account).await? else { return Ok(None) };
        let opened = self.books.reads().event(view.account.opened)?;
        Ok(match opened.map(|event| event.body) {
            Some(Body::AccountOpened(opening)) => {
                Some(Party { name: opening.name.to_string(), account: opening.number.to_string() })
            }
            _ => None,
        })
    }
}
