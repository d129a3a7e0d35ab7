//! What a bank must answer.

use std::sync::Arc;

use ledger::event::{HoldEnd, NameKind};
use ledger::{Code, Command, Digest, Request};

use super::account::Account;
use super::ask::{Ask, Intent};
use super::fact::{Fact, Leg, What};
use super::{Model, movement, reserve};

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// It happens, as these facts (a group's header first).
    Accepted(Vec<Fact>),
    /// It had happened, or been refused for good, under the same key, at this sequence.
    Replayed(u64),
    /// Its key belongs to the request at this sequence.
    KeyReused(u64),
    /// Refused; kept under its key as this fact, or not kept.
    Refused(Refused, Option<Box<Fact>>),
    /// Refused, and the budget of kept refusals is used up.
    Throttled,
    /// The name has this number.
    Named(u32),
    /// Nothing may be decided now, and nothing is known of it.
    NotNow,
}

/// A refusal, in plain numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub code: Code,
    /// On which account.
    pub account: Option<u64>,
    /// The figures that were compared.
    pub figures: [i64; 2],
    /// Which member of a group.
    pub member: Option<u16>,
}

impl Refused {
    pub(super) fn new(code: Code) -> Refused {
        Refused { code, account: None, figures: [0; 2], member: None }
    }

    pub(super) fn on(code: Code, account: u64) -> Refused {
        Refused { account: Some(account), ..Refused::new(code) }
    }

    pub(super) fn with(mut self, first: i128, second: i128) -> Refused {
        let clip = |figure: i128| figure.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        self.figures = [clip(first), clip(second)];
        self
    }

    /// Is it kept? Only what the books said is: the first block of codes, but for the one about a hold's life.
    fn is_kept(&self) -> bool {
        (self.code as u16) < 40 && self.code != Code::HoldTooLong
    }
}

/// What a request would do, before it is known to be allowed on each account.
pub(super) struct Draft {
    pub(super) what: What,
    pub(super) legs: Vec<Leg>,
}

impl Model {
    /// Ends the holds whose time has come, at most 1,024, earliest first.
    pub fn expire(&mut self, time: i64) {
        for _ in 0..1_024 {
            let Some((expires_at, hold)) = self.next_due() else { return };
            if expires_at > time {
                return;
            }
            let draft = reserve::end(self, hold, HoldEnd::Expired).expect("it is open");
            let expire = Request::new(Command::Expire { hold: ledger::Sequence(hold) }, Default::default());
            let fact = self.fact(&expire, time, draft);
            self.fold(&fact, None);
        }
    }

    /// The answers to a submission while nothing may be decided: what is known already.
    #[must_use]
    pub fn known(&self, ask: &Ask) -> Vec<Expected> {
        let told = |key, intent: &Intent| self.earlier(key, intent).unwrap_or(Expected::NotNow);
        match ask {
            Ask::One(request) => vec![told(request.key, &Intent::of(request))],
            Ask::Many(requests) => {
                requests.iter().map(|request| told(request.key, &Intent::of(request))).collect()
            }
            Ask::Group { header, members } => vec![told(header.key, &Intent::of_group(header, members))],
            Ask::Name(kind, text) => vec![self.named(*kind, text).unwrap_or(Expected::NotNow)],
        }
    }

    fn named(&self, kind: NameKind, text: &str) -> Option<Expected> {
        let index = self.names.iter().position(|known| known.0 == kind && known.1 == *text)?;
        Some(Expected::Named(index as u32 + 1))
    }

    /// The answers to a submission decided at `time`, one for each request; the model is the bank afterwards.
    pub fn expect(&mut self, ask: &Ask, time: i64) -> Vec<Expected> {
        match ask {
            Ask::One(request) => vec![self.one(request, time)],
            Ask::Many(requests) => requests.iter().map(|request| self.one(request, time)).collect(),
            Ask::Group { header, members } => vec![self.group(header, members, time)],
            Ask::Name(kind, text) => {
                let command = Command::Name { kind: *kind, text: text.as_str().into() };
                let named = self.named(*kind, text);
                vec![named.unwrap_or_else(|| self.one(&Request::new(command, Default::default()), time))]
            }
        }
    }

