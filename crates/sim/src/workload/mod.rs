//! The workload: one seeded stream of requests over a small bank.
//!
//! It looks at the [`Model`] to know which accounts, holds and transactions there are, so that most of what it asks
//! for makes sense; and it is wrong on purpose often enough that every refusal has its day. The same seed over the
//! same answers asks for the same things, for ever.

mod commands;
mod pick;

use ledger::event::NameKind;
use ledger::{AccountType, Command, Currency, Date, Digest, NameId, Note, Request, Sequence};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::model::{Ask, Model};

/// How many earlier submissions are remembered, to be sent again.
const PAST: usize = 256;

/// How many principals ask.
pub const PRINCIPALS: u32 = 5;

/// A seeded stream of submissions.
pub struct Workload {
    rng: SmallRng,
    opening: Vec<Ask>,
    past: Vec<Ask>,
    keys: u64,
    used: Vec<(NameId, String)>,
}

/// The two currencies of the small bank.
#[must_use]
pub fn currencies() -> [Currency; 2] {
    ["BDT", "USD"].map(|code| Currency::from_code(code).expect("in the standard"))
}

impl Workload {
    /// The stream of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Workload {
        let mut workload = Workload {
            rng: SmallRng::seed_from_u64(seed),
            opening: Vec::new(),
            past: Vec::new(),
            keys: 0,
            used: Vec::new(),
        };
        workload.opening = workload.opening();
        workload.opening.reverse();
        workload
    }

    /// The next submission, given what the bank is now and what time it is. The first ones set the bank up.
    pub fn next(&mut self, model: &Model, now: i64) -> Ask {
        if let Some(ask) = self.opening.pop() {
            return ask;
        }
        let ask = self.any(model, now);
        if self.past.len() == PAST {
            let old = self.rng.random_range(0..PAST);
            self.past.swap_remove(old);
        }
        self.past.push(ask.clone());
        ask
    }

    /// Is the bank set up?
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.opening.is_empty()
    }

    fn any(&mut self, model: &Model, now: i64) -> Ask {
        match self.rng.random_range(0..100) {
            0..8 if !self.past.is_empty() => self.again(),
            8..12 => self.key_of_another(model, now),
            12..21 => self.group(model, now),
            21..30 => {
                let count = self.rng.random_range(1..=6);
                Ask::Many((0..count).map(|_| self.request(model, now)).collect())
            }
            30..32 => {
                let kind = if self.rng.random_bool(0.5) { NameKind::Actor } else { NameKind::Origin };
                Ask::Name(kind, format!("teller {}", self.rng.random_range(0..12)))
            }
            _ => Ask::One(self.request(model, now)),
        }
    }

    /// An earlier submission once more, word for word.
    fn again(&mut self) -> Ask {
        let index = self.rng.random_range(0..self.past.len());
        self.past[index].clone()
    }

    /// A key that was used before: for something else, or by somebody else.
    fn key_of_another(&mut self, model: &Model, now: i64) -> Ask {
        let mut request = self.request(model, now);
        if let Some((principal, text)) = self.a_used_key() {
            if self.rng.random_bool(0.5) {
                request.principal = principal;
            }
            request = request.clone().with_key(Digest::of_key(request.principal, &text));
        }
        Ask::One(request)
    }

    fn a_used_key(&mut self) -> Option<(NameId, String)> {
        let last = self.used.len().checked_sub(1)?;
        Some(self.used[self.rng.random_range(0..=last)].clone())
    }

    fn group(&mut self, model: &Model, now: i64) -> Ask {
        let count = if self.rng.random_bool(0.03) { 0 } else { self.rng.random_range(1..=6) };
        let members: Vec<Request> = (0..count).map(|_| self.member(model, now)).collect();
        let principal = self.principal();
        let nothing = Command::Void { hold: Sequence(0) };
        let mut header = Request::new(nothing, principal);
        header.key = self.key(principal);
        header.fingerprint = ledger::codec::fingerprint::of_group(members.iter());
        Ask::Group { header, members }
    }

    fn request(&mut self, model: &Model, now: i64) -> Request {
        let command = self.command(model, now);
        self.dress(command, model, 0.88)
    }

    fn member(&mut self, model: &Model, now: i64) -> Request {
        let command =
            if self.rng.random_bool(0.97) { self.movement(model, now) } else { self.command(model, now) };
        let member = self.dress(command, model, 0.3);
        match self.a_used_key().filter(|_| self.rng.random_bool(0.02)) {
            Some((principal, text)) => member.with_key(Digest::of_key(principal, &text)),
            None => member,
        }
    }

    /// Gives a command a principal, sometimes a key, a value date, texts.
    fn dress(&mut self, command: Command, model: &Model, keyed: f64) -> Request {
        let principal = self.principal();
        let mut request = Request::new(command, principal);
        if self.rng.random_bool(0.2) {
            request.note = Some(self.note().into());
        }
        if self.rng.random_bool(0.08) {
            let far = if self.rng.random_bool(0.2) { 500 } else { 20 };
            let day = model.open_day.unwrap_or(20_779);
            request.value = Some(Date(day + self.rng.random_range(-far..=far)));
        }
        let key = if self.rng.random_bool(keyed) { self.key(principal) } else { Digest::NONE };
        if key.is_none() { request } else { request.with_key(key) }
    }

    fn note(&mut self) -> Note {
        let reference = match self.rng.random_range(0..40) {
            0 => "R".repeat(129),
            _ => format!("INV-{}", self.rng.random_range(0..16)),
        };
        let description = match self.rng.random_range(0..40) {
            0 => Some("d".repeat(513)),
            1..10 => Some("rent for the upper floor".to_owned()),
            _ => None,
        };
        Note {
            reference: self.rng.random_bool(0.9).then(|| reference.into()),
            description: description.map(Into::into),
            ..Note::default()
        }
    }

    fn principal(&mut self) -> NameId {
        NameId(self.rng.random_range(1..=PRINCIPALS))
    }

    fn key(&mut self, principal: NameId) -> Digest {
        self.keys += 1;
        let text = format!("key-{}", self.keys);
        let key = Digest::of_key(principal, &text);
        self.used.push((principal, text));
        key
    }

    /// Names, a business day (and one before it, which is refused), the bank's own accounts, customers, and cash to begin with.
    fn opening(&mut self) -> Vec<Ask> {
        let mut asks: Vec<Ask> = (1..=PRINCIPALS)
            .map(|number| Ask::Name(NameKind::Principal, format!("principal {number}")))
            .collect();
        let mut plain = |command| {
            let request = Request::new(command, NameId(1));
            let key = self.key(NameId(1));
            asks.push(Ask::One(request.with_key(key)));
        };
        let first = Date::of_micros(crate::time::START);
        plain(Command::OpenDay { date: Date(first.0 - 1) });
        plain(Command::OpenDay { date: first });
        for currency in currencies() {
            for (kind, name) in [
                (AccountType::Asset, "vault"),
                (AccountType::Asset, "drawer"),
                (AccountType::Equity, "capital"),
                (AccountType::Income, "fees"),
            ] {
                plain(pick::opening(kind, currency, name));
            }
            for customer in 0..4 {
                plain(pick::opening(AccountType::Liability, currency, &format!("customer {customer}")));
            }
        }
        for (base, currency) in [0, 8].into_iter().zip(currencies()) {
            plain(pick::funding(base + 1, base + 3, currency));
        }
        asks
    }
}
