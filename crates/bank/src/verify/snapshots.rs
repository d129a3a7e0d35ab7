//! Snapshots: the same bytes as this fold at their sequence.
//!
//! What a snapshot should hold is built piece by piece from the own fold and compared as it is read, so that
//! no second copy of the books is made and the first difference has a name.

use std::io::{self, Read};
use std::path::Path;

use journal::disk::OsDisk;
use journal::{Head, Identity, Record, Snapshots};
use ledger::State;

use super::books::{Account, Books, Hold};
use super::findings::{Findings, Subject};
use super::look::LookOnly;

/// The version of the content that this compares.
const VERSION: u32 = 3;

/// The version that a start takes; one of another version is passed over.
fn used() -> u32 {
    let mut bytes = Vec::new();
    State::new().save(&mut |piece| bytes.extend_from_slice(piece));
    bytes.first_chunk().map_or(0, |version| u32::from_be_bytes(*version))
}

/// The snapshots of a folder that wait for the walk to come by.
pub(super) struct Waiting {
    /// The newest first.
    snapshots: Vec<journal::Snapshot<LookOnly>>,
    /// The chain, computed only as far as the newest snapshot.
    chain: Head,
}

impl Waiting {
    /// Opens all snapshots. One that does not verify from end to end is reported.
    pub(super) fn open(dir: &Path, identity: &Identity, found: &mut Findings) -> Waiting {
        let mut waiting = Waiting { snapshots: Vec::new(), chain: Head::start(identity) };
        let folder = dir.join("snapshots");
        let mut below = u64::MAX;
        while let Ok(Some(snapshot)) = Snapshots::newest_valid_below(&LookOnly, dir, below) {
            below = snapshot.head().sequence;
            waiting.snapshots.push(snapshot);
        }
        let names = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for name in names.filter_map(|entry| entry.file_name().into_string().ok()) {
            let Some(digits) = name.strip_suffix(".snap") else { continue };
            let whole =
                waiting.snapshots.iter().any(|snapshot| digits.parse() == Ok(snapshot.head().sequence));
            // A server may have replaced it meanwhile.
            if !whole && journal::disk::Disk::exists(&OsDisk, &folder.join(&name)) {
                let text = format!("snapshots/{name} does not verify; remove it, a start replays instead");
                found.wrong(Subject::Snapshots, None, text);
            }
        }
        waiting
    }

    /// The walk has folded `record`.
    pub(super) fn passed(&mut self, record: Record<'_>, books: &Books, found: &mut Findings) {
        if self.snapshots.is_empty() {
            return;
        }
        self.chain = self.chain.next(record.hashed());
        let Some(mut snapshot) =
            self.snapshots.pop_if(|snapshot| snapshot.head().sequence == self.chain.sequence)
        else {
            return;
        };
        found.checked(Subject::Snapshots);
        let sequence = self.chain.sequence;
        if snapshot.head() != self.chain {
            let text = "the snapshot was made of another history".to_owned();
            return found.wrong(Subject::Snapshots, sequence, text);
        }
        tell(&mut snapshot, sequence, books, found);
    }

    /// The walk is over, without damage.
    pub(super) fn settle(&self, found: &mut Findings) {
        for snapshot in &self.snapshots {
            let sequence = snapshot.head().sequence;
            let text = format!("a snapshot stands at sequence {sequence}, the journal ends before");
            found.wrong(Subject::Snapshots, sequence, text);
        }
    }
}

/// Compares a snapshot with the fold at its sequence, and says where they differ.
pub(super) fn tell(snapshot: &mut impl Read, sequence: u64, books: &Books, found: &mut Findings) {
    match compare(snapshot, books) {
        Ok(()) => {}
        Err(Difference::NotUsed(version)) => found.note(
            Subject::Snapshots,
            format!("the snapshot at {sequence} has version {version} and is not used"),
        ),
        Err(Difference::Here(what)) => found.wrong(
            Subject::Snapshots,
            sequence,
            format!("the snapshot differs from the events in {what}"),
        ),
    }
}

enum Difference {
    NotUsed(u32),
    Here(String),
}

fn compare(snapshot: &mut impl Read, books: &Books) -> Result<(), Difference> {
    let mut version = [0; 4];
    snapshot.read_exact(&mut version).map_err(|_| Difference::Here("its length".into()))?;
    let version = u32::from_be_bytes(version);
    if version != used() {
        return Err(Difference::NotUsed(version));
    }
    // What a start would take and this does not know must not pass for proved.
    if version != VERSION {
        return Err(Difference::Here(format!(
            "its version {version}, which this verification does not know"
        )));
    }
    let mut same = Same { input: snapshot, bytes: Vec::new() };
    content(&mut same, books).map_err(Difference::Here)?;
    // Reading on is also what checks the end of the file.
    match same.input.read(&mut [0; 1]) {
        Ok(0) => Ok(()),
        _ => Err(Difference::Here("what follows the last name".into())),
    }
}