    fn one(&mut self, request: &Request, time: i64) -> Expected {
        if let Some(earlier) = self.earlier(request.key, &Intent::of(request)) {
            return earlier;
        }
        match self.decide(request, time) {
            Ok(draft) => {
                let fact = self.fact(request, time, draft);
                self.fold(&fact, Some(Arc::new(Intent::of(request))));
                Expected::Accepted(vec![fact])
            }
            Err(refused) => self.refuse(request, Intent::of(request), time, refused),
        }
    }

    fn group(&mut self, header: &Request, members: &[Request], time: i64) -> Expected {
        let intent = Intent::of_group(header, members);
        if let Some(earlier) = self.earlier(header.key, &intent) {
            return earlier;
        }
        let before = self.clone();
        match self.members(header, members, &intent, time) {
            Ok(facts) => Expected::Accepted(facts),
            Err(refused) => {
                *self = before;
                self.refuse(header, intent, time, refused)
            }
        }
    }

    fn members(
        &mut self,
        header: &Request,
        members: &[Request],
        intent: &Intent,
        time: i64,
    ) -> Result<Vec<Fact>, Refused> {
        if members.is_empty() || members.len() > 8_192 {
            return Err(Refused::new(Code::TooManyMembers).with(members.len() as i128, 8_192));
        }
        let draft = Draft { what: What::Group { members: members.len() as u16 }, legs: Vec::new() };
        let fact = self.fact(header, time, draft);
        self.fold(&fact, Some(Arc::new(intent.clone())));
        let mut facts = vec![fact];
        for (index, member) in members.iter().enumerate() {
            let refused = |refused: Refused| Refused { member: Some(index as u16), ..refused };
            if matches!(
                member.command,
                Command::OpenAccount(_)
                    | Command::ChangeAccount { .. }
                    | Command::Expire { .. }
                    | Command::OpenDay { .. }
                    | Command::CloseDay { .. }
                    | Command::Prepare(_)
                    | Command::Commit { .. }
                    | Command::Abort { .. }
                    | Command::Name { .. }
            ) {
                return Err(refused(Refused::new(Code::NotInGroup)));
            }
            if member.key != Digest::NONE && self.keys.contains_key(&member.key) {
                return Err(refused(Refused::new(Code::KeyTakenInBatch)));
            }
            let draft = self.decide(member, time).map_err(refused)?;
            let fact = Fact { in_group: true, ..self.fact(member, time, draft) };
            self.fold(&fact, Some(Arc::new(Intent::of(member))));
            facts.push(fact);
        }
        Ok(facts)
    }

    fn earlier(&self, key: Digest, intent: &Intent) -> Option<Expected> {
        let (sequence, first) = self.keys.get(&key).filter(|_| key != Digest::NONE)?;
        let same = first.as_ref().is_some_and(|first| **first == *intent);
        Some(if same { Expected::Replayed(*sequence) } else { Expected::KeyReused(*sequence) })
    }

    fn refuse(&mut self, request: &Request, intent: Intent, time: i64, refused: Refused) -> Expected {
        if request.key == Digest::NONE || !refused.is_kept() {
            return Expected::Refused(refused, None);
        }
        if !self.budget.take(request.principal.0, time) {
            return Expected::Throttled;
        }
        let what = What::Refused {
            code: refused.code,
            account: refused.account,
            figures: refused.figures,
            member: refused.member,
        };
        let fact = self.fact(request, time, Draft { what, legs: Vec::new() });
        self.fold(&fact, Some(Arc::new(intent)));
        Expected::Refused(refused, Some(Box::new(fact)))
    }

