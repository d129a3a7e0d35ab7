//! Identity: who asks, and what they may do. Below HTTP, so that no path skips it.
//!
//! A request is authenticated by an API key that carries a role (people, passwords and sessions come later
//! and will end in the same [`Credential`]). A credential acts for a **principal**: keys of idempotency,
//! quotas and ownership belong to principals, so replacing a key changes nothing.
//!
//! ```text
//! request ─► Directory::authenticate ─► Credential ─► Quota::take ─► policy::allow ─► sequencer
//!                  ▲ in memory, no SQL                                (deny by default)
//! command ─► KeyStore::create_key / revoke_key ─► bank database, audit record ─► Directory
//! ```
//!
//! | module | noun |
//! |---|---|
//! | `principal` | whose intent it is, by name |
//! | `role` | what kind of actor |
//! | `secret` | the key as its holder sees it, and its hash |
//! | `credential` | a key as the service sees it |
//! | `directory` | all live credentials, in memory |
//! | `keys` | the durable side: create, revoke, list |
//! | `policy` | the one function that says yes or no |
//! | `quota` | how much of it, per principal |

pub mod credential;
pub mod directory;
pub mod keys;
pub mod policy;
pub mod principal;
pub mod quota;
pub mod role;
pub mod secret;

pub use credential::Credential;
pub use directory::{Directory, Unauthenticated};
pub use keys::{KeyError, KeyInfo, KeyRef, KeyStore, NewKey};
pub use policy::{AccountRef, Action, Denied, Object, allow, sees};
pub use principal::PrincipalName;
pub use quota::{Quota, RetryAfter};
pub use role::Role;
pub use secret::{KeyMaterial, Secret};
