//! Banks with something of everything in them, in a folder or in a database, and what they answer.

use bank::books::Decided;
use bank::books::history::{self, From};
use bank::database::{Actor, Database, FILE_NAME};
use bank::identity::{KeyMaterial, KeyStore, NewKey, Role};
use bank::moving::Home as House;
use bank::store::{journal as embedded, mysql};
use journal::Identity;
use journal::disk::OsDisk;
use ledger::command::{Extent, Original};
use ledger::{Command, Digest, Request, Sequence, Status};
use sha2::Digest as _;
use sim::conformance::{Counter, Home, bdt, refused};
use sim::desk::{Desk, Settings};
use sim::time::SimClock;

/// The desk's bank; see [`Desk::new`].
pub const IDENTITY: Identity = Identity { bank: [7; 16], timeline: 1 };

thread_local! {
    /// Where the next bank is made.
    static NEXT: std::cell::RefCell<Option<House>> = const { std::cell::RefCell::new(None) };
}

/// A bank in a house.
pub struct Lives(pub House);

impl Home for Lives {
    const SURVIVES: bool = true;

    fn fresh() -> Self {
        Lives(NEXT.take().expect("a house was named"))
    }

    fn open(&mut self, clock: SimClock, settings: &Settings) -> Desk {
        match &self.0 {
            House::Folder(dir) => {
                let kept = small();
                let opened = match journal::Folder::is_journal(&OsDisk, dir) {
                    true => embedded::open(OsDisk, dir, &kept),
                    false => embedded::create(OsDisk, dir, IDENTITY, &kept),
                };
                let opened = opened.expect("a sound folder");
                let background = opened.background;
                Desk::new(opened.writing, opened.reading, clock, settings, move |_| _ = &background)
            }
            House::Database(database) => {
                let time = clock.now();
                let fresh = mysql::Fresh { identity: IDENTITY, name: "Simulated Bank".into(), time };
                runtime().block_on(mysql::prepare(database)).expect("tables");
                let opened = mysql::open(database, &fresh).expect("a sound database");
                Desk::new(opened.writing, opened.reading, clock, settings, |_| ())
            }
        }
    }
}

/// Everything in the caller's thread: what was answered is durable.
fn small() -> embedded::Settings {
    let mut settings = embedded::Settings { threads: false, ..embedded::Settings::default() };
    settings.journal.segment_bytes = 1 << 20;
    settings.journal.frame_bytes_max = 512 << 10;
    settings.journal.reserve_bytes = 0;
    settings.journal.background = false;
    settings
}

/// Opens the bank in a house for work, after it has moved.
pub fn enter(house: &House) -> Counter<Lives> {
    Counter::again(Lives(house.clone()))
}

/// A bank with an event of most kinds, a long history, and API keys. At least so many events.
pub fn furnish(house: &House, events: u64) {
    furnish_as(house, events, 1);
}

/// Another history for each `step`.
pub fn furnish_as(house: &House, events: u64, step: i64) {
    NEXT.set(Some(house.clone()));
    let mut counter = Counter::<Lives>::open();
    let deposit = counter.keyed(counter.deposit(1_000_000), "first");
    counter.submit(deposit);
    turn_money(&mut counter);
    let mut number = 0;
    while counter.head().0 < events {
        let mut requests = Vec::new();
        for number in number..number + 200 {
            let transfer = counter.transfer(step + number % 7);
            requests.push(match number % 5 {
                0 => counter.keyed(transfer, &format!("key {number}")),
                1 => counter.referring(transfer, &format!("R-{}", number % 11)),
                _ => Request::new(transfer, counter.teller),
            });
        }
        number += 200;
        let done = counter.desk.ask(|books| async move { books.submit_all(requests).await });
        assert!(done.expect("no faults").iter().all(|one| matches!(one, Ok(Decided::Accepted { .. }))));
    }
    drop(counter);
    people(house);
}

