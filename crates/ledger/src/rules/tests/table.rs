//! The language of the tables.
//!
//! ```text
//!  open alice liability BDT [pending] [overdraft 5.00] [number N] [named TEXT]
//!  fund alice 100.00                          money from the bank's own accounts, made on demand
//!  deposit drawer alice 10.00 BDT             likewise withdraw, transfer: from, to
//!  post debit a 1.00 BDT, credit b 1.00 BDT [*64]
//!  hold alice 40.00 BDT [to bob] [for 3d]
//!  capture H [10.00] [to bob]                 likewise void H, expire H
//!  reverse T [10.00 | entries 0 5.00 1 5.00]
//!  change alice [status frozen] [limit 5.00] [version 3]
//!  open-day 2026-01-06                        likewise close-day
//!  intern actor carol
//!  wait 3d                                    or 5us
//!  see alice => 100.00, available 60.00       the account as it stands
//!  group key G … end                          members between them, one a line
//! ```
//! Every command may end in `as LABEL`, `key K`, `value DATE`, `reference TEXT`, `description TEXT`; `x*129`
//! is a text of 129 bytes. A line with `=>` must come out as it says; one without must be accepted. Amounts
//! are in major units; an account that was never opened is simply not there.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::account::{Account, AccountType, Side, Status};
use crate::codec::{decode, encode};
use crate::command::{Command, Extent, Movement, Note, OpenAccount, Original, Request};
use crate::currency::Currency;
use crate::date::Date;
use crate::digest::Digest;
use crate::entry::{Effect, Entry, Line};
use crate::event::{Body, Claimed, Event, NameKind};
use crate::ids::{AccountId, NameId, Sequence};
use crate::invariants;
use crate::money::{Major, parse};
use crate::refusal::Refusal;
use crate::rules::{Context, decide, decide_group, open_bank};
use crate::state::State;

/// Runs a table against fresh books on an open business day, 2026-01-05.
#[track_caller]
pub(super) fn check(table: &str) {
    let mut world = World::new();
    world.line("open-day 2026-01-05");
    world.run(table);
}

/// Runs a table against fresh books on which no business day was ever opened.
#[track_caller]
pub(super) fn check_before_the_first_day(table: &str) {
    World::new().run(table);
}

const DAY_US: i64 = 86_400_000_000;
const START: i64 = 20_458 * DAY_US;
const NOBODY: AccountId = AccountId(999_999);

/// The books of one table, and the names that it gave to things.
pub(super) struct World {
    pub(super) state: State,
    pub(super) claims: BTreeMap<Digest, Claimed>,
    pub(super) events: Vec<Event>,
    accounts: BTreeMap<String, AccountId>,
    labels: BTreeMap<String, Sequence>,
    time: i64,
    group: Option<(Request, Vec<Member>)>,
}

struct Member {
    request: Request,
    label: Option<String>,
    expected: Option<String>,
}

impl World {
    pub(super) fn new() -> World {
        let mut world = World {
            state: State::new(),
            claims: BTreeMap::new(),
            events: Vec::new(),
            accounts: BTreeMap::new(),
            labels: BTreeMap::new(),
            time: START,
            group: None,
        };
        let context = world.context();
        world.accept(open_bank([7; 16], 1, "Test Bank", context).expect("a short name"));
        world
    }

