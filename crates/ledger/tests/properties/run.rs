//! Drives a sequence of steps through the rules, the way a store would.

use std::collections::BTreeMap;

use ledger::command::OpenAccount;
use ledger::event::Claimed;
use ledger::rules::{Context, decide, decide_group, open_bank, record_refusal};
use ledger::{Command, Currency, Date, Digest, Event, NameId, Refusal, Request, Sequence, State};

use crate::generator::{ACCOUNTS, DAY_US, Member, Step, newest_day};

/// The day on which every run starts.
pub const START: Date = Date(20_458);

pub struct Run {
    pub state: State,
    pub claims: BTreeMap<Digest, Claimed>,
    pub events: Vec<Event>,
    pub time: i64,
}

/// What a step asked for.
#[derive(Debug)]
pub enum Asked {
    One(Request),
    Group(Request, Vec<Request>),
}

/// A step as it was decided, before anything of it is applied.
#[derive(Debug)]
pub struct Decided {
    pub asked: Asked,
    pub context: Context,
    pub outcome: Result<Vec<Event>, Refusal>,
}

impl Run {
    /// A bank with its accounts and an open day.
    pub fn start() -> Run {
        let mut run = Run {
            state: State::new(),
            claims: BTreeMap::new(),
            events: Vec::new(),
            time: i64::from(START.0) * DAY_US,
        };
        run.apply(open_bank([1; 16], 1, "A bank", run.context()).expect("a short name"));
        for wish in run.openings() {
            let decided = run.decide(Asked::One(wish));
            run.finish(&decided);
        }
        run
    }

    /// The requests with which every run starts.
    pub fn openings(&self) -> Vec<Request> {
        let mut requests = vec![Request::new(Command::OpenDay { date: START }, NameId(1))];
        for (account_type, currency, overdraft_limit, status) in ACCOUNTS {
            let wish = OpenAccount {
                account_type: *account_type,
                currency: Currency::from_code(currency).expect("known"),
                status: *status,
                overdraft_limit: *overdraft_limit,
                owner: NameId(0),
                number: None,
                name: "an account".into(),
            };
            requests.push(Request::new(Command::OpenAccount(Box::new(wish)), NameId(1)));
        }
        requests
    }

    /// Runs every step; `each` sees it decided and not yet applied, then the run after it.
    pub fn steps(&mut self, steps: &[Step], mut each: impl FnMut(&Run, &Decided, Option<&Run>)) {
        for step in steps {
            let Some(asked) = self.ask(step) else { continue };
            let decided = self.decide(asked);
            each(self, &decided, None);
            let mut after = Run {
                state: self.state.clone(),
                claims: self.claims.clone(),
                events: self.events.clone(),
                time: self.time,
            };
            after.finish(&decided);
            each(self, &decided, Some(&after));
            *self = after;
        }
    }

    /// The request of a step; `None` if nobody would send it or the sequencer would answer it itself.
    fn ask(&mut self, step: &Step) -> Option<Asked> {
        match step {
            Step::Wait(micros) => {
                self.time += micros;
                None
            }
            Step::ExpireDue => {
                let hold = self.state.due(self.time)?;
                Some(Asked::One(Request::new(Command::Expire { hold }, NameId(1))))
            }
            Step::One(member) => {
                let request = self.request(member)?;
                (!self.is_used(request.key)).then_some(Asked::One(request))
            }
            Step::Group(members, key) => {
                let members: Option<Vec<_>> = members.iter().map(|member| self.request(member)).collect();
                let header = Request::new(Command::Void { hold: Sequence(0) }, NameId(1));
                let header = with_key(header, *key);
                (!self.is_used(header.key)).then_some(Asked::Group(header, members?))
            }
        }
    }

    fn is_used(&self, key: Digest) -> bool {
        self.claims.contains_key(&key)
    }

    fn request(&self, member: &Member) -> Option<Request> {
        let mut request = Request::new(member.wish.command(self)?, NameId(1));
        request.value = member.value.map(|days| Date(newest_day(self).0 + days));
        Some(with_key(request, member.key))
    }

    pub fn context(&self) -> Context {
        Context { sequence: self.state.head().next(), time: self.time }
    }

    pub fn decide(&self, asked: Asked) -> Decided {
        let view = self.state.view(|digest| self.claims.get(digest).copied());
        let context = self.context();
        let outcome = match &asked {
            Asked::One(request) => decide(&view, request, context).map(|event| vec![event]),
            Asked::Group(header, members) => decide_group(&view, header, members, context),
        };
        Decided { asked, context, outcome }
    }

    /// Applies what was decided; a refusal that is to be recorded becomes an event too.
    pub fn finish(&mut self, decided: &Decided) {
        match &decided.outcome {
            Ok(events) => events.iter().for_each(|event| self.apply(event.clone())),
            Err(refusal) if refusal.is_recorded() && !decided.key().is_none() => {
                let view = self.state.view(|digest| self.claims.get(digest).copied());
                let event = record_refusal(&view, decided.header(), decided.context, *refusal);
                self.apply(event);
            }
            Err(_) => {}
        }
    }

    fn apply(&mut self, event: Event) {
        self.state.apply(&event);
        event.claims(|digest, claimed| {
            assert_eq!(self.claims.insert(digest, claimed), None, "a claim is made once: {event:?}");
        });
        self.events.push(event);
    }
}

impl Decided {
    pub fn header(&self) -> &Request {
        match &self.asked {
            Asked::One(request) | Asked::Group(request, _) => request,
        }
    }

    pub fn key(&self) -> Digest {
        self.header().key
    }
}

fn with_key(request: Request, key: Option<u8>) -> Request {
    match key {
        Some(key) => request.with_key(Digest::of_key(NameId(1), &key.to_string())),
        None => request,
    }
}
