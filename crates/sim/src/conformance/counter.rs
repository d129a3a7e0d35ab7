//! A counter of a small bank: what the behaviours say is said in its words.

use bank::books::{Decided, GroupDecided};
use bank::sequencer::{AccountView, Fault};
use ledger::command::{Movement, OpenAccount};
use ledger::event::NameKind;
use ledger::{
    AccountId, AccountType, Code, Command, Currency, Date, Digest, Event, NameId, Note, Request, Sequence,
    Status,
};

use super::Home;
use crate::desk::{Desk, Settings};
use crate::time::{START, SimClock};

/// A bank with a vault, capital, and two customers, open for business.
pub struct Counter<H> {
    /// Where its books live.
    pub home: H,
    settings: Settings,
    /// The books.
    pub desk: Desk,
    /// The clock.
    pub clock: SimClock,
    /// Who asks.
    pub teller: NameId,
    /// Who else asks.
    pub other: NameId,
    /// Cash without end.
    pub vault: AccountId,
    /// A customer.
    pub alice: AccountId,
    /// Another one.
    pub bob: AccountId,
}

/// The currency of most things here.
#[must_use]
pub fn bdt() -> Currency {
    Currency::from_code("BDT").expect("in the standard")
}

impl<H: Home> Counter<H> {
    /// A fresh bank.
    #[must_use]
    pub fn open() -> Counter<H> {
        Self::with(Settings::default())
    }

    /// A fresh bank with these settings.
    #[must_use]
    pub fn with(settings: Settings) -> Counter<H> {
        let (mut home, clock) = (H::fresh(), SimClock::default());
        let desk = home.open(clock.clone(), &settings);
        let nobody = AccountId(0);
        let (teller, other) = (NameId(1), NameId(2));
        let mut counter =
            Counter { home, settings, desk, clock, teller, other, vault: nobody, alice: nobody, bob: nobody };
        for (name, number) in [("teller", teller), ("other", other)] {
            assert_eq!(counter.intern(name), number);
        }
        counter.done(Command::OpenDay { date: Date::of_micros(START) });
        counter.vault = counter.account("vault", AccountType::Asset, NameId(0), 0);
        counter.alice = counter.account("alice", AccountType::Liability, teller, 0);
        counter.bob = counter.account("bob", AccountType::Liability, counter.other, 0);
        counter
    }

    /// A bank that an earlier counter opened, wherever its books have gone since.
    #[must_use]
    pub fn again(mut home: H) -> Counter<H> {
        let (settings, clock) = (Settings::default(), SimClock::default());
        let desk = home.open(clock.clone(), &settings);
        let (teller, other) = (NameId(1), NameId(2));
        let (vault, alice, bob) = (AccountId(1), AccountId(2), AccountId(3));
        Counter { home, settings, desk, clock, teller, other, vault, alice, bob }
    }

    /// Closes the books and opens them again, where that is possible; says whether it was.
    pub fn reopen(&mut self) -> bool {
        if !H::SURVIVES {
            return false;
        }
        let (store, reads) = bank::store::memory::open();
        let nothing =
            Desk::new(store, std::sync::Arc::new(reads), self.clock.clone(), &self.settings, |_| ());
        drop(std::mem::replace(&mut self.desk, nothing));
        self.desk = self.home.open(self.clock.clone(), &self.settings);
        true
    }

    /// Interns a principal.
    pub fn intern(&mut self, name: &str) -> NameId {
        let name = name.to_owned();
        self.desk
            .ask(|books| async move { books.intern(NameKind::Principal, &name).await })
            .expect("no faults here")
    }

    /// Has a request decided.
    pub fn submit(&mut self, request: Request) -> Decided {
        self.try_submit(request).expect("no faults here")
    }

    /// Has a request decided, if nothing is in the way.
    ///
    /// # Errors
    /// What is in the way.
    pub fn try_submit(&mut self, request: Request) -> Result<Decided, Fault> {
        self.desk.ask(|books| async move { books.submit(request).await })
    }

    /// Has a group decided.
    pub fn group(&mut self, key: &str, members: Vec<Request>) -> GroupDecided {
        let mut header = Request::new(Command::Void { hold: Sequence(0) }, self.teller);
        header.key = Digest::of_key(self.teller, key);
        header.fingerprint = ledger::codec::fingerprint::of_group(members.iter());
        self.desk
            .ask(|books| async move { books.submit_group(header, members).await })
            .expect("no faults here")
    }

    /// Does it, without a key; it must be accepted.
    pub fn done(&mut self, command: Command) -> Event {
        let request = Request::new(command, self.teller);
        happened(self.submit(request))
    }

    /// Opens an account.
    pub fn account(&mut self, name: &str, kind: AccountType, owner: NameId, limit: i64) -> AccountId {
        let wish = OpenAccount {
            account_type: kind,
            currency: bdt(),
            status: Status::Active,
            overdraft_limit: limit,
            owner,
            number: None,
            name: name.into(),
        };
        self.done(Command::OpenAccount(Box::new(wish))).subject().expect("an account")
    }

    /// A deposit to alice.
    #[must_use]
    pub fn deposit(&self, amount: i64) -> Command {
        Command::Deposit(Movement { from: self.vault, to: self.alice, amount, currency: bdt() })
    }

    /// From alice to bob.
    #[must_use]
    pub fn transfer(&self, amount: i64) -> Command {
        Command::Transfer(Movement { from: self.alice, to: self.bob, amount, currency: bdt() })
    }

    /// The teller's request under a key.
    #[must_use]
    pub fn keyed(&self, command: Command, key: &str) -> Request {
        Request::new(command, self.teller).with_key(Digest::of_key(self.teller, key))
    }

    /// The teller's request with a reference.
    #[must_use]
    pub fn referring(&self, command: Command, reference: &str) -> Request {
        let note = Note { reference: Some(reference.into()), ..Note::default() };
        Request { note: Some(note.into()), ..Request::new(command, self.teller) }
    }

    /// An account as it stands.
    pub fn look(&mut self, id: AccountId) -> AccountView {
        self.desk
            .ask(|books| async move { books.account(id).await })
            .expect("no faults here")
            .expect("it is there")
    }

    /// What stands on an account, in minor units.
    pub fn balance(&mut self, id: AccountId) -> i128 {
        self.look(id).account.ledger_balance()
    }

    /// What may be spent from it.
    pub fn available(&mut self, id: AccountId) -> i128 {
        self.look(id).account.available_balance()
    }

    /// The newest sequence.
    #[must_use]
    pub fn head(&self) -> Sequence {
        self.desk.books.reads().head().sequence
    }
}

/// The event of an accepted request that is not a replay.
#[must_use]
pub fn happened(decided: Decided) -> Event {
    match decided {
        Decided::Accepted { event, replayed: false } => event,
        other => panic!("it should have happened: {other:?}"),
    }
}

/// The code of a refusal.
#[must_use]
pub fn refused(decided: &Decided) -> Code {
    match decided {
        Decided::Refused { refusal, .. } => refusal.code,
        other => panic!("it should have been refused: {other:?}"),
    }
}
