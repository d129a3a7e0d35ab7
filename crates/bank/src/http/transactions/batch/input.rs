//! What a batch looks like when it comes in: JSON as a whole, or one command a line.
//!
//! The whole is read in one go, and every text is borrowed from the body. Only if that fails is each command
//! read on its own, so that a bad one costs nobody but itself.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use ledger::Sequence;
use ledger::limits::GROUP_MAX;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::http::banker::CashBody;
use crate::http::holds::{CaptureBody, HoldBody, VoidBody};
use crate::http::json;
use crate::http::problem::Problem;
use crate::http::transactions::journal_entry::JournalBody;
use crate::http::transactions::reversal::{PartIn, ReversalBody};
use crate::http::transactions::transfer::TransferBody;
use crate::http::wire::{AccountIdText, Amount, Clean, SequenceText};

/// One command, or why it is none.
pub(super) type Read<'a> = Result<Member<'a>, Problem>;

/// One command of a batch.
pub(super) struct Member<'a> {
    pub(super) key: Option<Cow<'a, str>>,
    pub(super) wish: Wish<'a>,
}

/// What a command asks for: the bodies of the single endpoints, with the id of their path.
pub(super) enum Wish<'a> {
    Transfer(TransferBody<'a>),
    Deposit(CashBody<'a>),
    Withdrawal(CashBody<'a>),
    Entries(JournalBody<'a>),
    Hold(HoldBody<'a>),
    Capture(Sequence, CaptureBody<'a>),
    Void(Sequence, VoidBody<'a>),
    Reversal(Sequence, ReversalBody<'a>),
}

impl Wish<'_> {
    /// Must something older be read for it?
    pub(super) fn needs_disk(&self) -> bool {
        matches!(self, Wish::Capture(..) | Wish::Void(..) | Wish::Reversal(..))
    }
}

/// The commands of a batch.
pub(super) struct Input<'a> {
    pub(super) atomic: bool,
    pub(super) members: Vec<Read<'a>>,
    /// There were more than a batch may have.
    pub(super) too_many: bool,
}

/// Reads a JSON batch.
pub(super) fn json(bytes: &[u8]) -> Result<Input<'_>, Problem> {
    if let Ok(whole) = serde_json::from_slice::<Whole<'_>>(bytes) {
        let members = whole.commands.items.into_iter().map(Ok).collect();
        return Ok(Input { atomic: whole.atomic, members, too_many: whole.commands.more });
    }
    let parts: Parts<'_> = json::parse(bytes)?;
    let members = parts.commands.items.into_iter().map(|raw| json::parse(raw.get().as_bytes())).collect();
    Ok(Input { atomic: parts.atomic, members, too_many: parts.commands.more })
}

/// Reads one command a line; empty lines are passed over.
pub(super) fn lines(bytes: &[u8]) -> Input<'_> {
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let members = lines.by_ref().take(GROUP_MAX).map(json::parse).collect();
    Input { atomic: false, members, too_many: lines.next().is_some() }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole<'a> {
    #[serde(default)]
    atomic: bool,
    #[serde(borrow)]
    commands: Limited<Member<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts<'a> {
    #[serde(default)]
    atomic: bool,
    #[serde(borrow)]
    commands: Limited<&'a RawValue>,
}

/// As many items as a batch may have; what comes after them is only passed over.
struct Limited<T> {
    items: Vec<T>,
    more: bool,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Limited<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = Limited<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of commands")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Limited<T>, A::Error> {
                let mut found = Limited { items: Vec::new(), more: false };
                while found.items.len() < GROUP_MAX {
                    match list.next_element()? {
                        Some(item) => found.items.push(item),
                        None => return Ok(found),
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {
                    found.more = true;
                }
                Ok(found)
            }
        }
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

const FIELDS: &[&str] = &[
    "idempotency_key",
    "transfer",
    "deposit",
    "withdrawal",
    "entries",
    "hold",
    "capture",
    "void",
    "reversal",
];

impl<'de: 'a, 'a> Deserialize<'de> for Member<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MemberVisitor(PhantomData))
    }
}

