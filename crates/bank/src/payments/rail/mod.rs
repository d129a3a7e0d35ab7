//! A rail: the way to another institution.
//!
//! Three questions, each with the payment's own reference as the key on the other side, so that each can be asked
//! again: submit, enquire, cancel. What comes back is something the rail **said**, or nothing.
//!
//! | module | noun |
//! |---|---|
//! | `settings` | how a rail is configured: rows of the bank database |
//! | `wire` | the bodies: docs/rail-protocol.md |
//! | `signature` | HMAC over id, time and body, both ways |
//! | `http` | the rail over HTTP |
//! | `breaker` | when not to ask at all |

pub mod breaker;
pub mod http;
pub mod settings;
pub mod signature;
pub mod wire;

use futures::future::BoxFuture;

use super::saga::Answer;

/// What the other side must know to pay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// The payment's own reference: the same in every question about it, for ever.
    pub reference: String,
    /// In major units, with the decimals of the currency.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// Who pays.
    pub debtor: Party,
    /// Who is paid.
    pub beneficiary: Party,
    /// For the statement of the beneficiary.
    pub description: Option<String>,
}

/// Somebody with an account.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The name.
    #[schema(example = "Dora Demir")]
    pub name: String,
    /// The account: an IBAN, or the number that the institution knows.
    #[schema(example = "GB33BUKB20201555555555")]
    pub account: String,
}

/// What came of a question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Heard {
    /// The rail answered.
    Said(Said),
    /// Nothing that can be believed; why.
    Nothing(String),
    /// The rail was not asked at all.
    NotAsked {
        /// Not before this moment, µs.
        until: i64,
        /// Nothing of the rail is to be asked before: it is known to be down. Else too much is repeated.
        everything: bool,
    },
}

/// What a rail said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// About the reference.
    pub what: What,
    /// Its code for the reason, if it gave one.
    pub code: Option<String>,
    /// Its words for the reason.
    pub reason: Option<String>,
}

/// The status that a rail reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Where the payment stands there.
    Stands(Answer),
    /// It will not cancel and has not finished.
    CancelDenied,
}

impl Said {
    /// The reason in one line.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        match (&self.code, &self.reason) {
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (Some(code), Some(reason)) => Some(format!("{code}: {reason}")),
        }
    }
}

/// A way to another institution.
pub trait Rail: Send + Sync {
    /// Hands a payment over. Under a reference that it has, the rail answers where it stands.
    fn submit<'a>(&'a self, order: &'a Order, again: bool) -> BoxFuture<'a, Heard>;
    /// Asks where a payment stands.
    fn enquire<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Heard>;
    /// Asks that it never be paid. A rail that does not know the reference yet must refuse it from then on.
    fn cancel<'a>(&'a self, reference: &'a str, again: bool) -> BoxFuture<'a, Heard>;
}
