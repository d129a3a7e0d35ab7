//! A bank over a server that is in trouble, and a teller who does not give up.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bank::books::{Books, Decided, GroupDecided};
use bank::sequencer::{self, Clock, Fault, QueueLimits, RefusalBudget, SystemClock};
use bank::store::mysql::{self, Fresh, Settings, Writing};
use bank::store::{Reads, Store};
use journal::Identity;
use ledger::command::{Movement, OpenAccount};
use ledger::{AccountId, AccountType, Command, Digest, NameId, Request, Sequence, State, Status};
use sim::auditor::{self, Told};
use sim::conformance::{Counter, Home, bdt};
use sim::desk::{self, Desk};
use sim::server::{Database, MariaDb};
use sim::time::{START, SimClock};

use super::proxy::Proxy;

/// Books in a database behind a way that breaks.
pub struct Shaky {
    pub database: Database,
    pub proxy: Proxy,
    pub patience: Duration,
}

impl Home for Shaky {
    const SURVIVES: bool = true;

    fn fresh() -> Shaky {
        let database = MariaDb::shared().migrated();
        let proxy = Proxy::to(port(&database.url));
        Shaky { database, proxy, patience: Duration::from_secs(10) }
    }

    fn open(&mut self, clock: SimClock, settings: &desk::Settings) -> Desk {
        let opened = mysql::open(&self.settings(), &fresh()).expect("a healthy server");
        Desk::new(opened.writing, opened.reading, clock, settings, |_| ())
    }
}

impl Shaky {
    /// Through the proxy, which reads the packets, so without TLS.
    pub fn settings(&self) -> Settings {
        let (server, proxy) = (port(&self.database.url), self.proxy.port());
        let url = self.database.url.replace(&format!(":{server}/"), &format!(":{proxy}/"));
        let url = format!("{url}?ssl-mode=disabled");
        Settings { patience: self.patience, ..Settings::new(&url) }
    }
}

fn port(url: &str) -> u16 {
    let after = url.rsplit(':').next().expect("a port");
    after.split('/').next().expect("a port").parse().expect("a port")
}

/// Its name, for the server's own client.
pub fn name(database: &Database) -> &str {
    database.url.rsplit('/').next().expect("a database")
}

/// Runs statements as somebody who may do everything.
pub fn by_hand(database: &Database, statements: &str) -> String {
    MariaDb::shared().client(name(database), statements)
}

/// What a new bank is.
pub fn fresh() -> Fresh {
    Fresh { identity: Identity { bank: [7; 16], timeline: 1 }, name: "Simulated Bank".into(), time: START }
}

/// Has it decided, however often it takes. What became of it is asked for by its key after each fault, and what
/// was told then must stay true.
pub fn insist(counter: &mut Counter<Shaky>, request: &Request, told: &mut Vec<Told>) -> Decided {
    let mut claimed = None;
    loop {
        match counter.try_submit(request.clone()) {
            Ok(decided) => {
                let (sequence, replayed) = match &decided {
                    Decided::Accepted { event, replayed } => {
                        told.push(Told::Happened(vec![event.clone()]));
                        (event.sequence, *replayed)
                    }
                    Decided::Refused { event: Some(event), replayed, .. } => (*event, *replayed),
                    other => panic!("{other:?}"),
                };
                assert!(
                    claimed.is_none_or(|claimed| replayed && claimed == sequence),
                    "{claimed:?}: {decided:?}"
                );
                return decided;
            }
            Err(fault) => {
                transient(&fault);
                counter.home.proxy.heal();
                let key = request.key;
                let claim = again(|| counter.desk.ask(|books| async move { books.claim(key).await }));
                claimed = claim.map(|claim| claim.sequence);
            }
        }
    }
}

/// A group, likewise.
pub fn insist_group(
    counter: &mut Counter<Shaky>,
    header: &Request,
    members: &[Request],
    told: &mut Vec<Told>,
) {
    let decided = again(|| {
        let (header, members) = (header.clone(), members.to_vec());
        let decided = counter.desk.ask(|books| async move { books.submit_group(header, members).await });
        if decided.is_err() {
            counter.home.proxy.heal();
        }
        decided
    });
    let GroupDecided::Accepted { header, members: events, .. } = decided else { panic!("{decided:?}") };
    assert_eq!(events.len(), members.len());
    told.push(Told::Happened(std::iter::once(header).chain(events).collect()));
}

/// Asks until there is an answer.
pub fn again<T>(mut ask: impl FnMut() -> Result<T, Fault>) -> T {
    for _ in 0..50 {
        match ask() {
            Ok(answer) => return answer,
            Err(fault) => transient(&fault),
        }
    }
    panic!("no answer after fifty faults");
}

fn transient(fault: &Fault) {
    assert!(matches!(fault, Fault::Unavailable(_)), "{fault:?}");
}

/// Everything that was told is there, the history is sound, and a fold of it is what this state says.
pub fn prove(reads: &dyn Reads, state: &State, told: &[Told]) {
    let history = auditor::history(reads);
    let model = auditor::audit(&history);
    auditor::same_state(state, &model);
    auditor::acknowledged(&without_skips(told), &history, &model);
}

