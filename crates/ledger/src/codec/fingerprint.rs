//! Fingerprints: is this the same request again?
//!
//! SHA-256, cut to sixteen bytes, over a fixed encoding of what was asked for: one byte for the command, its
//! fields in order (integers big-endian, an absent option as a zero byte, a present one as a one byte and its
//! value, texts with a two-byte length), then value date, reference and description.

use sha2::{Digest as _, Sha256};

use crate::command::{Command, Extent, Movement, Request};
use crate::digest::Digest;
use crate::entry::Line;
use crate::ids::{AccountId, Sequence};

/// Of one request.
#[must_use]
pub fn of(request: &Request) -> Digest {
    let mut bytes = Canonical(Vec::with_capacity(128));
    bytes.command(&request.command);
    bytes.option(request.value, |bytes, date| bytes.put(&date.0.to_be_bytes()));
    let note = request.note.as_deref();
    bytes.option(note.and_then(|note| note.reference.as_deref()), Canonical::text);
    bytes.option(note.and_then(|note| note.description.as_deref()), Canonical::text);
    Digest::over(&[&bytes.0])
}

/// Of an atomic group: over the fingerprints and keys of its members, in order.
#[must_use]
pub fn of_group<'a>(members: impl Iterator<Item = &'a Request>) -> Digest {
    let mut hash = Sha256::new();
    hash.update(b"group");
    for member in members {
        hash.update(of(member).0);
        hash.update(member.key.0);
    }
    Digest(hash.finalize()[..16].try_into().expect("SHA-256 has 32 bytes"))
}

struct Canonical(Vec<u8>);

impl Canonical {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn option<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => {
                self.put(&[1]);
                put(self, value);
            }
            None => self.put(&[0]),
        }
    }

    fn text(&mut self, text: &str) {
        self.put(&(text.len() as u16).to_be_bytes());
        self.put(text.as_bytes());
    }

    fn account(&mut self, id: AccountId) {
        self.put(&id.0.to_be_bytes());
    }

    fn amount(&mut self, minor: i64) {
        self.put(&minor.to_be_bytes());
    }

    fn movement(&mut self, command: u8, movement: &Movement) {
        self.put(&[command]);
        self.account(movement.from);
        self.account(movement.to);
        self.amount(movement.amount);
        self.put(&movement.currency.numeric().to_be_bytes());
    }

    fn line(&mut self, line: &Line) {
        self.account(line.account);
        self.put(&[line.side as u8]);
        self.amount(line.amount);
        self.put(&line.currency.numeric().to_be_bytes());
    }

    fn on_hold(&mut self, command: u8, hold: Sequence) {
        self.put(&[command]);
        self.put(&hold.0.to_be_bytes());
    }

    fn command(&mut self, command: &Command) {
        match command {
            Command::Deposit(movement) => self.movement(1, movement),
            Command::Withdraw(movement) => self.movement(2, movement),
            Command::Transfer(movement) => self.movement(3, movement),
            Command::Post { lines } => {
                self.put(&[4, lines.len() as u8]);
                lines.iter().for_each(|line| self.line(line));
            }
            Command::Hold { account, to, amount, currency, expires_at } => {
                self.put(&[5]);
                self.account(*account);
                self.option(*to, Self::account);
                self.amount(*amount);
                self.put(&currency.numeric().to_be_bytes());
                self.option(*expires_at, Self::amount);
            }
            Command::Capture { hold, amount, to } => {
                self.on_hold(6, *hold);
                self.option(*amount, Self::amount);
                self.option(*to, Self::account);
            }
            Command::Void { hold } => self.on_hold(7, *hold),
            Command::Prepare(movement) => self.movement(15, movement),
            Command::Commit { hold } => self.on_hold(16, *hold),
            Command::Abort { hold } => self.on_hold(17, *hold),
            Command::Expire { hold } => self.on_hold(8, *hold),
            Command::Reverse { original, extent } => {
                self.on_hold(9, original.sequence);
                match extent {
                    Extent::Rest => self.put(&[0]),
                    Extent::Amount(amount) => {
                        self.put(&[1]);
                        self.amount(*amount);
                    }
                    Extent::Entries(entries) => {
                        self.put(&[2, entries.len() as u8]);
                        for (index, amount) in entries.iter() {
                            self.put(&[*index]);
                            self.amount(*amount);
                        }
                    }
                }
            }
            Command::OpenAccount(wish) => {
                self.put(&[10, wish.account_type as u8, wish.status as u8]);
                self.put(&wish.currency.numeric().to_be_bytes());
                self.amount(wish.overdraft_limit);
                self.put(&wish.owner.0.to_be_bytes());
                self.option(wish.number.as_deref(), Self::text);
                self.text(&wish.name);
            }
            Command::ChangeAccount { account, status, overdraft_limit, expected_version } => {
                self.put(&[11]);
                self.account(*account);
                self.option(*status, |bytes, status| bytes.put(&[status as u8]));
                self.option(*overdraft_limit, Self::amount);
                self.option(*expected_version, |bytes, version| bytes.put(&version.to_be_bytes()));
            }
            Command::OpenDay { date } => {
                self.put(&[12]);
                self.put(&date.0.to_be_bytes());
            }
            Command::CloseDay { date } => {
                self.put(&[13]);
                self.put(&date.0.to_be_bytes());
            }
            Command::Name { kind, text } => {
                self.put(&[14, *kind as u8]);
                self.text(text);
            }
        }
    }
}