    #[track_caller]
    pub(super) fn run(&mut self, table: &str) {
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            self.line(line);
        }
        assert!(self.group.is_none(), "a group without its end");
    }

    #[track_caller]
    pub(super) fn line(&mut self, line: &str) {
        let (command, expected) = match line.split_once("=>") {
            Some((command, expected)) => (command, Some(expected.trim())),
            None => (line, None),
        };
        let mut words = Words::of(command);
        let label = words.option("as");
        let extras = Extras::of(&mut words);
        let outcome = match words.next().as_str() {
            "wait" => {
                self.time += micros(&words.next());
                return;
            }
            "see" => Ok(self.see(&words.next())),
            "fund" => self.fund(&mut words),
            "group" => {
                // The header's command is not looked at.
                self.group = Some((extras.with(Command::Void { hold: Sequence(0) }), Vec::new()));
                return;
            }
            "end" => self.end_of_group(label),
            word => {
                let request = extras.with(self.command(word, &mut words));
                assert_eq!(words.rest(), "", "words left over in: {line}");
                if let Some((_, members)) = &mut self.group {
                    members.push(Member { request, label, expected: expected.map(Into::into) });
                    return;
                }
                self.decide(&request, label)
            }
        };
        match (outcome, expected) {
            (outcome, Some(expected)) => {
                let outcome = outcome.unwrap_or_else(|refused| refused);
                assert!(outcome == expected, "{line}\n  expected: {expected}\n  came out: {outcome}");
            }
            (Err(refused), None) => panic!("{line}\n  came out: {refused}"),
            (Ok(_), None) => {}
        }
    }

    fn context(&self) -> Context {
        Context { sequence: self.state.head().next(), time: self.time }
    }

    /// What every accepted event goes through: the record and back, the books, the sums.
    fn accept(&mut self, event: Event) {
        let mut record = Vec::new();
        encode(&event, &mut record);
        assert_eq!(decode(&record).as_ref(), Ok(&event), "the record says what the event said");
        self.state.apply(&event);
        assert_eq!(invariants::check(&self.state), [], "after {event:?}");
        event.claims(|digest, claimed| {
            assert_eq!(self.claims.insert(digest, claimed), None, "a claim is made once: {event:?}");
        });
        self.events.push(event);
    }

    fn decide(&mut self, request: &Request, label: Option<String>) -> Result<String, String> {
        let view = self.state.view(|digest| self.claims.get(digest).copied());
        match decide(&view, request, self.context()) {
            Ok(event) => {
                self.label(label, event.sequence);
                self.accept(event);
                Ok(self.tell(self.events.last().expect("just accepted")))
            }
            Err(refusal) => {
                let opened = self.state.account_count();
                self.accounts.retain(|_, id| id.0 <= opened);
                Err(self.tell_refusal(&refusal))
            }
        }
    }

    #[track_caller]
    fn end_of_group(&mut self, label: Option<String>) -> Result<String, String> {
        let (header, members) = self.group.take().expect("an end follows a group");
        let requests: Vec<_> = members.iter().map(|member| member.request.clone()).collect();
        let view = self.state.view(|digest| self.claims.get(digest).copied());
        let events = match decide_group(&view, &header, &requests, self.context()) {
            Ok(events) => events,
            Err(refused) => return Err(self.tell_refusal(&refused)),
        };
        assert_eq!(events.len(), members.len() + 1);
        self.label(label, events[0].sequence);
        let mut told = Vec::new();
        for event in events {
            let member = told.len().checked_sub(1).map(|index| &members[index]);
            assert_eq!(event.in_group, member.is_some());
            self.label(member.and_then(|member| member.label.clone()), event.sequence);
            self.accept(event);
            told.push(self.tell(self.events.last().expect("just accepted")));
            if let Some(expected) = member.and_then(|member| member.expected.as_ref()) {
                assert_eq!(told.last(), Some(expected), "in a group");
            }
        }
        Ok(told.swap_remove(0))
    }

    fn label(&mut self, label: Option<String>, sequence: Sequence) {
        if let Some(label) = label {
            self.labels.insert(label, sequence);
        }
    }

    pub(super) fn id(&self, name: &str) -> AccountId {
        self.accounts.get(name).copied().unwrap_or(NOBODY)
    }

    fn sequence(&self, label: &str) -> Sequence {
        self.labels.get(label).copied().unwrap_or(Sequence(777_777))
    }

    pub(super) fn account(&self, name: &str) -> &Account {
        self.state.account(self.id(name)).unwrap_or_else(|| panic!("{name} was not opened"))
    }

    fn command(&mut self, word: &str, words: &mut Words) -> Command {
        match word {
            "open" => self.open(words),
            "deposit" => Command::Deposit(self.movement(words)),
            "withdraw" => Command::Withdraw(self.movement(words)),
            "transfer" => Command::Transfer(self.movement(words)),
            "post" => Command::Post { lines: self.lines(&words.rest()) },
            "hold" => {
                let to = words.option("to").map(|name| self.id(&name));
                let expires_at = words.option("for").map(|life| self.time + micros(&life));
                let account = self.id(&words.next());
                let (amount, currency) = money(words);
                Command::Hold { account, to, amount, currency, expires_at }
            }
            "capture" => {
                let to = words.option("to").map(|name| self.id(&name));
                let hold = self.sequence(&words.next());
                let amount = words.maybe().map(|text| minor(&text, bdt()));
                Command::Capture { hold, amount, to }
            }
            "void" => Command::Void { hold: self.sequence(&words.next()) },
            "prepare" => Command::Prepare(self.movement(words)),
            "commit" => Command::Commit { hold: self.sequence(&words.next()) },
            "abort" => Command::Abort { hold: self.sequence(&words.next()) },
            "expire" => Command::Expire { hold: self.sequence(&words.next()) },
            "reverse" => self.reverse(words),
            "change" => {
                let status = words.option("status").map(|name| Status::from_name(&name).expect("a status"));
                let overdraft_limit = words.option("limit").map(|text| minor(&text, bdt()));
                let expected_version = words.option("version").map(|text| text.parse().expect("a version"));
                let account = self.id(&words.next());
                Command::ChangeAccount { account, status, overdraft_limit, expected_version }
            }
            "open-day" => Command::OpenDay { date: date(&words.next()) },
            "close-day" => Command::CloseDay { date: date(&words.next()) },
            "intern" => {
                let kind = NameKind::from_name(&words.next()).expect("a kind of name");
                Command::Name { kind, text: words.next().into() }
            }
            other => panic!("no such command: {other}"),
        }
    }

    fn open(&mut self, words: &mut Words) -> Command {
        let overdraft = words.option("overdraft");
        let number = words.option("number").map(Into::into);
        let named = words.option("named");
        let name = words.next();
        let account_type = AccountType::from_name(&words.next()).expect("an account type");
        let currency = Currency::from_code(&words.next()).expect("a currency");
        let status = words.maybe().map_or(Status::Active, |text| Status::from_name(&text).expect("a status"));
        // Named before it is decided, so that the outcome can be told by name.
        self.accounts.insert(name.clone(), AccountId(self.state.account_count() + 1));
        Command::OpenAccount(Box::new(OpenAccount {
            account_type,
            currency,
            status,
            overdraft_limit: overdraft.map_or(0, |text| minor(&text, currency)),
            owner: NameId(0),
            number,
            name: named.unwrap_or(name).into(),
        }))
    }

    fn movement(&self, words: &mut Words) -> Movement {
        let (from, to) = (self.id(&words.next()), self.id(&words.next()));
        let (amount, currency) = money(words);
        Movement { from, to, amount, currency }
    }

    fn lines(&self, text: &str) -> Box<[Line]> {
        let mut lines = Vec::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let mut words = Words::of(part);
            let side = match words.next().as_str() {
                "debit" => Side::Debit,
                "credit" => Side::Credit,
                other => panic!("no such side: {other}"),
            };
            let account = self.id(&words.next());
            let (amount, currency) = money(&mut words);
            let times = words.maybe().map_or(1, |times| times[1..].parse().expect("*times"));
            lines.extend(std::iter::repeat_n(Line { account, side, amount, currency }, times));
        }
        lines.into()
    }

    fn reverse(&self, words: &mut Words) -> Command {
        let event = &self.events[self.sequence(&words.next()).0 as usize - 1];
        let original = Original {
            sequence: event.sequence,
            kind: event.transaction().expect("only transactions are read for a reversal"),
            lines: event.posted().map(Entry::line).collect(),
        };
        let extent = match words.maybe().as_deref() {
            None => Extent::Rest,
            Some("entries") => {
                let mut entries = Vec::new();
                while let Some(index) = words.maybe() {
                    let index: u8 = index.parse().expect("an index");
                    let currency = original.lines.get(usize::from(index)).map_or(bdt(), |line| line.currency);
                    entries.push((index, minor(&words.next(), currency)));
                }
                Extent::Entries(entries.into())
            }
            Some(amount) => Extent::Amount(minor(amount, original.lines[0].currency)),
        };
        Command::Reverse { original: Arc::new(original), extent }
    }

    /// Gives an account its opening balance, out of the bank's own pocket.
    fn fund(&mut self, words: &mut Words) -> Result<String, String> {
        let name = words.next();
        let (currency, normal) = (self.account(&name).currency(), self.account(&name).normal_side());
        let amount = words.next();
        let kind = if normal == Side::Credit { "asset" } else { "equity" };
        let pocket = format!("pocket-{kind}-{currency}");
        if !self.accounts.contains_key(&pocket) {
            self.line(&format!("open {pocket} {kind} {currency}"));
        }
        let lines = self.lines(&format!(
            "{} {name} {amount} {currency}, {} {pocket} {amount} {currency}",
            normal.name(),
            normal.opposite().name()
        ));
        self.decide(&Request::new(Command::Post { lines }, NameId(1)), None)
    }

    fn see(&self, name: &str) -> String {
        let account = self.account(name);
        let major = |minor| Major(minor, account.currency());
        let mut told = format!("{}", major(account.ledger_balance()));
        let promised = account.held(account.normal_side());
        for (what, amount, plain) in [
            ("available", account.available_balance(), account.ledger_balance()),
            ("reserved", account.reserved(), 0),
            ("promised", promised, 0),
        ] {
            if amount != plain {
                told += &format!(", {what} {}", major(amount));
            }
        }
        if account.status != Status::Active {
            told += &format!(", {}", account.status.name());
        }
        told
    }

    /// An event as the tables write it.
    fn tell(&self, event: &Event) -> String {
        let kind = match &event.body {
            Body::BankOpened { .. } => "bank_opened".into(),
            Body::Named { id, .. } => format!("named {id}"),
            Body::AccountOpened(opening) => format!("opened {}", opening.number),
            Body::AccountChanged { .. } => "changed".into(),
            Body::Posted { kind, .. } => kind.name().into(),
            Body::HoldPlaced { .. } => "hold".into(),
            Body::HoldEnded { how, .. } => how.name().into(),
            Body::DayOpened { date } => format!("day opened {date}"),
            Body::DayClosed { date } => format!("day closed {date}"),
            Body::Refused(refusal) => self.tell_refusal(refusal),
            Body::Group { members } => format!("group of {members}"),
        };
        let entries: Vec<_> = event.entries.iter().map(|entry| self.tell_entry(entry)).collect();
        if entries.is_empty() { kind } else { format!("{kind}: {}", entries.join(", ")) }
    }

    fn tell_entry(&self, entry: &Entry) -> String {
        let name = self.name_of(entry.account);
        let amount = Major(entry.amount.into(), entry.currency);
        let shrinking = self.state.account(entry.account).is_some_and(|it| it.normal_side() != entry.side);
        match (entry.effect, shrinking) {
            (Effect::Posted, _) => format!("{name} {}", Major(entry.balance_after.into(), entry.currency)),
            (Effect::Held, true) => format!("{name} held {amount}"),
            (Effect::Held, false) => format!("{name} promised {amount}"),
            (Effect::Released, true) => format!("{name} released {amount}"),
            (Effect::Released, false) => format!("{name} unpromised {amount}"),
            (Effect::Touched, _) => name,
        }
    }

    fn tell_refusal(&self, refusal: &Refusal) -> String {
        let mut told = format!("refused {}", refusal.code.name());
        if let Some(account) = refusal.account {
            told += &format!(" on {}", self.name_of(account));
        }
        for (name, value) in refusal.named_figures() {
            let label = self.labels.iter().find(|(_, sequence)| {
                matches!(name, "hold_id" | "transaction_id") && sequence.to_string() == value
            });
            told += &format!(", {name} {}", label.map_or(value.as_str(), |(label, _)| label));
        }
        if let Some(member) = refusal.member {
            told += &format!(", member {member}");
        }
        told
    }

    fn name_of(&self, id: AccountId) -> String {
        let known = self.accounts.iter().find(|(_, known)| **known == id);
        known.map_or_else(|| "nobody".into(), |(name, _)| name.clone())
    }
}

