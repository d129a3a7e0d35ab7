//! A key to create, and what must be true of it.

use super::KeyError;
use crate::identity::principal::PrincipalName;
use crate::identity::role::Role;

/// The longest name of a key, in characters.
pub const NAME_MAX: usize = 100;
/// The most accounts that one customer's key may see.
pub const ACCOUNTS_MAX: usize = 1_000;

/// A key to create.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What people call it.
    pub name: String,
    /// Whose intent its requests are.
    pub principal: PrincipalName,
    /// What kind of actor its holder is.
    pub role: Role,
    /// The accounts that a customer may see; empty for the others.
    pub accounts: Vec<u64>,
    /// A banker's own cash account; `None` for the others.
    pub drawer: Option<u64>,
    /// From when on it is dead, in microseconds since 1970.
    pub expires_at_us: Option<i64>,
}

impl NewKey {
    /// The same with sorted accounts, or why it makes no sense.
    pub(super) fn checked(mut self, now_us: i64) -> Result<NewKey, KeyError> {
        let length = self.name.chars().count();
        if length == 0 || length > NAME_MAX || self.name.chars().any(char::is_control) {
            return Err(KeyError::Name);
        }
        self.accounts.sort_unstable();
        self.accounts.dedup();
        let customer = self.role == Role::Customer;
        if customer && (self.accounts.is_empty() || self.accounts.len() > ACCOUNTS_MAX) {
            return Err(KeyError::NoAccounts);
        }
        if !customer && !self.accounts.is_empty() {
            return Err(KeyError::AccountsNotUsed);
        }
        if self.role != Role::Banker && self.drawer.is_some() {
            return Err(KeyError::DrawerNotUsed);
        }
        let bad = |id: &&u64| **id == 0 || i64::try_from(**id).is_err();
        if let Some(id) = self.accounts.iter().chain(&self.drawer).find(bad) {
            return Err(KeyError::AccountId(*id));
        }
        if self.expires_at_us.is_some_and(|end| end <= now_us) {
            return Err(KeyError::ExpiresInThePast);
        }
        Ok(self)
    }
}
