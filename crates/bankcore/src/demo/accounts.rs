//! The accounts and what lies on them at the start.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use bank::books::Decided;
use bank::sequencer::{Clock as _, SystemClock};
use bank::service::Service;
use ledger::command::{Movement, OpenAccount};
use ledger::event::NameKind;
use ledger::{AccountId, AccountType, Command, Currency, Date, Digest, Line, NameId, Request, Side, Status};

use super::CURRENCY;

/// The ids of the accounts, by the names that `demo.json` gives them.
pub type Accounts = BTreeMap<String, String>;

/// The bank's own: the name in `demo.json`, the account's name, its type.
const OWN: [(&str, &str, AccountType); 5] = [
    ("vault", "Vault", AccountType::Asset),
    ("capital", "Paid-up capital", AccountType::Equity),
    ("drawer_1", "Drawer of teller 1", AccountType::Asset),
    ("drawer_2", "Drawer of teller 2", AccountType::Asset),
    ("suspense", "Suspense", AccountType::Liability),
];

/// Those of the rail to the partner; opened last, so that the others keep the ids that they always had.
const RAIL: [(&str, &str, AccountType); 2] = [
    ("clearing", "Clearing, partner", AccountType::Liability),
    ("nostro", "Nostro at partner", AccountType::Asset),
];

/// The customers, with a savings and a current account each.
pub(super) const CUSTOMERS: [(&str, &str); 3] = [("alice", "Alice"), ("bob", "Bob"), ("carol", "Carol")];

/// What is moved at the start, in minor units: a name for the step, from, to, how much.
const CAPITAL: i64 = 1_000_000_000;
const FLOATS: [(&str, &str, i64); 2] =
    [("drawer_1", "float-1", 50_000_000), ("drawer_2", "float-2", 50_000_000)];
const NOSTRO: i64 = 100_000_000;
const DEPOSITS: [(&str, i64); 3] =
    [("carol_savings", 500_000), ("carol_current", 50_000), ("bob_savings", 300_000)];

/// Opens what is not open and moves what was not moved.
pub(super) async fn make(service: &Service) -> anyhow::Result<Accounts> {
    let maker = Maker::new(service).await?;
    // Where an operator opens the days, nobody has opened one in a bank that is being made.
    if service.books.day().await?.newest.is_none() {
        let today = Date::of_micros(SystemClock::new().wall());
        maker.step("day", Command::OpenDay { date: today }).await?;
    }
    let mut accounts = Accounts::new();
    for (key, name, kind) in OWN {
        let id = maker.open(key, name.to_owned(), kind, NameId(0)).await?;
        accounts.insert(key.to_owned(), id.to_string());
    }
    for (customer, name) in CUSTOMERS {
        let owner = service.books.intern(NameKind::Principal, customer).await?;
        for kind in ["savings", "current"] {
            let key = format!("{customer}_{kind}");
            let id =
                maker.open(&key, format!("{name}, {kind} account"), AccountType::Liability, owner).await?;
            accounts.insert(key, id.to_string());
        }
    }
    for (key, name, kind) in RAIL {
        let id = maker.open(key, name.to_owned(), kind, NameId(0)).await?;
        accounts.insert(key.to_owned(), id.to_string());
    }
    let at = |key: &str| -> anyhow::Result<AccountId> { Ok(AccountId(accounts[key].parse()?)) };
    let line = |account, side| Line { account, side, amount: CAPITAL, currency: maker.currency };
    let lines = Box::new([line(at("vault")?, Side::Debit), line(at("capital")?, Side::Credit)]);
    maker.step("capital-paid-in", Command::Post { lines }).await?;
    for (drawer, step, amount) in FLOATS {
        maker.step(step, Command::Transfer(maker.movement(at("vault")?, at(drawer)?, amount))).await?;
    }
    for (account, amount) in DEPOSITS {
        let deposit = Command::Deposit(maker.movement(at("drawer_1")?, at(account)?, amount));
        maker.step(&format!("deposit-{account}"), deposit).await?;
    }
    maker.step("nostro", Command::Transfer(maker.movement(at("vault")?, at("nostro")?, NOSTRO))).await?;
    Ok(accounts)
}

struct Maker<'a> {
    service: &'a Service,
    who: NameId,
    currency: Currency,
}

impl Maker<'_> {
    async fn new(service: &Service) -> anyhow::Result<Maker<'_>> {
        let who = service.books.intern(NameKind::Principal, "demo").await?;
        let currency = Currency::from_code(CURRENCY).context("a currency of ISO 4217")?;
        Ok(Maker { service, who, currency })
    }

    fn movement(&self, from: AccountId, to: AccountId, amount: i64) -> Movement {
        Movement { from, to, amount, currency: self.currency }
    }

    async fn open(
        &self,
        key: &str,
        name: String,
        account_type: AccountType,
        owner: NameId,
    ) -> anyhow::Result<AccountId> {
        let wish = OpenAccount {
            account_type,
            currency: self.currency,
            status: Status::Active,
            overdraft_limit: 0,
            owner,
            number: None,
            name: name.into(),
        };
        let event = self.step(&format!("open-{key}"), Command::OpenAccount(Box::new(wish))).await?;
        event.subject().with_context(|| format!("account {key} was opened"))
    }

    /// Does a step unless it was done by an earlier start.
    async fn step(&self, name: &str, command: Command) -> anyhow::Result<ledger::Event> {
        let key = Digest::of_internal_key("demo", name.as_bytes());
        let request = Request::new(command, self.who).with_key(key);
        match self.service.books.submit(request).await? {
            Decided::Accepted { event, .. } => Ok(event),
            Decided::Refused { refusal, .. } => {
                bail!(
                    "the step {name} of the demonstration was refused ({}): {}",
                    refusal.code.name(),
                    refusal.code.remedy()
                )
            }
            other => bail!(
                "the step {name} of the demonstration was not done ({other:?}); start again with an empty folder"
            ),
        }
    }
}
