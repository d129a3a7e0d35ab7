//! The bodies of the two-phase protocol. docs/two-phase.md tells what they mean.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Standing;
use crate::payments::rail::{Order, Party};

/// A question of one bankcore to another. The operation stands in the body, so that it is signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "operation", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = TwoPhaseQuestion)]
pub enum Question {
    /// To the participant: promise this to the beneficiary.
    Prepare {
        /// The coordinator's reference: it stands for one payment, for ever.
        reference: String,
        /// Major units.
        amount: String,
        /// ISO 4217.
        currency: String,
        /// Who pays.
        debtor: Party,
        /// Who is to be credited, by account number.
        beneficiary: Party,
        /// For the statement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// The coordinator decides within this time, ms; past it, it may be asked.
        decides_within_ms: i64,
    },
    /// To the participant: it is decided, post it.
    Commit {
        /// The coordinator's reference.
        reference: String,
    },
    /// To the participant: it is decided, give it up; and never prepare it, if it is not known yet.
    Abort {
        /// The coordinator's reference.
        reference: String,
    },
    /// To the participant: where does it stand?
    Status {
        /// The coordinator's reference.
        reference: String,
    },
    /// To the coordinator: what was decided?
    Decision {
        /// The coordinator's reference.
        reference: String,
    },
}

impl Question {
    /// The first question about a payment.
    #[must_use]
    pub fn prepare(order: &Order, decides_within_ms: i64) -> Question {
        Question::Prepare {
            reference: order.reference.clone(),
            amount: order.amount.clone(),
            currency: order.currency.clone(),
            debtor: order.debtor.clone(),
            beneficiary: order.beneficiary.clone(),
            description: order.description.clone(),
            decides_within_ms,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn reference(&self) -> &str {
        match self {
            Question::Prepare { reference, .. }
            | Question::Commit { reference }
            | Question::Abort { reference }
            | Question::Status { reference }
            | Question::Decision { reference } => reference,
        }
    }
}

/// The answer to a question.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TwoPhaseReply)]
pub struct Reply {
    /// What it is about.
    pub reference: String,
    /// Where the side that was asked stands.
    pub status: Status,
    /// A stable code for the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The reason in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Where the side that was asked stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TwoPhaseStatus)]
pub enum Status {
    /// Prepared; it waits for the decision.
    Prepared,
    /// It will never be prepared.
    Refused,
    /// Committed; of the coordinator: decided so.
    Committed,
    /// Aborted; of the coordinator: decided so.
    Aborted,
    /// An operator committed it without the coordinator.
    HeuristicCommitted,
    /// An operator aborted it without the coordinator.
    HeuristicAborted,
    /// Of the coordinator: not decided yet.
    Undecided,
    /// The reference is not known.
    NotFound,
}

impl From<Status> for Standing {
    fn from(status: Status) -> Standing {
        match status {
            Status::Prepared => Standing::Prepared,
            Status::Refused => Standing::Refused,
            Status::Committed => Standing::Committed,
            Status::Aborted => Standing::Aborted,
            Status::HeuristicCommitted => Standing::HeuristicCommitted,
            Status::HeuristicAborted => Standing::HeuristicAborted,
            Status::Undecided => Standing::Undecided,
            Status::NotFound => Standing::NotFound,
        }
    }
}

impl From<Standing> for Status {
    fn from(standing: Standing) -> Status {
        match standing {
            Standing::Prepared => Status::Prepared,
            Standing::Refused => Status::Refused,
            Standing::Committed => Status::Committed,
            Standing::Aborted => Status::Aborted,
            Standing::HeuristicCommitted => Status::HeuristicCommitted,
            Standing::HeuristicAborted => Status::HeuristicAborted,
            Standing::Undecided => Status::Undecided,
            Standing::NotFound => Status::NotFound,
        }
    }
}

impl Reply {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What another bankcore of yesterday sends is understood tomorrow.
    #[test]
    fn the_bodies_are_what_the_protocol_says() {
        let party = |name: &str, account: &str| Party { name: name.into(), account: account.into() };
        let order = Order {
            reference: "r".into(),
            amount: "2000.00".into(),
            currency: "BDT".into(),
            debtor: party("Carol", "BC10"),
            beneficiary: party("Dora", "BC20"),
            description: None,
        };
        let table = [
            (
                Question::prepare(&order, 30_000),
                r#"{"operation":"prepare","reference":"r","amount":"2000.00","currency":"BDT","debtor":{"name":"Carol","account":"BC10"},"beneficiary":{"name":"Dora","account":"BC20"},"decides_within_ms":30000}"#,
            ),
            (Question::Commit { reference: "r".into() }, r#"{"operation":"commit","reference":"r"}"#),
            (Question::Abort { reference: "r".into() }, r#"{"operation":"abort","reference":"r"}"#),
            (Question::Status { reference: "r".into() }, r#"{"operation":"status","reference":"r"}"#),
            (Question::Decision { reference: "r".into() }, r#"{"operation":"decision","reference":"r"}"#),
        ];
        for (question, text) in table {
            assert_eq!(serde_json::to_string(&question).unwrap(), text);
            assert_eq!(serde_json::from_str::<Question>(text).unwrap(), question);
        }
        for standing in Standing::ALL {
            let status = Status::from(standing);
            assert_eq!(serde_json::to_value(status).unwrap(), standing.name());
            assert_eq!(Standing::from(status), standing);
        }
    }
}
