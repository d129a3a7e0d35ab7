//! What reads bytes, one target each.

mod event;
mod http;
mod journal;
mod keys;
mod snapshot;

pub use event::event;
pub use http::http;
pub use journal::journal;
pub use keys::keys;
pub use snapshot::snapshot;

use crate::runner::Target;

/// All of them, by name.
pub const TARGETS: &[(&str, Target)] =
    &[("event", event), ("journal", journal), ("snapshot", snapshot), ("keys", keys), ("http", http)];
