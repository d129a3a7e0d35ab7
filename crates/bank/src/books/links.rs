//! Finding the way through an account's history without an index.
//!
//! Each entry names the account's previous event, and at every 64th version also one 64, 4,096 or 262,144
//! versions earlier. The account's state names the newest. A page is found in some hundred steps, however deep
//! it lies.

use ledger::{Account, AccountId, Sequence};

use super::history::{Place, Step};
use crate::sequencer::Fault;
use crate::store::Reads;

/// Reads one step of an account's history.
///
/// # Errors
/// If it cannot be read, or is not of this account.
pub fn step<R: Reads + ?Sized>(reads: &R, account: AccountId, at: Sequence) -> Result<Step, Fault> {
    let event = reads.event(at)?;
    Step::of(event.ok_or_else(|| Fault::Unreadable(format!("event {at} is linked but not there")))?, account)
}

/// The newest step of an account at or before a place; none if its history begins later.
///
/// # Errors
/// If the history cannot be read.
pub fn seek<R: Reads + ?Sized>(
    reads: &R,
    id: AccountId,
    account: &Account,
    place: Place,
) -> Result<Option<Step>, Fault> {
    if account.last.0 == 0 {
        return Ok(None);
    }
    let mut here = step(reads, id, account.last)?;
    loop {
        if place.covers(&here) {
            return Ok(Some(here));
        }
        // A skip is taken if it does not lead past the place.
        if here.entry.skip.0 != 0 {
            let far = step(reads, id, here.entry.skip)?;
            if !place.covers(&far) {
                here = far;
                continue;
            }
        }
        if here.entry.previous.0 == 0 {
            return Ok(None);
        }
        here = step(reads, id, here.entry.previous)?;
    }
}

/// An account's steps from this version down, each read when it is asked for.
pub fn trail<'a, R: Reads + ?Sized>(
    reads: &'a R,
    id: AccountId,
    account: &'a Account,
    version: u64,
) -> impl Iterator<Item = Result<Step, Fault>> + 'a {
    let mut next = Next::Seek;
    std::iter::from_fn(move || {
        let here = match std::mem::replace(&mut next, Next::End) {
            Next::Seek => seek(reads, id, account, Place::Version(version)).transpose()?,
            Next::Read(at) => step(reads, id, at),
            Next::End => return None,
        };
        if let Ok(here) = &here
            && here.entry.previous.0 != 0
        {
            next = Next::Read(here.entry.previous);
        }
        Some(here)
    })
}

/// What a trail does when it is asked again.
enum Next {
    Seek,
    Read(Sequence),
    End,
}