/// Skip pointers are the journal's; an answer has them before it is stored.
fn without_skips(told: &[Told]) -> Vec<Told> {
    let mut told = told.to_vec();
    for told in &mut told {
        let Told::Happened(events) = told else { continue };
        let entries = events.iter_mut().flat_map(|event| &mut event.entries);
        entries.for_each(|entry| entry.skip = Sequence(0));
    }
    told
}

/// The rows of balances and the entries say the same, and debits equal credits.
pub fn sums_hold(database: &Database, server: &MariaDb) {
    let found = server.client(
        name(database),
        "SELECT COUNT(*) FROM account_balances AS b WHERE (debits_posted, credits_posted) <> (SELECT \
         COALESCE(SUM(IF(entry_type='DEBIT',amount,0)),0), COALESCE(SUM(IF(entry_type='CREDIT',amount,0)),0) \
         FROM ledger_entries WHERE account_id=b.account_id); \
         SELECT SUM(debits_posted)-SUM(credits_posted) FROM account_balances; \
         SELECT COUNT(*) FROM transactions WHERE status<>'POSTED'; \
         SELECT sequence-(SELECT COUNT(*) FROM events) FROM ledger_head; \
         SELECT COUNT(*) FROM balance_breaks",
    );
    assert_eq!(
        found, "0\n0\n0\n0\n0\n",
        "rows off, debits less credits, open headers, events missing, breaks"
    );
}

/// A bank with a rules thread of its own.
pub struct Running {
    pub books: Books,
    rules: JoinHandle<Writing>,
}

impl Running {
    pub fn open(settings: &Settings) -> Running {
        let opened = mysql::open(settings, &fresh()).expect("a healthy server");
        let (mut writing, reading) = (opened.writing, opened.reading);
        let (way_in, queue) = sequencer::queue(QueueLimits::default());
        let settings = sequencer::Settings {
            clock: SystemClock::new(),
            clock_jump_us: 300_000_000,
            refusals: RefusalBudget::new(0, 1),
            batch_max: 1_000,
            bytes_max: 8 << 20,
        };
        let rules = std::thread::spawn(move || {
            sequencer::run(&mut writing, &queue, settings);
            writing
        });
        Running { books: Books::new(way_in, reading), rules }
    }

    /// Stops deciding, takes in what others wrote last, and answers what it believes.
    pub fn stop(self) -> (Writing, Arc<dyn Reads>) {
        let reads = Arc::clone(self.books.reads());
        // The rules end with the last way in.
        drop(self.books);
        let mut writing = self.rules.join().expect("the rules thread lives");
        again(|| writing.begin(&[], None));
        writing.settle().expect("nothing to settle");
        writing.hand_over(Vec::new());
        (writing, reads)
    }
}

/// Has a request decided by a running bank, within a minute of faults.
pub fn insist_on(books: &Books, request: &Request) -> (Decided, u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let began = Instant::now();
    let mut faults = 0;
    loop {
        match runtime.block_on(books.submit(request.clone())) {
            Ok(decided) => return (decided, faults),
            Err(Fault::Unavailable(_)) => faults += 1,
            Err(fault) => panic!("{fault:?}"),
        }
        assert!(began.elapsed() < Duration::from_secs(60), "a minute of faults");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What another service reads from the tables: its chain's end and its state.
pub fn reopened(counter: &Counter<Shaky>) -> ([u8; 32], State) {
    let settings = Settings { patience: Duration::from_secs(10), ..counter.home.settings() };
    let opened = mysql::open(&settings, &fresh()).expect("a healthy server");
    (opened.reading.head().hash, opened.writing.state().clone())
}

/// A new bank's vault and two customers, with this much on the first one's account, and a day to book on.
pub fn furnish(books: &Books, amount: i64) -> [AccountId; 3] {
    let done = |command: Command| match insist_on(books, &Request::new(command, NameId(0))).0 {
        Decided::Accepted { event, .. } => event,
        other => panic!("{other:?}"),
    };
    let date = ledger::Date::of_micros(SystemClock::new().wall());
    done(Command::OpenDay { date });
    let [vault, alice, bob] =
        [AccountType::Asset, AccountType::Liability, AccountType::Liability].map(|account_type| {
            let wish = OpenAccount {
                account_type,
                currency: bdt(),
                status: Status::Active,
                overdraft_limit: 0,
                owner: NameId(0),
                number: None,
                name: "an account".into(),
            };
            done(Command::OpenAccount(Box::new(wish))).subject().expect("an account")
        });
    done(Command::Deposit(Movement { from: vault, to: alice, amount, currency: bdt() }));
    [vault, alice, bob]
}

/// A transfer under a key.
pub fn transfer(from: AccountId, to: AccountId, amount: i64, key: &str) -> Request {
    let nobody = NameId(0);
    let command = Command::Transfer(Movement { from, to, amount, currency: bdt() });
    Request::new(command, nobody).with_key(Digest::of_key(nobody, key))
}
