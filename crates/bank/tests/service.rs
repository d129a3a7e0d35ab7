//! A bank is opened on an empty folder, moves money, is closed, and opened again with the same books.

use bank::books::{Decided, Unnamed};
use bank::service::{self, Settings};
use ledger::command::{Movement, OpenAccount};
use ledger::entry::Line;
use ledger::event::NameKind;
use ledger::{AccountId, AccountType, Code, Command, Currency, Digest, PrincipalId, Request, Side, Status};

fn small() -> Settings {
    let mut settings = Settings { name: "First Bank".into(), ..Settings::default() };
    settings.store.journal.segment_bytes = 8 << 20;
    settings.store.journal.frame_bytes_max = 4 << 20;
    settings
}

fn bdt() -> Currency {
    Currency::from_code("BDT").unwrap()
}

async fn open_account(
    service: &service::Service,
    who: PrincipalId,
    name: &str,
    kind: AccountType,
) -> AccountId {
    let wish = OpenAccount {
        account_type: kind,
        currency: bdt(),
        status: Status::Active,
        overdraft_limit: 0,
        owner: who,
        number: None,
        name: name.into(),
    };
    let key = Digest::of_key(who, name);
    let request = Request::new(Command::OpenAccount(Box::new(wish)), who).with_key(key);
    match service.books.submit(request).await.unwrap() {
        Decided::Accepted { event, .. } => event.subject().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_are_the_same_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let service = service::create(dir.path(), &small()).await.unwrap();
    let admin = service.books.intern(NameKind::Principal, "admin").await.unwrap();
    assert_eq!(service.books.intern(NameKind::Principal, "admin").await.unwrap(), admin);
    let vault = open_account(&service, admin, "vault", AccountType::Asset).await;
    let capital = open_account(&service, admin, "capital", AccountType::Equity).await;
    let alice = open_account(&service, admin, "alice", AccountType::Liability).await;
    let line = |account, side| Line { account, side, amount: 1_000_000, currency: bdt() };
    let post = Command::Post { lines: Box::new([line(vault, Side::Debit), line(capital, Side::Credit)]) };
    let decided = service.books.submit(Request::new(post, admin)).await.unwrap();
    assert!(matches!(decided, Decided::Accepted { replayed: false, .. }), "{decided:?}");

    let movement = Movement { from: vault, to: alice, amount: 500_000, currency: bdt() };
    let deposit =
        Request::new(Command::Deposit(movement), admin).with_key(Digest::of_key(admin, "deposit-1"));
    let first = service.books.submit(deposit.clone()).await.unwrap();
    let Decided::Accepted { event: done, replayed: false } = first else { panic!("{first:?}") };
    let before = service.books.trial_balance().await.unwrap();
    assert!(before.is_balanced());
    service.close().await;

    let service = service::open(dir.path(), &small()).await.unwrap();
    assert_eq!(&*service.name, "First Bank");
    assert_eq!(service.books.trial_balance().await.unwrap().lines, before.lines);
    let again = service.books.submit(deposit.clone()).await.unwrap();
    assert_eq!(again, Decided::Accepted { event: done.clone(), replayed: true });
    let mut other = deposit;
    other.fingerprint = Digest::of_number("another request");
    assert_eq!(service.books.submit(other).await.unwrap(), Decided::KeyReused { by: done.sequence });
    let account = service.books.account(alice).await.unwrap().unwrap().account;
    assert_eq!(account.ledger_balance(), 500_000);
    service.close().await;
}

/// A request for a name that was known already, and the number of a name that was too long, were panics in the
/// thread that asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_cannot_be_given_a_number_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let service = service::create(dir.path(), &small()).await.unwrap();
    let number = service.books.intern(NameKind::Principal, "alice").await.unwrap();
    let named = |text: &str| Command::Name { kind: NameKind::Principal, text: text.into() };
    let submit = async |text: &str| service.books.submit(Request::new(named(text), number)).await.unwrap();
    assert!(matches!(submit("bob").await, Decided::Accepted { replayed: false, .. }));
    match submit("alice").await {
        Decided::Refused { refusal, replayed: false, event: None } => {
            assert_eq!((refusal.code, refusal.figures[0]), (Code::NameKnown, i64::from(number.0)));
        }
        other => panic!("{other:?}"),
    }
    let longest = "n".repeat(ledger::limits::NAME_BYTES_MAX);
    service.books.intern(NameKind::Actor, &longest).await.unwrap();
    match service.books.intern(NameKind::Actor, &format!("{longest}n")).await {
        Err(Unnamed::Refused(refusal)) => assert_eq!(refusal.code, Code::TextTooLong),
        other => panic!("{other:?}"),
    }
    assert_eq!(service.books.intern(NameKind::Principal, "alice").await, Ok(number));
    service.close().await;
}

/// A name that the rules refuse is found out before the folder is touched.
#[tokio::test(flavor = "multi_thread")]
async fn a_bank_with_too_long_a_name_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let bank = dir.path().join("bank");
    let name = "n".repeat(ledger::limits::NAME_BYTES_MAX + 1).into();
    let error =
        service::create(&bank, &Settings { name, ..small() }).await.err().expect("refused").to_string();
    assert!(
        error.starts_with("the name of the bank does not fit.") && error.contains("maximum: 128"),
        "{error}"
    );
    assert!(!bank.exists());
}

/// Dropping an open service waited for ever: its threads waited for each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_dropped_stops() {
    let dir = tempfile::tempdir().unwrap();
    let service = service::create(dir.path(), &small()).await.unwrap();
    let kept = service.books.clone();
    let dropped = tokio::task::spawn_blocking(move || drop(service));
    tokio::time::timeout(std::time::Duration::from_secs(20), dropped).await.unwrap().unwrap();
    assert_eq!(kept.day().await, Err(bank::sequencer::Fault::Stopped));
    let service = service::open(dir.path(), &small()).await.unwrap();
    assert!(service.books.day().await.unwrap().open.is_some());
    service.close().await;
}
