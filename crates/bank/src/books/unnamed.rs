//! Why a name has no number.

use ledger::Refusal;

use crate::sequencer::Fault;

/// Why a name was given no number.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unnamed {
    /// The rules said no: it is too long.
    #[error("{0}")]
    Refused(Refusal),
    /// The books could not say.
    #[error(transparent)]
    Fault(#[from] Fault),
}
