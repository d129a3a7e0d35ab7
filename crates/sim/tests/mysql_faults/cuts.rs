//! The connection is cut before and after every statement in turn, COMMIT included.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bank::books::{Decided, Unnamed};
use bank::store::Reads;
use bank::store::mysql::{self, Settings};
use ledger::command::{Extent, OpenAccount, Original};
use ledger::event::NameKind;
use ledger::{AccountId, AccountType, Code, Command, Event, Line, Request, Sequence, Status};
use sim::auditor::Told;
use sim::conformance::{Counter, bdt};

use super::bank::{Shaky, again, fresh, insist, insist_group, prove, sums_hold};
use super::proxy::Fate;

/// A day's work under this name: a name, an account, money in, over, held, taken, back, in a group, and refused.
fn work(counter: &mut Counter<Shaky>, day: &str, told: &mut Vec<Told>) {
    let key = |what: &str| format!("{day} {what}");
    let name = key("name");
    again(|| {
        let name = name.clone();
        let named = counter.desk.ask(|books| async move { books.intern(NameKind::Actor, &name).await });
        named.map_err(|unnamed| match unnamed {
            Unnamed::Fault(fault) => {
                counter.home.proxy.heal();
                fault
            }
            other => panic!("{other:?}"),
        })
    });
    let wish = OpenAccount {
        account_type: AccountType::Liability,
        currency: bdt(),
        status: Status::Active,
        overdraft_limit: 0,
        owner: counter.teller,
        number: Some(key("account").into()),
        name: "a day's account".into(),
    };
    let open = counter.keyed(Command::OpenAccount(Box::new(wish)), &key("open"));
    insist(counter, &open, told);
    let deposit = counter.keyed(counter.deposit(1_000), &key("deposit"));
    insist(counter, &deposit, told);
    let transfer = counter.keyed(counter.transfer(100), &key("transfer"));
    let posted = happened(insist(counter, &transfer, told));
    let hold = Command::Hold {
        account: counter.alice,
        to: Some(counter.bob),
        amount: 50,
        currency: bdt(),
        expires_at: None,
    };
    let hold = counter.keyed(hold, &key("hold"));
    let held = happened(insist(counter, &hold, told)).sequence;
    let capture = counter.keyed(Command::Capture { hold: held, amount: None, to: None }, &key("capture"));
    insist(counter, &capture, told);
    let reverse = counter.keyed(reversal(&posted), &key("reverse"));
    insist(counter, &reverse, told);
    let members: Vec<Request> =
        [10, 20].map(|amount| Request::new(counter.transfer(amount), counter.teller)).into();
    let mut header = counter.keyed(Command::Void { hold: Sequence(0) }, &key("group"));
    header.fingerprint = ledger::codec::fingerprint::of_group(members.iter());
    insist_group(counter, &header, &members, told);
    let much = counter.keyed(counter.transfer(1 << 40), &key("much"));
    let refused = insist(counter, &much, told);
    assert!(matches!(refused, Decided::Refused { refusal, .. } if refusal.code == Code::InsufficientFunds));
}

fn happened(decided: Decided) -> Event {
    match decided {
        Decided::Accepted { event, .. } => event,
        other => panic!("{other:?}"),
    }
}

fn reversal(event: &Event) -> Command {
    let ledger::Body::Posted { kind, .. } = event.body else { panic!("{event:?}") };
    let lines = event.posted().map(|entry| Line {
        account: entry.account,
        side: entry.side,
        amount: entry.amount,
        currency: entry.currency,
    });
    let original = Original { sequence: event.sequence, kind, lines: lines.collect() };
    Command::Reverse { original: Arc::new(original), extent: Extent::Rest }
}

