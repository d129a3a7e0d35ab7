//! A bank with a sink, and customers who pay each other.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bank::books::Decided;
use bank::outbox::Settings as OutboxSettings;
use bank::service::{self, Service, Settings};
use ledger::command::{Movement, Note, OpenAccount};
use ledger::event::NameKind;
use ledger::{AccountId, AccountType, Command, Currency, NameId, Request, Status};
use serde_json::Value;

/// Customers.
const ACCOUNTS: u64 = 20;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Bank {
    pub service: Arc<Service>,
    owner: NameId,
    paid: u64,
    _folder: tempfile::TempDir,
}

impl Bank {
    /// Made, and at work.
    pub async fn start(outbox: OutboxSettings) -> Bank {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings { outbox, ..Settings::default() };
        settings.store.journal.segment_bytes = 32 << 20;
        settings.store.journal.frame_bytes_max = 16 << 20;
        let service = Arc::new(service::create(folder.path(), &settings).await.unwrap());
        let owner = service.books.intern(NameKind::Principal, "customers").await.unwrap();
        let wish = OpenAccount {
            account_type: AccountType::Liability,
            currency: Currency::from_code("BDT").unwrap(),
            status: Status::Active,
            overdraft_limit: 1 << 40,
            owner,
            number: None,
            name: "customer".into(),
        };
        for _ in 0..ACCOUNTS {
            let request = Request::new(Command::OpenAccount(Box::new(wish.clone())), owner);
            assert!(matches!(service.books.submit(request).await, Ok(Decided::Accepted { .. })));
        }
        service.outbox.start().await.unwrap();
        Bank { service, owner, paid: 0, _folder: folder }
    }

    /// So many payments; the newest sequence.
    pub async fn pay(&mut self, count: u64) -> u64 {
        for _ in 0..count {
            self.paid += 1;
            let from = AccountId(1 + self.paid * 7 % ACCOUNTS);
            let to = AccountId(1 + (self.paid * 7 + 1 + self.paid % 5) % ACCOUNTS);
            self.pay_once(from.0, to.0, "").await;
        }
        self.head()
    }

    /// One payment; its sequence.
    pub async fn pay_once(&self, from: u64, to: u64, description: &str) -> u64 {
        let currency = Currency::from_code("BDT").unwrap();
        let movement = Movement { from: AccountId(from), to: AccountId(to), amount: 1, currency };
        let mut request = Request::new(Command::Transfer(movement), self.owner);
        request.note = (!description.is_empty())
            .then(|| Arc::new(Note { description: Some(description.into()), ..Note::default() }));
        match self.service.books.submit(request).await {
            Ok(Decided::Accepted { event, .. }) => event.sequence.0,
            other => panic!("{other:?}"),
        }
    }

    pub fn head(&self) -> u64 {
        self.service.books.reads().head().sequence.0
    }

    /// An account's ledger balance, in minor units.
    pub async fn balance(&self, id: u64) -> i64 {
        self.service
            .books
            .account(AccountId(id))
            .await
            .unwrap()
            .unwrap()
            .account
            .ledger_balance()
            .try_into()
            .unwrap()
    }

    /// Waits until everything is delivered.
    pub async fn delivered(&self) {
        self.parked(0).await;
    }

    /// Waits until everything is delivered but for so many events that are parked.
    pub async fn parked(&self, parked: u64) {
        let began = Instant::now();
        loop {
            let standing = self.service.outbox.list().await.unwrap().remove(0);
            if standing.lag() == parked && standing.parked == parked {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{standing:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// What a consumer got: every event up to `head`, and in order for each account when each counts as it first came.
pub fn check(got: &[Value], head: u64) {
    let mut seen = HashSet::new();
    let mut newest: HashMap<&str, u64> = HashMap::new();
    for event in got {
        let sequence: u64 = event["sequence"].as_str().unwrap().parse().unwrap();
        if !seen.insert(sequence) {
            continue;
        }
        for entry in event["data"]["entries"].as_array().unwrap() {
            let account = entry["account_id"].as_str().unwrap();
            let before = newest.insert(account, sequence);
            assert!(
                before.is_none_or(|before| before < sequence),
                "account {account}: {sequence} after {before:?}"
            );
        }
    }
    let missing: Vec<u64> = (1..=head).filter(|sequence| !seen.contains(sequence)).collect();
    assert!(missing.is_empty(), "{missing:?} of {head}");
}
