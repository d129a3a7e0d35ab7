//! The small bank: made once, copied by each test.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ledger::command::{Extent, Movement, OpenAccount, Original};
use ledger::entry::Line;
use ledger::event::NameKind;
use ledger::{
    AccountId, AccountType, Command, Currency, Date, Digest, Event, NameId, Note, Request, Sequence, Side,
    Status,
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::books::{Books, Decided};
use crate::database::Actor;
use crate::identity::{KeyMaterial, NewKey, Role};
use crate::service::{self, Settings};

/// Small segments and generations and frequent snapshots, so that a few events make files of every kind.
pub(super) fn settings() -> Settings {
    let mut settings = Settings { name: "Small Bank".into(), ..Settings::default() };
    settings.store.journal.segment_bytes = 704 << 10;
    settings.store.journal.frame_bytes_max = (704 << 10) - (8 << 10);
    settings.store.journal.reserve_bytes = 0;
    settings.store.generation_claims = 40;
    settings.store.snapshot_every = 60;
    settings
}

/// A copy of the small bank, for one test to spoil.
pub(super) async fn copy() -> TempDir {
    static MADE: OnceCell<TempDir> = OnceCell::const_new();
    let made = MADE.get_or_init(make).await;
    let dir = tempfile::tempdir().unwrap();
    copy_files(made.path(), dir.path());
    dir
}

pub(super) fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_files(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The files in a folder whose names end so, sorted.
pub(super) fn files(dir: &Path, folder: &str, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join(folder)).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.to_str().unwrap().ends_with(end)).collect();
    files.sort();
    files
}

pub(super) struct Teller<'a> {
    pub(super) books: &'a Books,
    pub(super) who: NameId,
}

impl Teller<'_> {
    pub(super) async fn submit(&self, key: &str, command: Command, reference: Option<&str>) -> Event {
        let mut request = Request::new(command, self.who);
        request.note = reference.map(|text| {
            Arc::new(Note { reference: Some(text.into()), description: Some("x".into()), ..Note::default() })
        });
        match self.books.submit(request.with_key(Digest::of_key(self.who, key))).await.unwrap() {
            Decided::Accepted { event, .. } => event,
            other => panic!("{key}: {other:?}"),
        }
    }

    async fn open(&self, name: &str, account_type: AccountType, owner: NameId) -> AccountId {
        let wish = OpenAccount {
            account_type,
            currency: bdt(),
            status: Status::Active,
            overdraft_limit: 0,
            owner,
            number: None,
            name: name.into(),
        };
        self.submit(name, Command::OpenAccount(Box::new(wish)), None).await.subject().unwrap()
    }
}

pub(super) fn bdt() -> Currency {
    Currency::from_code("BDT").unwrap()
}

pub(super) fn movement(from: AccountId, to: AccountId, amount: i64) -> Movement {
    Movement { from, to, amount, currency: bdt() }
}

pub(super) const VAULT: AccountId = AccountId(1);
pub(super) const ALICE: AccountId = AccountId(3);
pub(super) const BOB: AccountId = AccountId(4);

async fn make() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let service = service::create(dir.path(), &settings()).await.unwrap();
    let who = service.books.intern(NameKind::Principal, "teller").await.unwrap();
    let owner = service.books.intern(NameKind::Principal, "alice").await.unwrap();
    let teller = Teller { books: &service.books, who };
    teller.open("vault", AccountType::Asset, NameId(0)).await;
    let capital = teller.open("capital", AccountType::Equity, NameId(0)).await;
    teller.open("alice", AccountType::Liability, owner).await;
    teller.open("bob", AccountType::Liability, owner).await;
    let line = |account, side| Line { account, side, amount: 1_000_000, currency: bdt() };
    let lines = Box::new([line(VAULT, Side::Debit), line(capital, Side::Credit)]);
    teller.submit("fund", Command::Post { lines }, None).await;
    teller.submit("deposit", Command::Deposit(movement(VAULT, ALICE, 500_000)), Some("D-1")).await;
    turn_money(&teller).await;
    for number in 0..160 {
        let (from, to) = if number % 2 == 0 { (ALICE, BOB) } else { (BOB, ALICE) };
        let reference = (number % 3 == 0).then(|| format!("R-{}", number % 7));
        let transfer = Command::Transfer(movement(from, to, 100 + number));
        teller.submit(&format!("transfer-{number}"), transfer, reference.as_deref()).await;
    }
    let material = KeyMaterial::from_system().unwrap();
    let key = NewKey {
        name: "test".into(),
        principal: "admin".parse().unwrap(),
        role: Role::Admin,
        accounts: Vec::new(),
        drawer: None,
        expires_at_us: None,
    };
    service.keys.create_key(key, &Actor::new("test", "test"), &material, 1).await.unwrap();
    // Snapshots, sidecars and key files are made beside the work; there is no call that waits for them.
    let made = |folder, end| files(dir.path(), folder, end).len();
    for _ in 0..400 {
        if made("snapshots", ".snap") > 0 && made("journal", ".idx") > 0 && made("keys", ".run") > 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    service.close().await;
    dir
}

/// A hold of each end and one that stays open, a reversal in parts, a group, a freeze, a refusal, two value dates.
async fn turn_money(teller: &Teller<'_>) {
    let hold = |to| Command::Hold { account: ALICE, to, amount: 700, currency: bdt(), expires_at: None };
    let first = teller.submit("hold-1", hold(Some(BOB)), None).await.sequence;
    teller.submit("capture", Command::Capture { hold: first, amount: Some(300), to: None }, None).await;
    let second = teller.submit("hold-2", hold(None), None).await.sequence;
    teller.submit("void", Command::Void { hold: second }, None).await;
    teller.submit("hold-3", hold(Some(BOB)), None).await;

    let paid = teller.submit("pay", Command::Transfer(movement(ALICE, BOB, 1_000)), None).await;
    for (key, extent) in [("undo-1", Extent::Amount(400)), ("undo-2", Extent::Rest)] {
        let lines = paid.posted().map(|entry| entry.line()).collect();
        let original =
            Arc::new(Original { sequence: paid.sequence, kind: paid.transaction().unwrap(), lines });
        teller.submit(key, Command::Reverse { original, extent }, None).await;
    }
    let member = || Request::new(Command::Transfer(movement(ALICE, BOB, 5)), teller.who);
    let header = member().with_key(Digest::of_key(teller.who, "group"));
    teller.books.submit_group(header, vec![member(), member()]).await.unwrap();
    for status in [Status::Frozen, Status::Active] {
        let change = Command::ChangeAccount {
            account: BOB,
            status: Some(status),
            overdraft_limit: None,
            expected_version: None,
        };
        teller.submit(status.name(), change, None).await;
    }
    let too_much = Request::new(Command::Transfer(movement(BOB, ALICE, 1 << 40)), teller.who);
    let refused = teller.books.submit(too_much.with_key(Digest::of_key(teller.who, "refused"))).await;
    assert!(matches!(refused, Ok(Decided::Refused { event: Some(Sequence(_)), .. })), "{refused:?}");
    let today = teller.books.day().await.unwrap().open.unwrap();
    for days in [-7, 7] {
        let mut late = Request::new(Command::Transfer(movement(ALICE, BOB, 10)), teller.who);
        late.value = Some(Date(today.0 + days));
        assert!(matches!(teller.books.submit(late).await, Ok(Decided::Accepted { .. })));
    }
}
