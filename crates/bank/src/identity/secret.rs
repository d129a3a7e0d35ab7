//! The API key as its holder sees it: `bck_<prefix>_<secret>`.
//!
//! The prefix (8 characters, 40 bits) names the key in lists and finds it in the directory; it is no secret.
//! The secret has 256 bits of randomness, so a plain SHA-256 is enough to store it: there is nothing to guess
//! that a slow hash would protect. The whole text is hashed, which binds the secret to its prefix. It is shown
//! once and kept nowhere.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

const MARK: &str = "bck_";
/// Characters in a prefix.
pub const PREFIX_LENGTH: usize = 8;
const SECRET_LENGTH: usize = 43;
const LENGTH: usize = MARK.len() + PREFIX_LENGTH + 1 + SECRET_LENGTH;
/// Crockford's base 32: no letter can be misread for a digit when a prefix is read out on the phone.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The public part of a key.
pub type Prefix = [u8; PREFIX_LENGTH];

/// An API key in clear text. Printed by [`Secret::expose`] only.
pub struct Secret(Box<str>);

impl Secret {
    /// The text to hand to the holder, once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The randomness of one key: taken from the system for a real one, given by a test.
pub struct KeyMaterial {
    pub(super) id: [u8; 10],
    prefix: [u8; PREFIX_LENGTH],
    secret: [u8; 32],
}

impl KeyMaterial {
    /// Bytes of randomness in one key.
    pub const BYTES: usize = 10 + PREFIX_LENGTH + 32;

    /// Fresh randomness from the operating system.
    pub fn from_system() -> Result<KeyMaterial, getrandom::Error> {
        let mut bytes = [0; KeyMaterial::BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(KeyMaterial::from_bytes(&bytes))
    }

    /// The given bytes; a key is as good as these are random.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; KeyMaterial::BYTES]) -> KeyMaterial {
        let mut material = KeyMaterial { id: [0; 10], prefix: [0; PREFIX_LENGTH], secret: [0; 32] };
        material.id.copy_from_slice(&bytes[..10]);
        material.prefix.copy_from_slice(&bytes[10..18]);
        material.secret.copy_from_slice(&bytes[18..]);
        material
    }

    pub(super) fn key(&self) -> (Secret, Prefix) {
        let prefix = self.prefix.map(|b| ALPHABET[usize::from(b) % ALPHABET.len()]);
        let mut text = String::with_capacity(LENGTH);
        text.push_str(MARK);
        text.extend(prefix.map(char::from));
        text.push('_');
        URL_SAFE_NO_PAD.encode_string(self.secret, &mut text);
        (Secret(text.into()), prefix)
    }
}

/// The prefix of a text that has the form of a key; says nothing about whether the key exists.
#[must_use]
pub fn prefix_of(text: &str) -> Option<Prefix> {
    let bytes = text.as_bytes();
    let formed = bytes.len() == LENGTH
        && text.starts_with(MARK)
        && bytes[MARK.len() + PREFIX_LENGTH] == b'_'
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'_');
    if !formed {
        return None;
    }
    bytes[MARK.len()..MARK.len() + PREFIX_LENGTH].try_into().ok()
}

/// What is stored of a key.
#[must_use]
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_key_has_the_form_that_scanners_can_look_for() {
        let (secret, prefix) = KeyMaterial::from_bytes(&[7; KeyMaterial::BYTES]).key();
        assert_eq!(secret.expose(), "bck_77777777_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
        assert_eq!(prefix_of(secret.expose()), Some(prefix));
    }

    #[test]
    fn two_keys_from_the_system_differ_in_every_part() {
        let (a, b) = (KeyMaterial::from_system().unwrap(), KeyMaterial::from_system().unwrap());
        assert_ne!(a.id, b.id);
        assert_ne!(a.secret, b.secret);
        assert_ne!(a.key().1, b.key().1);
    }

    #[test]
    fn debug_does_not_print_the_secret() {
        let (secret, _) = KeyMaterial::from_bytes(&[7; KeyMaterial::BYTES]).key();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[rstest]
    #[case::empty("")]
    #[case::other_mark("bkc_77777777_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")]
    #[case::one_short("bck_77777777_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw")]
    #[case::one_long("bck_77777777_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcc")]
    #[case::no_separator("bck_777777777BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")]
    #[case::other_characters("bck_77777777_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHB/+")]
    #[case::not_ascii("bck_7777777é_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw")]
    fn a_text_of_another_form_is_no_key(#[case] text: &str) {
        assert_eq!(prefix_of(text), None);
    }
}
