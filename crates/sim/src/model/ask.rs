//! What is asked of a bank.

use ledger::event::NameKind;
use ledger::{Command, Date, Request};

/// One submission.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// One request.
    One(Request),
    /// Independent requests in one submission.
    Many(Vec<Request>),
    /// All or none.
    Group {
        /// Carries key and principal.
        header: Request,
        /// The members.
        members: Vec<Request>,
    },
    /// A name's number.
    Name(NameKind, String),
}

impl Ask {
    /// How many requests it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Ask::One(_) | Ask::Name(..) => 1,
            Ask::Many(requests) => requests.len(),
            Ask::Group { members, .. } => members.len() + 1,
        }
    }

    /// Does it hold nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What makes a request the same as an earlier one. Compared field by field; the bank compares hashes.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    command: Command,
    value: Option<Date>,
    reference: Option<Box<str>>,
    description: Option<Box<str>>,
    members: Option<Vec<(Intent, ledger::Digest)>>,
}

impl Intent {
    /// Of one request.
    #[must_use]
    pub fn of(request: &Request) -> Intent {
        let note = request.note.as_deref();
        Intent {
            command: request.command.clone(),
            value: request.value,
            reference: note.and_then(|note| note.reference.clone()),
            description: note.and_then(|note| note.description.clone()),
            members: None,
        }
    }

    /// Of a group: its members and their keys, in order. The header's own command says nothing.
    #[must_use]
    pub fn of_group(header: &Request, members: &[Request]) -> Intent {
        let members = members.iter().map(|member| (Intent::of(member), member.key)).collect();
        Intent {
            members: Some(members),
            ..Intent::of(&Request::new(header.command.clone(), header.principal))
        }
    }
}
