//! What kind of actor a credential makes of its holder. What each may do stands in [`super::policy`].

use std::fmt;
use std::str::FromStr;

/// The role of a credential.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Everything.
    Admin,
    /// Customers at the counter: accounts, cash over the own drawer, transfers, holds.
    Banker,
    /// The back office: corrections, journal entries, the business day.
    Operations,
    /// Reads everything, changes nothing.
    Auditor,
    /// Reads own accounts, pays from them.
    Customer,
    /// Transfers and payments that come as messages from a broker; no API key has this role.
    Queue,
}

/// The text names no role.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a role; use admin, banker, operations, auditor or customer")]
pub struct UnknownRole;

impl Role {
    /// Every role.
    pub const ALL: [Role; 6] =
        [Role::Admin, Role::Banker, Role::Operations, Role::Auditor, Role::Customer, Role::Queue];

    /// The word used in the interface and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Banker => "banker",
            Role::Operations => "operations",
            Role::Auditor => "auditor",
            Role::Customer => "customer",
            Role::Queue => "queue",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Role, UnknownRole> {
        Role::ALL.into_iter().find(|r| *r != Role::Queue && r.name() == text).ok_or(UnknownRole)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
