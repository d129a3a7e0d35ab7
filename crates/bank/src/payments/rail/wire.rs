//! The bodies of the rail protocol. docs/rail-protocol.md tells what they mean.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Order, Party, Said, What};
use crate::payments::saga::Answer;

/// A question to a rail. The operation stands in the body, so that it is signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "operation", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = RailQuestion)]
pub enum Question {
    /// Pay this.
    Submit {
        /// The payment's own reference.
        reference: String,
        /// Major units.
        amount: String,
        /// ISO 4217.
        currency: String,
        /// Who pays.
        debtor: Party,
        /// Who is paid.
        beneficiary: Party,
        /// For the statement.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// Where does it stand?
    Enquire {
        /// The payment's own reference.
        reference: String,
    },
    /// Never pay it.
    Cancel {
        /// The payment's own reference.
        reference: String,
    },
}

impl Question {
    /// The submission of a payment.
    #[must_use]
    pub fn submit(order: &Order) -> Question {
        Question::Submit {
            reference: order.reference.clone(),
            amount: order.amount.clone(),
            currency: order.currency.clone(),
            debtor: order.debtor.clone(),
            beneficiary: order.beneficiary.clone(),
            description: order.description.clone(),
        }
    }

    /// What it is about.
    #[must_use]
    pub fn reference(&self) -> &str {
        match self {
            Question::Submit { reference, .. }
            | Question::Enquire { reference }
            | Question::Cancel { reference } => reference,
        }
    }
}

/// Where a payment stands at the rail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RailStatus)]
pub enum Status {
    /// It has it; not final.
    Accepted,
    /// Paid, for good.
    Settled,
    /// Never to be paid.
    Rejected,
    /// Cancelled, never to be paid.
    Cancelled,
    /// Not known (yet).
    NotFound,
    /// Answer to a cancel only: not any more, and not finished.
    CancelDenied,
}

impl From<Status> for What {
    fn from(status: Status) -> What {
        match status {
            Status::Accepted => What::Stands(Answer::Accepted),
            Status::Settled => What::Stands(Answer::Settled),
            Status::Rejected => What::Stands(Answer::Rejected),
            Status::Cancelled => What::Stands(Answer::Cancelled),
            Status::NotFound => What::Stands(Answer::NotFound),
            Status::CancelDenied => What::CancelDenied,
        }
    }
}

/// A rail's answer to a question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RailReply)]
pub struct Reply {
    /// What it is about.
    pub reference: String,
    /// Where it stands.
    pub status: Status,
    /// The rail's code for the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The rail's words for the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Reply {
    /// What was said.
    #[must_use]
    pub fn said(self) -> Said {
        Said { what: self.status.into(), code: self.code, reason: self.reason }
    }
}

/// What a rail tells without being asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "notice", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = RailNotice)]
pub enum Notice {
    /// Where a payment that it was given stands now.
    Payment {
        /// The payment's own reference.
        reference: String,
        /// Where it stands.
        status: Status,
        /// The rail's code for the reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// The rail's words for the reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Money for somebody here.
    Incoming {
        /// The other side's reference: credited once for each.
        reference: String,
        /// Major units.
        amount: String,
        /// ISO 4217.
        currency: String,
        /// Who paid.
        debtor: Party,
        /// Who is to be credited, by account number.
        beneficiary: Party,
        /// For the statement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
}
