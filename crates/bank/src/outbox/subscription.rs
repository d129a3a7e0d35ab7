//! A subscription: who gets which events, where, and from when on.

use uuid::Uuid;

use super::sink::SinkKind;
use super::template::Templates;
use super::view::Filter;
use crate::identity::{Credential, Role};

/// A subscription as it stands. Nothing secret is in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscription {
    /// Its id.
    pub id: Uuid,
    /// The kind of place that events go to.
    pub sink: SinkKind,
    /// What people call it.
    pub name: String,
    /// Where to: a URL without passwords, or a path.
    pub target: String,
    /// Whose it is.
    pub principal: String,
    /// As which role its principal sees the events.
    pub role: Role,
    /// For a customer: the accounts whose events are seen, sorted.
    pub accounts: Vec<u64>,
    /// What is wanted of that.
    pub filter: Filter,
    /// What the text of a notification is made from, by kind of event.
    pub templates: Templates,
    /// The sequence after which it began.
    pub begins_after: u64,
    /// When it was made, microseconds since 1970.
    pub created_at_us: i64,
    /// By whom.
    pub created_by: String,
    /// Since when it gets nothing, and why.
    pub disabled: Option<Disabled>,
}

/// Since when a subscription gets nothing, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disabled {
    /// When, microseconds since 1970.
    pub at_us: i64,
    /// In words.
    pub why: String,
}

impl Subscription {
    /// The credential that the policy is asked about.
    #[must_use]
    pub fn holder(&self) -> Credential {
        Credential::of_subscription(self.id, &self.name, &self.principal, self.role, &self.accounts)
    }
}