/// What may stand at the end of every command.
struct Extras {
    key: Option<String>,
    value: Option<Date>,
    note: Option<Arc<Note>>,
}

impl Extras {
    fn of(words: &mut Words) -> Extras {
        let reference = words.option("reference").map(Into::into);
        let description = words.option("description").map(Into::into);
        let note = Note { reference, description, ..Note::default() };
        Extras {
            key: words.option("key"),
            value: words.option("value").map(|text| date(&text)),
            note: (note != Note::default()).then(|| Arc::new(note)),
        }
    }

    fn with(self, command: Command) -> Request {
        let mut request = Request::new(command, NameId(1));
        (request.value, request.note) = (self.value, self.note);
        match self.key {
            Some(key) => request.with_key(Digest::of_key(NameId(1), &key)),
            None => request,
        }
    }
}

/// The words of a command; options may stand anywhere after the first.
struct Words(Vec<String>);

impl Words {
    fn of(text: &str) -> Words {
        Words(text.split_whitespace().map(repeated).collect())
    }

    fn next(&mut self) -> String {
        assert!(!self.0.is_empty(), "a word is missing");
        self.0.remove(0)
    }

    fn maybe(&mut self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    fn option(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|word| word == name)?;
        self.0.remove(at);
        Some(self.0.remove(at))
    }

