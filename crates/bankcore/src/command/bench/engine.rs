//! The engine in process: requests into the sequencer, answers out of the journal, no HTTP between.
//!
//! The generator does what the edge of the service does for each request: the claim of its key, its
//! fingerprint, the look-up among old claims. Three batches are on their way at a time.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bank::sequencer::{
    self, Answer, Clock, Outcome, Query, QueueLimits, Receipt, RefusalBudget, Sequencer, Submission,
    SystemClock, Work,
};
use bank::store::journal::{self as store, Background, Opened, Settings, Writing};
use bank::store::{Reads, Store};
use crossbeam_channel::{Receiver, Sender};
use journal::Identity;
use journal::disk::OsDisk;
use ledger::command::{Movement, OpenAccount};
use ledger::event::NameKind;
use ledger::{
    Account, AccountId, AccountType, Command, Currency, Date, Digest, NameId, Request, State, Status,
};
use smallvec::SmallVec;

use super::measure::{History, Measured, Meter, folder_bytes};
use super::shape::{Pairs, Shape};

/// Batches that are on their way at a time: one decided, one written, one waiting.
const IN_FLIGHT: usize = 3;

/// The running engine.
pub struct Engine {
    sequencer: Sequencer,
    reading: Arc<dyn Reads>,
    rules: JoinHandle<State>,
    background: Option<Background>,
    used: Box<dyn Fn() -> anyhow::Result<u64>>,
    answers: (Sender<Answered>, Receiver<Answered>),
    next_key: u64,
    accounts: u64,
}

struct Answered {
    latency: Duration,
    count: u64,
    receipt: Result<Receipt, sequencer::Fault>,
}

/// The principal in whose name everything is done.
const PRINCIPAL: NameId = NameId(1);

impl Engine {
    /// Opens an empty bank in `dir`, with `accounts` accounts that may all be overdrawn.
    pub fn create(dir: &Path, settings: &Settings, accounts: u64) -> anyhow::Result<Engine> {
        let opened = store::create(OsDisk, dir, Identity { bank: [7; 16], timeline: 1 }, settings)?;
        let mut engine = Engine::in_folder(dir, opened, settings)?;
        engine.fill(accounts)?;
        Ok(engine)
    }

    /// Opens the bank that is in `dir`.
    pub fn open(dir: &Path, settings: &Settings) -> anyhow::Result<Engine> {
        Engine::in_folder(dir, store::open(OsDisk, dir, settings)?, settings)
    }

    fn in_folder(dir: &Path, opened: Opened<OsDisk>, settings: &Settings) -> anyhow::Result<Engine> {
        let Opened { mut writing, reading, background, .. } = opened;
        if writing.next().0 == 1 {
            sequencer::open_bank(&mut writing, [7; 16], 1, "bench", SystemClock::new().wall())
                .map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
            writing.hand_over(Vec::new());
        }
        let (files, dir) = (Arc::clone(&reading), dir.to_path_buf());
        // Segments that were written into, the last one counted whole, and key files.
        let used = Box::new(move || {
            let segments = files.reader().segments();
            let journal: u64 =
                segments.iter().filter(|segment| !segment.spare).map(|segment| segment.bytes).sum();
            Ok(journal + folder_bytes(&dir.join("keys")) + folder_bytes(&dir.join("references")))
        });
        let bytes_max = (settings.journal.frame_bytes_max - (64 << 10)) as usize;
        let limits = (ledger::limits::GROUP_MAX + 1, bytes_max);
        Engine::start(writing, Writing::into_state, reading, limits, used, Some(background))
    }

    /// Over any store; `keep` gives the books when it is over.
    pub fn start<S: Store>(
        mut writing: S,
        keep: fn(S) -> State,
        reading: Arc<dyn Reads>,
        (batch_max, bytes_max): (usize, usize),
        used: Box<dyn Fn() -> anyhow::Result<u64>>,
        background: Option<Background>,
    ) -> anyhow::Result<Engine> {
        let (sequencer, queue) = sequencer::queue(QueueLimits::default());
        let rules = sequencer::Settings {
            clock: SystemClock::new(),
            clock_jump_us: 300_000_000,
            refusals: RefusalBudget::new(0, 1),
            batch_max,
            bytes_max,
        };
        let rules = std::thread::Builder::new().name("rules".into()).spawn(move || {
            sequencer::run(&mut writing, &queue, rules);
            keep(writing)
        })?;
        let answers = crossbeam_channel::bounded(IN_FLIGHT + 1);
        Ok(Engine { sequencer, reading, rules, background, used, answers, next_key: 0, accounts: 0 })
    }

    /// Opens the day, and accounts that may all be overdrawn.
    pub fn fill(&mut self, accounts: u64) -> anyhow::Result<()> {
        let today = Date::of_micros(SystemClock::new().wall());
        let principal = Command::Name { kind: NameKind::Principal, text: "bench".into() };
        self.run_all([principal, Command::OpenDay { date: today }].into_iter(), 2)?;
        let wish = OpenAccount {
            account_type: AccountType::Liability,
            currency: currency(),
            status: Status::Active,
            overdraft_limit: i64::MAX / 4,
            owner: PRINCIPAL,
            number: None,
            name: "bench".into(),
        };
        let opens = (0..accounts).map(|_| Command::OpenAccount(Box::new(wish.clone())));
        self.run_all(opens, 4_096)?;
        self.accounts = accounts;
        Ok(())
    }