/// After so many days of work, each happened once: the sums say so, and another service that reads it all from the
/// tables says the same as this one.
fn each_day_happened_once(counter: &mut Counter<Shaky>, days: i128, told: &[Told]) {
    counter.home.proxy.heal();
    let (alice, bob, vault) = (counter.alice, counter.bob, counter.vault);
    let balances = [alice, bob, vault].map(|id| counter.balance(id));
    assert_eq!(balances, [920 * days, 80 * days, 1_000 * days], "alice, bob and the vault after {days} days");
    let other = mysql::open(&counter.home.settings(), &fresh()).expect("a healthy server");
    prove(&**counter.desk.books.reads(), other.writing.state(), told);
    for id in 1..=other.writing.state().account_count() {
        let id = AccountId(id);
        let seen = counter.look(id).account;
        assert_eq!(
            Some(&seen),
            other.writing.state().account(id),
            "account {id} in memory and in the tables"
        );
    }
    assert_eq!(counter.desk.books.reads().head().hash, other.reading.head().hash, "the chain");
    sums_hold(&counter.home.database, sim::server::MariaDb::shared());
}

fn cut_everywhere(fate: Fate) {
    let mut counter = Counter::<Shaky>::open();
    let mut told = Vec::new();
    let mut days = 0;
    for command in 0.. {
        counter.home.proxy.doom(command, fate);
        work(&mut counter, &format!("day {command}"), &mut told);
        days += 1;
        if !counter.home.proxy.heal() {
            break;
        }
    }
    assert!(days > 50, "a day is more than {days} statements");
    each_day_happened_once(&mut counter, days, &told);
}

#[test]
fn cut_before_any_statement_each_request_happens_once() {
    cut_everywhere(Fate::Before);
}

/// The server has done what it was told, and nobody hears of it: after a COMMIT it is there, after anything else it
/// is not.
#[test]
fn cut_after_any_statement_each_request_happens_once() {
    cut_everywhere(Fate::After);
}

/// Here the store cannot find out by itself what became of a COMMIT: the teller is told so, asks for the key when
/// the server is back, and sends it again.
#[test]
fn with_the_server_out_of_reach_from_any_statement_on_the_key_resolves_it() {
    for fate in [Fate::Before, Fate::After] {
        let mut counter = Counter::<Shaky>::open();
        counter.home.patience = Duration::from_millis(400);
        counter.reopen();
        let mut told = Vec::new();
        let mut sent = 0;
        for command in 0.. {
            counter.home.proxy.doom_for_good(command, fate);
            let deposit = counter.keyed(counter.deposit(10), &format!("{command}"));
            let before = Instant::now();
            let first = counter.try_submit(deposit.clone());
            let limit = counter.home.patience * Settings::ANSWERED_WITHIN;
            assert!(before.elapsed() < limit, "answered after {:?}", before.elapsed());
            let met = counter.home.proxy.heal();
            assert!(first.is_err() || !met, "answered without a server: {first:?}");
            insist(&mut counter, &deposit, &mut told);
            sent += 1;
            if !met {
                break;
            }
        }
        assert!(sent > 6, "a deposit is more than {sent} statements");
        assert_eq!(counter.balance(counter.alice), 10 * sent);
        let other = mysql::open(&counter.home.settings(), &fresh()).expect("a healthy server");
        prove(&**counter.desk.books.reads(), other.writing.state(), &told);
    }
}

/// A server that takes a statement and never says anything again, and one that is slow.
#[test]
fn a_silent_server_is_given_up_and_a_slow_one_is_waited_for() {
    let mut counter = Counter::<Shaky>::open();
    counter.home.patience = Duration::from_millis(500);
    counter.reopen();
    let mut told = Vec::new();
    for command in 0..9 {
        counter.home.proxy.doom(command, Fate::Lost);
        let deposit = counter.keyed(counter.deposit(10), &format!("lost {command}"));
        insist(&mut counter, &deposit, &mut told);
        counter.home.proxy.heal();
        counter.home.proxy.doom(command, Fate::Late(Duration::from_millis(100)));
        let deposit = counter.keyed(counter.deposit(10), &format!("late {command}"));
        insist(&mut counter, &deposit, &mut told);
        counter.home.proxy.heal();
    }
    assert_eq!(counter.balance(counter.alice), 180);
    let other = mysql::open(&counter.home.settings(), &fresh()).expect("a healthy server");
    prove(&**counter.desk.books.reads(), other.writing.state(), &told);
}
