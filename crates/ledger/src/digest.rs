//! Digests: SHA-256 cut to sixteen bytes, for keys, fingerprints and other claims.
//!
//! A *claim* is a digest that one event only may hold, for ever: an idempotency key, an account number, the
//! end of a hold. Every claim is made in its own namespace, so that no text a caller sends can meet a claim
//! of another kind or of another principal.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::ids::{PrincipalId, Sequence};

/// Sixteen bytes of SHA-256. All zero means "none".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// No digest: the request has no key.
    pub const NONE: Digest = Digest([0; 16]);

    /// Is this [`Digest::NONE`]?
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Digest::NONE
    }

    /// The first sixteen bytes of SHA-256 over the parts, one after the other.
    #[must_use]
    pub fn over(parts: &[&[u8]]) -> Digest {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        let full = hash.finalize();
        Digest(full[..16].try_into().expect("SHA-256 has 32 bytes"))
    }

    /// The claim of an idempotency key: `SHA-256("key" ‖ principal u32 ‖ key)`. Unique per principal.
    #[must_use]
    pub fn of_key(principal: PrincipalId, key: &str) -> Digest {
        Digest::over(&[b"key", &principal.0.to_be_bytes(), key.as_bytes()])
    }

    /// The claim of a key that the bank itself makes up: no request can name this namespace.
    #[must_use]
    pub fn of_internal_key(subsystem: &str, key: &[u8]) -> Digest {
        Digest::over(&[b"internal", &[subsystem.len() as u8], subsystem.as_bytes(), key])
    }

    /// The claim of the one end that a hold has.
    #[must_use]
    pub fn of_hold_end(hold: Sequence) -> Digest {
        Digest::over(&[b"hold-end", &hold.0.to_be_bytes()])
    }

    /// The claim of an account number.
    #[must_use]
    pub fn of_number(number: &str) -> Digest {
        Digest::over(&[b"number", number.as_bytes()])
    }

    /// Where a caller's reference is looked up. Not a claim: several transactions may carry one reference.
    #[must_use]
    pub fn of_reference(reference: &str) -> Digest {
        Digest::over(&[b"reference", reference.as_bytes()])
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
