//! Whose journal this is: the bank and the timeline, in the text file `IDENTITY`.
//!
//! It is the last file written when a journal is created, so its presence says that creation was finished. It is text
//! because an operator will look at it one day, and carries a checksum because they might also edit it.

use crate::chain::hex;
use crate::layout::FORMAT;

/// The bank and the timeline that every frame and the chain's start are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The bank's id, drawn at random when the journal is created.
    pub bank: [u8; 16],
    /// Which history of this bank: a restore from a copy starts a new one.
    pub timeline: u32,
}

/// Why an `IDENTITY` file was not understood.
pub(crate) enum Misread {
    Version(u32),
    Damaged,
}

impl Identity {
    pub(crate) fn to_text(self) -> String {
        let body = format!("format = {FORMAT}\nbank = {}\ntimeline = {}\n", hex(&self.bank), self.timeline);
        let check = crc32c::crc32c(body.as_bytes());
        format!("{body}check = {check:08x}\n")
    }

    pub(crate) fn from_text(text: &[u8]) -> Result<Identity, Misread> {
        let text = std::str::from_utf8(text).map_err(|_| Misread::Damaged)?;
        let at = text.find("check = ").ok_or(Misread::Damaged)?;
        let (body, check) = text.split_at(at);
        if check != format!("check = {:08x}\n", crc32c::crc32c(body.as_bytes())) {
            return Err(Misread::Damaged);
        }
        let value = |name: &str| {
            let mut lines = body.lines().filter_map(|line| line.split_once(" = "));
            lines.find(|(found, _)| *found == name).map(|(_, value)| value).ok_or(Misread::Damaged)
        };
        let format: u32 = value("format")?.parse().map_err(|_| Misread::Damaged)?;
        if format != FORMAT {
            return Err(Misread::Version(format));
        }
        let timeline = value("timeline")?.parse().map_err(|_| Misread::Damaged)?;
        let digits = value("bank")?;
        if digits.len() != 32 || !digits.is_ascii() {
            return Err(Misread::Damaged);
        }
        let mut bank = [0; 16];
        for (byte, at) in bank.iter_mut().zip((0..32).step_by(2)) {
            *byte = u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| Misread::Damaged)?;
        }
        Ok(Identity { bank, timeline })
    }

    /// The part of the bank's id that every frame repeats.
    pub(crate) fn short(&self) -> [u8; 8] {
        crate::layout::array_at(&self.bank, 0)
    }
}
