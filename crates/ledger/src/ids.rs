//! Numbers with a meaning: an account is not a sequence, and the compiler knows it.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}#{}", stringify!($name), self.0)
            }
        }
    };
}

id!(
    /// An account of this bank. Given out by the ledger from 1 on, without gaps, never reused.
    AccountId(u64)
);
id!(
    /// A position in the journal, from 1, without gaps. A transaction's id is the sequence of its event.
    Sequence(u64)
);
id!(
    /// An interned name: a principal, a person, an origin. Given out by the ledger from 1 on; 0 is "nobody".
    NameId(u32)
);

/// Whose intent a request is: an interned name of kind [`crate::event::NameKind::Principal`].
pub type PrincipalId = NameId;

impl Sequence {
    /// The one after this.
    #[must_use]
    pub fn next(self) -> Sequence {
        Sequence(self.0 + 1)
    }
}
