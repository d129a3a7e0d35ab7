//! Signatures after Standard Webhooks: `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64.
//!
//! While a secret is being replaced both sign, so a receiver that knows either of them is content. The secret is
//! `whsec_` and 32 bytes in base64; it is shown once, when it is made.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

const MARK: &str = "whsec_";

/// Bytes of randomness in a secret.
pub const BYTES: usize = 32;

/// A secret that signs. Printed by [`SigningSecret::expose`] only.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret([u8; BYTES]);

impl SigningSecret {
    /// Fresh randomness from the operating system.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn from_system() -> Result<SigningSecret, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(SigningSecret(bytes))
    }

    /// The given bytes; none if they are not as many as a secret has.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<SigningSecret> {
        bytes.try_into().ok().map(SigningSecret)
    }

    /// The bytes, for the bank database.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text to hand to the receiver, once.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{MARK}{}", STANDARD.encode(self.0))
    }

    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length is one");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

/// The header `webhook-signature` for a message sent at `timestamp`, seconds since 1970.
#[must_use]
pub fn signatures(secrets: &[SigningSecret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let each: Vec<String> = secrets.iter().map(|secret| secret.sign(id, timestamp, body)).collect();
    each.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's hmac and hashlib, not with this code.
    #[test]
    fn a_signature_is_the_hmac_of_id_time_and_body() {
        let secret = SigningSecret([7; BYTES]);
        assert_eq!(secret.expose(), "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        assert_eq!(
            signatures(&[secret], "msg_1", 1_700_000_000, b"{\"a\":1}"),
            "v1,LInk7lWC3DLGgRP3k/Xpm933fgj/SEGrik4mpkLgnKE="
        );
    }

    #[test]
    fn two_secrets_sign_beside_each_other() {
        let (old, new) = (SigningSecret([1; BYTES]), SigningSecret([2; BYTES]));
        let both = signatures(&[new.clone(), old.clone()], "m", 1, b"x");
        let alone = [signatures(&[new], "m", 1, b"x"), signatures(&[old], "m", 1, b"x")];
        assert_eq!(both, alone.join(" "));
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", SigningSecret([7; BYTES])), "SigningSecret(…)");
    }
}