/// By hand, since a derived struct with a place for every kind of command is moved about as one kilobyte.
struct MemberVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for MemberVisitor<'a> {
    type Value = Member<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a command like {\"idempotency_key\": \"…\", \"transfer\": {…}}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Member<'a>, A::Error> {
        let mut key: Option<Clean<'a>> = None;
        let mut wish: Option<Wish<'a>> = None;
        while let Some(field) = map.next_key::<Field>()? {
            if let Field::Key = field {
                if key.is_some() {
                    return Err(de::Error::duplicate_field("idempotency_key"));
                }
                key = map.next_value()?;
                continue;
            }
            if wish.is_some() {
                return Err(de::Error::custom(
                    "a command is one of transfer, deposit and so on, not several",
                ));
            }
            wish = Some(match field {
                Field::Key => continue,
                Field::Transfer => Wish::Transfer(map.next_value()?),
                Field::Deposit => Wish::Deposit(map.next_value()?),
                Field::Withdrawal => Wish::Withdrawal(map.next_value()?),
                Field::Entries => Wish::Entries(map.next_value()?),
                Field::Hold => Wish::Hold(map.next_value()?),
                Field::Capture => map.next_value::<CaptureIn<'a>>()?.into(),
                Field::Void => map.next_value::<VoidIn<'a>>()?.into(),
                Field::Reversal => map.next_value::<ReversalIn<'a>>()?.into(),
            });
        }
        let wish = wish.ok_or_else(|| {
            de::Error::custom(
                "a command is one of transfer, deposit, withdrawal, entries, hold, capture, void and reversal",
            )
        })?;
        Ok(Member { key: key.map(|key| key.0), wish })
    }
}

#[derive(Clone, Copy)]
enum Field {
    Key,
    Transfer,
    Deposit,
    Withdrawal,
    Entries,
    Hold,
    Capture,
    Void,
    Reversal,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Field;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field of a command")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Field, E> {
                Ok(match name {
                    "idempotency_key" => Field::Key,
                    "transfer" => Field::Transfer,
                    "deposit" => Field::Deposit,
                    "withdrawal" => Field::Withdrawal,
                    "entries" => Field::Entries,
                    "hold" => Field::Hold,
                    "capture" => Field::Capture,
                    "void" => Field::Void,
                    "reversal" => Field::Reversal,
                    other => return Err(E::unknown_field(other, FIELDS)),
                })
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}

/// A capture, with the hold that it ends.
#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CaptureIn<'a> {
    hold_id: SequenceText,
    #[serde(borrow)]
    amount: Option<Amount<'a>>,
    to_account_id: Option<AccountIdText>,
    description: Option<Clean<'a>>,
    reference: Option<Clean<'a>>,
    value_date: Option<Clean<'a>>,
}

impl<'a> From<CaptureIn<'a>> for Wish<'a> {
    fn from(given: CaptureIn<'a>) -> Self {
        let CaptureIn { hold_id, amount, to_account_id, description, reference, value_date } = given;
        let body = CaptureBody { amount, to_account_id, description, reference, value_date };
        Wish::Capture(hold_id.0, body)
    }
}

/// A void, with the hold that it ends.
#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VoidIn<'a> {
    hold_id: SequenceText,
    #[serde(borrow)]
    description: Option<Clean<'a>>,
    reference: Option<Clean<'a>>,
}

impl<'a> From<VoidIn<'a>> for Wish<'a> {
    fn from(given: VoidIn<'a>) -> Self {
        let VoidIn { hold_id, description, reference } = given;
        Wish::Void(hold_id.0, VoidBody { description, reference })
    }
}

/// A reversal, with the transaction that it takes back.
#[derive(serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReversalIn<'a> {
    transaction_id: SequenceText,
    #[serde(borrow)]
    amount: Option<Amount<'a>>,
    entries: Option<Vec<PartIn<'a>>>,
    description: Option<Clean<'a>>,
    reference: Option<Clean<'a>>,
    value_date: Option<Clean<'a>>,
}

impl<'a> From<ReversalIn<'a>> for Wish<'a> {
    fn from(given: ReversalIn<'a>) -> Self {
        let ReversalIn { transaction_id, amount, entries, description, reference, value_date } = given;
        let body = ReversalBody { amount, entries, description, reference, value_date };
        Wish::Reversal(transaction_id.0, body)
    }
}