    /// Has transfers decided, `batch` at a time, and measures.
    pub fn transfers(
        &mut self,
        transfers: u64,
        batch: usize,
        pairs: &mut Pairs,
        progress: &dyn Fn(u64),
    ) -> anyhow::Result<Measured> {
        let mut meter = Meter::start();
        let mut sent = 0;
        let mut in_flight = 0;
        while meter.done() < transfers {
            while in_flight < IN_FLIGHT && sent < transfers {
                let count = batch.min((transfers - sent) as usize);
                let requests = (0..count).map(|_| self.transfer(pairs)).collect();
                self.send(requests)?;
                sent += count as u64;
                in_flight += 1;
            }
            let answered = self.answers.1.recv().context("the engine stopped")?;
            check(&answered)?;
            meter.answered(answered.count, answered.latency);
            in_flight -= 1;
            progress(meter.done());
        }
        Ok(meter.finish())
    }

    fn transfer(&mut self, pairs: &mut Pairs) -> Request {
        let (from, to) = pairs.draw();
        self.next_key += 1;
        let mut key = [0u8; 24];
        key[..8].copy_from_slice(b"transfer");
        hex(self.next_key, &mut key[8..]);
        let key = std::str::from_utf8(&key).expect("hex digits are text");
        let movement =
            Movement { from, to, amount: 1 + (self.next_key % 1_000) as i64, currency: currency() };
        Request::new(Command::Transfer(movement), PRINCIPAL).with_key(Digest::of_key(PRINCIPAL, key))
    }

    fn run_all(&mut self, commands: impl Iterator<Item = Command>, batch: usize) -> anyhow::Result<()> {
        let mut commands = commands.peekable();
        while commands.peek().is_some() {
            let requests =
                commands.by_ref().take(batch).map(|command| Request::new(command, PRINCIPAL)).collect();
            self.send(requests)?;
            check(&self.answers.1.recv().context("the engine stopped")?)?;
        }
        Ok(())
    }

    #[allow(clippy::disallowed_methods)] // A benchmark measures real time.
    fn send(&self, requests: Vec<Request>) -> anyhow::Result<()> {
        let count = requests.len() as u64;
        let sent = Instant::now();
        let work = Work::Requests(SmallVec::from_vec(requests));
        let prior = self.reading.prepare(&work.digests())?;
        let answers = self.answers.0.clone();
        let reply = Box::new(move |receipt| {
            drop(answers.send(Answered { latency: sent.elapsed(), count, receipt }));
        });
        Ok(self.sequencer.submit(Submission { work, prior, reply })?)
    }

    /// Bytes that the books use.
    pub fn used_bytes(&self) -> anyhow::Result<u64> {
        (self.used)()
    }

    /// The newest event.
    pub fn head(&self) -> u64 {
        self.reading.head().sequence.0
    }

    /// How long the last 50 entries of a random account take to read: at first, when what a saturated run has written
    /// is on the disk alone, and again.
    pub fn history(&self, entries: usize) -> anyhow::Result<History> {
        let mut pairs = Pairs::new(Shape::Spread, self.accounts, 99);
        let some: Vec<AccountId> = (0..1_000).map(|_| pairs.draw().0).collect();
        Ok(History { cold_us: self.trails(&some, entries)?, warm_us: self.trails(&some, entries)? })
    }

    /// The median over these accounts, microseconds.
    #[allow(clippy::disallowed_methods)] // A benchmark measures real time.
    fn trails(&self, accounts: &[AccountId], entries: usize) -> anyhow::Result<f64> {
        let mut times = Vec::new();
        for id in accounts {
            let account = self.account(*id)?;
            let start = Instant::now();
            for step in self.reading.trail(*id, &account, account.version).take(entries) {
                step?;
            }
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
        times.sort_by(f64::total_cmp);
        Ok(times[times.len() / 2])
    }

    fn account(&self, id: AccountId) -> anyhow::Result<Account> {
        let (answer, answered) = crossbeam_channel::bounded(1);
        let reply = Box::new(move |receipt| drop(answer.send(receipt)));
        let work = Work::Query(Query::Account(id));
        self.sequencer.submit(Submission { work, prior: self.reading.prepare(&[])?, reply })?;
        let mut receipt = answered.recv()??;
        match receipt.outcomes.pop() {
            Some(Outcome::Answer(answer)) => match *answer {
                Answer::Accounts(accounts) if accounts.len() == 1 => Ok(accounts[0].account),
                other => bail!("an account was asked for: {other:?}"),
            },
            other => bail!("a question has an answer: {other:?}"),
        }
    }

    /// Stops, and gives the books for checking.
    pub fn stop(self) -> anyhow::Result<State> {
        drop(self.sequencer);
        let Ok(state) = self.rules.join() else { bail!("the rules thread ended with a bug") };
        drop(self.background);
        Ok(state)
    }
}

fn check(answered: &Answered) -> anyhow::Result<()> {
    let receipt = answered.receipt.as_ref().map_err(Clone::clone)?;
    let accepted = |outcome: &&Outcome| matches!(outcome, Outcome::Decided(_));
    match receipt.outcomes.iter().find(|outcome| !accepted(outcome)) {
        None => Ok(()),
        Some(other) => bail!("a request of the benchmark was not accepted: {other:?}"),
    }
}

/// The currency of the benchmark.
pub fn currency() -> Currency {
    Currency::from_code("BDT").expect("BDT is a currency")
}

/// Sixteen hex digits.
fn hex(number: u64, out: &mut [u8]) {
    for (index, digit) in out.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(number >> (60 - 4 * index) & 15) as usize];
    }
}
