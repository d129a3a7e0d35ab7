//! The name of a principal: whose intent a request is.
//!
//! Names beginning with `internal:` belong to the bank's own subsystems, whose keys of idempotency no
//! request can name; therefore no API key can act for one.

use std::fmt;
use std::str::FromStr;

const LENGTH_MAX: usize = 64;
const RESERVED: &str = "internal:";

/// A name that an API key may act for: `[A-Za-z0-9._:-]{1,64}`, not beginning with `internal:`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalName(Box<str>);

/// Why a text is no principal's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PrincipalNameError {
    /// Empty, too long, or with other characters.
    #[error("a principal's name has 1 to 64 characters out of A-Z a-z 0-9 . _ : -; choose another name")]
    Form,
    /// In the namespace of the bank's own subsystems.
    #[error("names that begin with \"internal:\" belong to the bank's own subsystems; choose another name")]
    Reserved,
}

impl PrincipalName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PrincipalName {
    type Err = PrincipalNameError;

    fn from_str(text: &str) -> Result<PrincipalName, PrincipalNameError> {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
        if text.is_empty() || text.len() > LENGTH_MAX || !text.bytes().all(known) {
            return Err(PrincipalNameError::Form);
        }
        if text.starts_with(RESERVED) {
            return Err(PrincipalNameError::Reserved);
        }
        Ok(PrincipalName(text.into()))
    }
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::plain("customer-17", Ok(()))]
    #[case::every_kind_of_character("Az09._:-", Ok(()))]
    #[case::the_longest(&"a".repeat(64), Ok(()))]
    #[case::internal_without_the_colon("internals", Ok(()))]
    #[case::empty("", Err(PrincipalNameError::Form))]
    #[case::too_long(&"a".repeat(65), Err(PrincipalNameError::Form))]
    #[case::space("a b", Err(PrincipalNameError::Form))]
    #[case::newline("a\n", Err(PrincipalNameError::Form))]
    #[case::not_ascii("kärl", Err(PrincipalNameError::Form))]
    #[case::subsystem("internal:payments", Err(PrincipalNameError::Reserved))]
    #[case::subsystem_without_a_name("internal:", Err(PrincipalNameError::Reserved))]
    fn a_name_is_short_plain_and_not_internal(
        #[case] text: &str,
        #[case] expected: Result<(), PrincipalNameError>,
    ) {
        assert_eq!(text.parse::<PrincipalName>().map(|n| assert_eq!(n.as_str(), text)), expected);
    }
}
