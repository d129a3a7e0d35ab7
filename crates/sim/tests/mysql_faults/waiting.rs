//! Locks that do not come, and deadlocks: whole batches, within bounds.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bank::sequencer::Fault;
use bank::store::mysql::Settings;
use sim::conformance::Counter;
use sqlx::{AssertSqlSafe, Connection};

use super::bank::{Shaky, by_hand, insist, prove, sums_hold};

/// Another client, in a transaction of its own.
struct Client {
    say: Option<Sender<String>>,
    done: std::sync::mpsc::Receiver<Result<(), String>>,
    thread: Option<JoinHandle<()>>,
}

impl Client {
    fn new(counter: &Counter<Shaky>) -> Client {
        let url = counter.home.database.url.clone();
        let (say, said) = channel::<String>();
        let (tell, done) = channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut connection =
                    sqlx::mysql::MySqlConnection::connect(&url).await.expect("a healthy server");
                for statement in said {
                    let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await;
                    let _ = tell.send(done.map(|_| ()).map_err(|error| error.to_string()));
                }
            });
        });
        Client { say: Some(say), done, thread: Some(thread) }
    }

    /// Begins a statement.
    fn say(&self, statement: &str) {
        self.say.as_ref().expect("still there").send(statement.into()).expect("the client lives");
    }

    /// The end of a statement that was begun.
    fn wait(&self) -> Result<(), String> {
        self.done.recv_timeout(Duration::from_secs(20)).expect("an end")
    }

    fn does(&self, statement: &str) {
        self.say(statement);
        self.wait().expect(statement);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.say.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

const HEAD: &str = "SELECT sequence FROM ledger_head WHERE id=1 FOR UPDATE";

fn impatient() -> Counter<Shaky> {
    let mut counter = Counter::<Shaky>::open();
    counter.home.patience = Duration::from_secs(2);
    counter.reopen();
    counter
}

/// The row whose lock the batch meets in the middle of its writes, when events and headers are inserted already: a
/// COMMIT after that time-out would keep a transaction without entries.
const IN_THE_MIDDLE: &str = "SELECT id FROM accounts FOR UPDATE";

#[test]
fn a_lock_that_never_comes_is_a_fault_within_the_bound_and_nothing_is_kept() {
    let mut counter = impatient();
    let mut told = Vec::new();
    let deposit = counter.keyed(counter.deposit(500), "before");
    insist(&mut counter, &deposit, &mut told);
    for lock in [HEAD, "SELECT version FROM account_balances FOR UPDATE", IN_THE_MIDDLE] {
        let other = Client::new(&counter);
        other.does("START TRANSACTION");
        other.does(lock);
        let head = counter.head();
        let began = Instant::now();
        let request = counter.keyed(counter.transfer(1), lock);
        let answer = counter.try_submit(request.clone());
        assert!(matches!(answer, Err(Fault::Unavailable(_))), "{lock}: {answer:?}");
        let bound = counter.home.patience * Settings::ANSWERED_WITHIN;
        assert!(began.elapsed() < bound, "{lock}: answered after {:?}", began.elapsed());
        other.does("ROLLBACK");
        assert_eq!(by_hand(&counter.home.database, "SELECT MAX(sequence) FROM events"), format!("{head}\n"));
        assert_eq!(
            by_hand(&counter.home.database, "SELECT COUNT(*) FROM transactions WHERE status='OPEN'"),
            "0\n"
        );
        insist(&mut counter, &request, &mut told);
    }
    assert_eq!(counter.balance(counter.alice), 497);
    sums_hold(&counter.home.database, sim::server::MariaDb::shared());
    let (_, state) = super::bank::reopened(&counter);
    prove(&**counter.desk.books.reads(), &state, &told);
}

#[test]
fn a_lock_that_comes_late_is_waited_for_and_the_batch_is_whole() {
    for lock in [HEAD, IN_THE_MIDDLE] {
        let mut counter = impatient();
        let mut told = Vec::new();
        let deposit = counter.keyed(counter.deposit(500), "before");
        insist(&mut counter, &deposit, &mut told);
        let other = Client::new(&counter);
        other.does("START TRANSACTION");
        other.does(lock);
        // Longer than one wait for a lock, shorter than the patience.
        other.say("DO SLEEP(1.4)");
        other.say("ROLLBACK");
        let request = counter.keyed(counter.transfer(1), "late");
        let answer = counter.try_submit(request.clone());
        assert!(answer.is_ok(), "{lock}: {answer:?}");
        insist(&mut counter, &request, &mut told);
        assert_eq!((counter.balance(counter.alice), counter.balance(counter.bob)), (499, 1));
        sums_hold(&counter.home.database, sim::server::MariaDb::shared());
        let (_, state) = super::bank::reopened(&counter);
        prove(&**counter.desk.books.reads(), &state, &told);
    }
}

/// Somebody locks in the wrong order, and has more to lose than the batch, which the server therefore picks.
#[test]
fn a_batch_that_loses_a_deadlock_is_decided_again() {
    let mut counter = impatient();
    let mut told = Vec::new();
    let deposit = counter.keyed(counter.deposit(500), "before");
    insist(&mut counter, &deposit, &mut told);
    by_hand(&counter.home.database, "CREATE TABLE much (n INT) ENGINE=InnoDB");
    for round in 0..3 {
        let other = Client::new(&counter);
        other.does("START TRANSACTION");
        other.does("INSERT INTO much SELECT sequence FROM events");
        other.does("INSERT INTO much SELECT n FROM much");
        other.does(HEAD);
        other.say("DO SLEEP(0.3)");
        other.say("SELECT version FROM account_balances FOR UPDATE");
        other.say("COMMIT");
        let request = counter.keyed(counter.transfer(1), &format!("deadlock {round}"));
        let answer = counter.try_submit(request.clone());
        assert!(answer.is_ok(), "{answer:?}");
        for _ in 0..3 {
            other.wait().expect("the other one wins");
        }
        insist(&mut counter, &request, &mut told);
    }
    let deadlocks = "SELECT count FROM information_schema.innodb_metrics WHERE name='lock_deadlocks'";
    let deadlocks: u32 = by_hand(&counter.home.database, deadlocks).trim().parse().expect("a number");
    assert!(deadlocks >= 3, "the server saw {deadlocks} deadlocks");
    assert_eq!(counter.balance(counter.bob), 3);
    let (_, state) = super::bank::reopened(&counter);
    prove(&**counter.desk.books.reads(), &state, &told);
}