/// Compares what is read with what should be there.
struct Same<R> {
    input: R,
    bytes: Vec<u8>,
}

impl<R: Read> Same<R> {
    fn bytes(&mut self, expected: &[u8], what: impl FnOnce() -> String) -> Result<(), String> {
        self.bytes.resize(expected.len(), 0);
        let read: io::Result<()> = self.input.read_exact(&mut self.bytes);
        if read.is_ok() && self.bytes == expected { Ok(()) } else { Err(what()) }
    }

    fn text(&mut self, text: &str, what: impl Fn() -> String) -> Result<(), String> {
        self.bytes(&(text.len() as u16).to_be_bytes(), &what)?;
        self.bytes(text.as_bytes(), &what)
    }

    fn count(&mut self, count: usize, what: &str) -> Result<(), String> {
        self.bytes(&(count as u64).to_be_bytes(), || format!("the number of {what}"))
    }
}

fn content(same: &mut Same<impl Read>, books: &Books) -> Result<(), String> {
    let head = || "its head".to_owned();
    same.bytes(&books.head.to_be_bytes(), head)?;
    same.bytes(&books.time.to_be_bytes(), head)?;
    same.bytes(&books.bank, || "the bank".into())?;
    same.bytes(&books.timeline.to_be_bytes(), || "the timeline".into())?;
    same.text(&books.bank_name, || "the bank's name".into())?;
    for day in [books.day_open, books.day_newest] {
        same.bytes(&day.unwrap_or(i32::MIN).to_be_bytes(), || "the business day".into())?;
    }
    same.count(books.accounts.len(), "accounts")?;
    for (account, id) in books.accounts.iter().zip(1u64..) {
        same.bytes(&bytes_of_account(account), || format!("account {id}"))?;
    }
    same.count(books.holds.open.len(), "open holds")?;
    for (id, hold) in &books.holds.open {
        same.bytes(&id.to_be_bytes(), || format!("the id of hold {id}"))?;
        same.bytes(&bytes_of_hold(hold), || format!("hold {id}"))?;
    }
    let reversed = books.reversals.totals();
    same.count(reversed.len(), "reversed entries")?;
    for (original, index, amount) in reversed {
        let mut bytes = original.to_be_bytes().to_vec();
        bytes.push(index);
        bytes.extend_from_slice(&amount.to_be_bytes());
        same.bytes(&bytes, || format!("what is reversed of {original}"))?;
    }
    let late = books.late.sums();
    same.count(late.len(), "late sums")?;
    for (account, booking, value, sum) in late {
        let mut bytes = account.to_be_bytes().to_vec();
        bytes.extend_from_slice(&booking.to_be_bytes());
        bytes.extend_from_slice(&value.to_be_bytes());
        bytes.extend_from_slice(&sum.to_be_bytes());
        same.bytes(&bytes, || format!("what account {account} has late"))?;
    }
    same.count(books.names.len(), "names")?;
    for (kind, text) in &books.names {
        same.bytes(&[*kind], || format!("the kind of name {text:?}"))?;
        same.text(text, || format!("name {text:?}"))?;
    }
    Ok(())
}

fn bytes_of_account(account: &Account) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(164);
    for total in [account.posted, account.held, account.released].as_flattened() {
        bytes.extend_from_slice(&total.to_be_bytes());
    }
    for number in [account.version, account.last, account.limit.cast_unsigned(), account.opened] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    for mark in account.marks {
        bytes.extend_from_slice(&mark.to_be_bytes());
    }
    bytes.extend_from_slice(&account.owner.to_be_bytes());
    bytes.extend_from_slice(&account.currency.to_be_bytes());
    bytes.extend_from_slice(&[account.kind as u8, account.status as u8]);
    bytes.extend_from_slice(&account.open_holds.to_be_bytes());
    bytes
}

fn bytes_of_hold(hold: &Hold) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(35);
    bytes.extend_from_slice(&hold.account.to_be_bytes());
    bytes.push(hold.side);
    bytes.extend_from_slice(&hold.to.to_be_bytes());
    bytes.extend_from_slice(&hold.amount.to_be_bytes());
    bytes.extend_from_slice(&hold.currency.to_be_bytes());
    bytes.extend_from_slice(&hold.expires_at.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The format moved on once, and edited snapshots passed as those of another version.
    #[test]
    fn the_version_that_a_start_takes_is_the_one_that_is_compared() {
        assert_eq!(used(), VERSION);
    }
}
