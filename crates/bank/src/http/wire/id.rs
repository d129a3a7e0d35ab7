//! Ids: decimal strings outside, numbers inside.

use std::fmt;

use ledger::{AccountId, Sequence};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use utoipa::ToSchema;

macro_rules! id_text {
    ($(#[$doc:meta])* $name:ident($inner:ty), $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
        #[schema(value_type = String, example = "101")]
        pub struct $name(pub $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Id;
                impl Visitor<'_> for Id {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!($what, " as a decimal string, like \"101\""))
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        digits(text)
                            .map(|number| $name(<$inner>::from_number(number)))
                            .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
                    }
                }
                deserializer.deserialize_str(Id)
            }
        }
    };
}

trait FromNumber {
    fn from_number(number: u64) -> Self;
}
impl FromNumber for AccountId {
    fn from_number(number: u64) -> Self {
        AccountId(number)
    }
}
impl FromNumber for Sequence {
    fn from_number(number: u64) -> Self {
        Sequence(number)
    }
}

id_text!(
    /// An account's id.
    AccountIdText(AccountId),
    "an account id"
);
id_text!(
    /// The id of a transaction, hold or event.
    SequenceText(Sequence),
    "an id"
);

/// Digits only: no sign, no space. What does not fit into 64 bits is an id that nobody has.
#[must_use]
pub fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 40 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}