    fn rest(&mut self) -> String {
        std::mem::take(&mut self.0).join(" ")
    }
}

/// `x*129` is 129 times x; `*64` stays as it is; `""` is no letter at all.
fn repeated(word: &str) -> String {
    match word.split_once('*') {
        None if word == "\"\"" => String::new(),
        Some((text, times)) if !text.is_empty() => text.repeat(times.parse().expect("text*times")),
        _ => word.into(),
    }
}

fn bdt() -> Currency {
    Currency::from_code("BDT").expect("known")
}

fn date(text: &str) -> Date {
    text.parse().unwrap_or_else(|_| panic!("not a date: {text}"))
}

fn money(words: &mut Words) -> (i64, Currency) {
    let amount = words.next();
    let currency = Currency::from_code(&words.next()).expect("a currency");
    (minor(&amount, currency), currency)
}

fn minor(text: &str, currency: Currency) -> i64 {
    match text.strip_prefix('-') {
        Some(negative) => -minor(negative, currency),
        None => parse(text, currency).unwrap_or_else(|error| panic!("{text} {currency}: {error:?}")),
    }
}

fn micros(text: &str) -> i64 {
    match (text.strip_suffix("us"), text.strip_suffix('d')) {
        (Some(micros), _) => micros.parse().expect("microseconds"),
        (_, Some(days)) => days.parse::<i64>().expect("days") * DAY_US,
        _ => panic!("not a duration: {text}"),
    }
}
