//! Signatures: HMAC-SHA-256 over `id.timestamp.body`, the construction of Standard Webhooks, in both directions.
//!
//! Every request and every answer carries the headers `webhook-id`, `webhook-timestamp` (seconds since 1970) and
//! `webhook-signature` (`v1,` and base64), and `rail-key`, the id of the key: a new key is made known to the other
//! side and used before the old one is retired. An answer repeats the id of its request, so one that was recorded
//! elsewhere answers nothing here.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// How far the clocks of two institutions may differ, seconds. An older message is stale.
pub const TOLERANCE_S: i64 = 300;

/// Bytes of a secret, least and most.
pub const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The header with the message's id.
pub const ID: &str = "webhook-id";
/// The header with its time.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with its signature.
pub const SIGNATURE: &str = "webhook-signature";
/// The header with the id of the key.
pub const KEY: &str = "rail-key";

const PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";

/// Bytes of a message id at most.
const ID_BYTES_MAX: usize = 128;

/// A shared secret under its id.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// The id that the header names.
    pub id: String,
    secret: Vec<u8>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

impl Key {
    /// A key of these bytes; none if there are too few or too many.
    #[must_use]
    pub fn new(id: &str, secret: Vec<u8>) -> Option<Key> {
        SECRET_BYTES.contains(&secret.len()).then(|| Key { id: id.to_owned(), secret })
    }

    /// A key from its text: `whsec_` and base64.
    #[must_use]
    pub fn from_text(id: &str, text: &str) -> Option<Key> {
        let bytes = STANDARD.decode(text.trim().strip_prefix(PREFIX)?).ok()?;
        Key::new(id, bytes)
    }

    /// The secret as text, for the other side.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.secret))
    }

    /// The secret as it is stored.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    fn mac(&self, id: &str, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

/// A message's headers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed {
    /// The message's id.
    pub id: String,
    /// Seconds since 1970.
    pub timestamp: i64,
    /// `v1,` and base64; several may stand there, separated by spaces.
    pub signature: String,
    /// Which key.
    pub key: String,
}

/// Why a message is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Forged {
    /// A header is missing or not of its form.
    #[error("the message is not signed")]
    Unsigned,
    /// The key is not known, or retired.
    #[error("the signing key is not known")]
    UnknownKey,
    /// The signature is not of this key and this body.
    #[error("the signature is not right")]
    Wrong,
    /// Too old, or from the future.
    #[error("the message is stale: its time is more than 300 s off")]
    Stale,
    /// An answer to another request.
    #[error("the answer belongs to another request")]
    OtherRequest,
}

/// Signs a body.
#[must_use]
pub fn sign(key: &Key, id: &str, now_us: i64, body: &[u8]) -> Signed {
    let timestamp = now_us.div_euclid(1_000_000);
    let tag = key.mac(id, timestamp, body).finalize().into_bytes();
    let signature = format!("{VERSION}{}", STANDARD.encode(tag));
    Signed { id: id.to_owned(), timestamp, signature, key: key.id.clone() }
}