fn turn_money(counter: &mut Counter<Lives>) {
    let (alice, bob) = (counter.alice, counter.bob);
    let hold = |to| Command::Hold { account: alice, to, amount: 700, currency: bdt(), expires_at: None };
    let held = counter.done(hold(Some(bob))).sequence;
    counter.done(Command::Capture { hold: held, amount: Some(300), to: None });
    let held = counter.done(hold(None)).sequence;
    counter.done(Command::Void { hold: held });
    counter.done(hold(Some(bob)));
    let paid = counter.done(counter.transfer(1_000));
    for extent in [Extent::Amount(400), Extent::Rest] {
        let lines = paid.posted().map(ledger::Entry::line).collect();
        let kind = paid.transaction().expect("a transfer");
        let original = Original { sequence: paid.sequence, kind, lines };
        counter.done(Command::Reverse { original: original.into(), extent });
    }
    let member = || Request::new(counter.transfer(5), counter.teller);
    let members = vec![member(), member()];
    counter.group("group", members);
    let change = |status, overdraft_limit| Command::ChangeAccount {
        account: bob,
        status: Some(status),
        overdraft_limit,
        expected_version: None,
    };
    counter.done(change(Status::Frozen, Some(900)));
    let too_late = counter.keyed(counter.transfer(1), "refused");
    let kept = counter.submit(too_late);
    assert_eq!(refused(&kept), ledger::Code::AccountFrozen);
    counter.done(change(Status::Active, None));
    let today = counter.desk.ask(|books| async move { books.day().await }).expect("no faults").open.unwrap();
    for days in [-7, 7] {
        let mut late = Request::new(counter.transfer(10), counter.teller);
        late.value = Some(ledger::Date(today.0 + days));
        counter.submit(late);
    }
}

/// API keys and a trail beside the books.
fn people(house: &House) {
    let made = async {
        let database = match house {
            House::Folder(dir) => Database::create(&dir.join(FILE_NAME), IDENTITY.bank, 5).await.unwrap(),
            House::Database(settings) => Database::beside(settings, IDENTITY.bank).await.unwrap(),
        };
        let keys = KeyStore::open(database.clone()).await.unwrap();
        let new = |role, accounts| NewKey {
            name: "Ünïcode 🏦".into(),
            principal: "teller".parse().unwrap(),
            role,
            accounts,
            drawer: None,
            expires_at_us: None,
        };
        let by = Actor::new("root", "command line");
        for (n, key) in [new(Role::Admin, vec![]), new(Role::Customer, vec![2, 3])].into_iter().enumerate() {
            let material = KeyMaterial::from_bytes(&[n as u8; KeyMaterial::BYTES]);
            let (made, _) = keys.create_key(key, &by, &material, 6).await.unwrap();
            if n == 0 {
                keys.revoke_key(&bank::identity::KeyRef::Id(made.id), &by, 7).await.unwrap();
            }
        }
        database.close().await;
    };
    runtime().block_on(made);
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Everything that a bank says about its past and its present.
pub fn answers(counter: &mut Counter<Lives>) -> Vec<String> {
    let mut said = vec![format!("{:?}", counter.head())];
    let reads = counter.desk.books.reads().clone();
    for id in [counter.vault, counter.alice, counter.bob] {
        let view = counter.look(id);
        said.push(format!("{view:?}"));
        let account = view.account;
        for from in [From::Down(u64::MAX), From::Up(1)] {
            let page = |from| history::page(&*reads, id, &account, from, &(1..=u64::MAX), 50, |_| true);
            let mut next = Some(from);
            while let Some(from) = next {
                let mut page = page(from).expect("it can be read");
                // Skip pointers are a journal's own.
                for step in &mut page.steps {
                    step.entry.skip = Sequence(0);
                    step.event.entries.iter_mut().for_each(|entry| entry.skip = Sequence(0));
                }
                said.push(format!("{page:?}"));
                next = page.next;
            }
        }
    }
    for reference in ["R-1", "R-6", "nothing"] {
        said.push(format!("{:?}", reads.by_reference(reference, Sequence(u64::MAX >> 1), 1_000)));
    }
    for at in [1, 9, counter.head().0 / 2, counter.head().0] {
        let state = reads.state_at(Sequence(at)).expect("it can be folded");
        let mut hash = sha2::Sha256::new();
        state.save(&mut |bytes| hash.update(bytes));
        said.push(format!("{:x}", hash.finalize()));
    }
    for key in ["first", "key 0", "key 25", "refused", "unused"] {
        let digest = Digest::of_key(counter.teller, key);
        said.push(format!("{:?}", counter.desk.ask(|books| async move { books.claim(digest).await })));
    }
    said.push(format!("{:?}", counter.desk.ask(|books| async move { books.trial_balance().await })));
    said
}