    fn decide(&self, request: &Request, time: i64) -> Result<Draft, Refused> {
        let note = request.note.as_deref();
        let reference = note.and_then(|note| note.reference.as_deref()).unwrap_or("");
        let description = note.and_then(|note| note.description.as_deref()).unwrap_or("");
        for (text, most) in [(reference, 128), (description, 512)] {
            if text.len() > most {
                return Err(Refused::new(Code::TextTooLong).with(text.len() as i128, most as i128));
            }
        }
        let counts = matches!(
            request.command,
            Command::Deposit(_)
                | Command::Withdraw(_)
                | Command::Transfer(_)
                | Command::Post { .. }
                | Command::Capture { .. }
                | Command::Commit { .. }
                | Command::Reverse { .. }
        );
        if request.value.is_some() && !counts {
            return Err(Refused::new(Code::ValueDateNotTaken));
        }
        match &request.command {
            Command::OpenAccount(_) | Command::ChangeAccount { .. } => self.manage(&request.command),
            Command::Hold { .. }
            | Command::Capture { .. }
            | Command::Void { .. }
            | Command::Prepare(_)
            | Command::Commit { .. }
            | Command::Abort { .. } => reserve::decide(self, request, time),
            Command::OpenDay { date } => self.open_day(date.0, time),
            Command::CloseDay { date } if self.open_day == Some(date.0) => Ok(bare(What::DayClosed(date.0))),
            Command::CloseDay { date } => Err(Refused::new(Code::DayNotOpen).with(date.0.into(), 0)),
            Command::Name { kind, text } => {
                let id = self.names.len() as u32 + 1;
                Ok(bare(What::Named { id, kind: *kind, text: text.to_string() }))
            }
            Command::Expire { .. } => unreachable!("only the bank itself expires"),
            _ => movement::decide(self, request),
        }
    }

    fn open_day(&self, day: i32, time: i64) -> Result<Draft, Refused> {
        if let Some(open) = self.open_day {
            return Err(Refused::new(Code::DayAlreadyOpen).with(open.into(), 0));
        }
        match self.newest_day {
            Some(newest) if day <= newest => {
                Err(Refused::new(Code::DayNotAfter).with(newest.into(), day.into()))
            }
            None if day < self.booking(time) => {
                Err(Refused::new(Code::FirstDayTooEarly).with(self.booking(time).into(), day.into()))
            }
            _ => Ok(bare(What::DayOpened(day))),
        }
    }

    pub(super) fn account(&self, id: u64) -> Result<&Account, Refused> {
        self.accounts.get(&id).ok_or(Refused::on(Code::UnknownAccount, id))
    }

    /// A business day is open and the value date is within a year and a day of it.
    pub(super) fn bookable(&self, request: &Request) -> Result<(), Refused> {
        let Some(day) = self.open_day else { return Err(Refused::new(Code::NoOpenDay)) };
        match request.value {
            Some(value) if (i64::from(value.0) - i64::from(day)).abs() > 366 => {
                Err(Refused::new(Code::ValueDateOutOfRange).with(day.into(), value.0.into()))
            }
            _ => Ok(()),
        }
    }

    fn fact(&self, request: &Request, time: i64, draft: Draft) -> Fact {
        let booking = self.booking(time);
        let value = request.value.filter(|_| matches!(draft.what, What::Posted { .. }));
        let note = request.note.as_deref();
        Fact {
            sequence: self.head() + 1,
            time,
            booking,
            value: value.map_or(booking, |value| value.0),
            principal: request.principal.0,
            key: request.key,
            in_group: false,
            legs: draft.legs,
            reference: note.and_then(|note| note.reference.as_deref().map(str::to_owned)),
            description: note.and_then(|note| note.description.as_deref().map(str::to_owned)),
            what: draft.what,
        }
    }
}

pub(super) fn bare(what: What) -> Draft {
    Draft { what, legs: Vec::new() }
}