impl Signed {
    /// The headers of a message, by name.
    ///
    /// # Errors
    /// [`Forged::Unsigned`].
    pub fn read<'a>(header: impl Fn(&'static str) -> Option<&'a str>) -> Result<Signed, Forged> {
        let text = |name| header(name).map(str::to_owned).ok_or(Forged::Unsigned);
        let timestamp = header(TIMESTAMP).and_then(|text| text.parse().ok()).ok_or(Forged::Unsigned)?;
        let signed = Signed { id: text(ID)?, timestamp, signature: text(SIGNATURE)?, key: text(KEY)? };
        if signed.id.is_empty() || signed.id.len() > ID_BYTES_MAX {
            return Err(Forged::Unsigned);
        }
        Ok(signed)
    }

    /// The headers, by name.
    #[must_use]
    pub fn headers(&self) -> [(&'static str, String); 4] {
        [
            (ID, self.id.clone()),
            (TIMESTAMP, self.timestamp.to_string()),
            (SIGNATURE, self.signature.clone()),
            (KEY, self.key.clone()),
        ]
    }

    /// Whether one of `keys` signed this body, about now.
    ///
    /// # Errors
    /// [`Forged`]; the signature is looked at before the time, so a stale message is a true one.
    pub fn verify(&self, keys: &[Key], now_us: i64, body: &[u8]) -> Result<(), Forged> {
        let key = keys.iter().find(|key| key.id == self.key).ok_or(Forged::UnknownKey)?;
        let mac = key.mac(&self.id, self.timestamp, body);
        let right = self.signature.split(' ').any(|one| {
            let tag = one.strip_prefix(VERSION).and_then(|text| STANDARD.decode(text).ok());
            tag.is_some_and(|tag| mac.clone().verify_slice(&tag).is_ok())
        });
        if !right {
            return Err(Forged::Wrong);
        }
        let age = now_us.div_euclid(1_000_000).saturating_sub(self.timestamp);
        if age.saturating_abs() > TOLERANCE_S {
            return Err(Forged::Stale);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000_000_000;
    const S: i64 = 1_000_000;

    fn key(id: &str) -> Key {
        Key::new(id, (0..32).collect()).unwrap()
    }

    /// Computed with Python's hmac module over the same message.
    #[test]
    fn the_construction_is_that_of_standard_webhooks() {
        let signed = sign(&key("k1"), "msg_1", 1_614_265_330 * S, br#"{"test": 2432232314}"#);
        assert_eq!(signed.signature, "v1,GWvjEzx3AphU7wha3hNZPXJnymF9Fg+ZdvPQqWPOjZ0=");
    }

    #[test]
    fn what_was_signed_is_believed_within_the_tolerance() {
        let signed = sign(&key("k1"), "m", NOW, b"body");
        let at = |seconds: i64| signed.verify(&[key("k1")], NOW + seconds * S, b"body");
        assert_eq!(at(0), Ok(()));
        assert_eq!(at(TOLERANCE_S), Ok(()));
        assert_eq!(at(-TOLERANCE_S), Ok(()));
        assert_eq!(at(TOLERANCE_S + 1), Err(Forged::Stale));
        assert_eq!(at(-TOLERANCE_S - 1), Err(Forged::Stale));
    }

    #[test]
    fn nothing_of_a_message_can_be_changed() {
        let signed = sign(&key("k1"), "m", NOW, b"body");
        let keys = [key("k1"), Key::new("k2", vec![7; 32]).unwrap()];
        assert_eq!(signed.verify(&keys, NOW, b"Body"), Err(Forged::Wrong));
        for changed in [
            Signed { id: "n".into(), ..signed.clone() },
            Signed { timestamp: signed.timestamp + 1, ..signed.clone() },
            Signed { key: "k2".into(), ..signed.clone() },
            Signed { signature: "v1,AAAA".into(), ..signed.clone() },
            Signed { signature: signed.signature.replace("v1,", "v2,"), ..signed.clone() },
        ] {
            assert_eq!(changed.verify(&keys, NOW, b"body"), Err(Forged::Wrong), "{changed:?}");
        }
        let unknown = Signed { key: "k3".into(), ..signed };
        assert_eq!(unknown.verify(&keys, NOW, b"body"), Err(Forged::UnknownKey));
    }

    #[test]
    fn one_of_several_signatures_is_enough() {
        let signed = sign(&key("k1"), "m", NOW, b"body");
        let several = Signed { signature: format!("v1,AAAA {}", signed.signature), ..signed };
        assert_eq!(several.verify(&[key("k1")], NOW, b"body"), Ok(()));
    }

    #[test]
    fn a_secret_has_a_length_and_is_never_shown() {
        for (length, good) in [(23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(Key::new("k", vec![1; length]).is_some(), good, "{length}");
        }
        let key = key("k1");
        assert_eq!(Key::from_text("k1", &key.to_text()), Some(key.clone()));
        assert_eq!(Key::from_text("k1", "whsec_AAAA"), None);
        assert_eq!(format!("{key:?}"), "Key(k1)");
    }
}
