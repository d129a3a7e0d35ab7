//! The institution's own books: a bank of its own in its folder, or two maps in memory.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bank::books::Decided;
use bank::payments::rail::Party;
use bank::service::{self, Service, Settings};
use ledger::command::OpenAccount;
use ledger::event::NameKind;
use ledger::{
    AccountId, AccountType, Command, Currency, Digest, Line, NameId, Note, Request, Side, Status, money,
};
use parking_lot::Mutex;

/// Credits by reference: to whom, how much, and how often.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub(super) struct Credit {
    pub(super) account: String,
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) times: u32,
}

/// The books.
pub(super) enum Books {
    /// A bank.
    Folder(Box<Bank>),
    /// Gone with the process.
    Memory(Mutex<HashMap<String, Credit>>),
}

pub(super) struct Bank {
    service: Service,
    who: NameId,
}

impl Books {
    pub(super) async fn open(folder: Option<&Path>) -> anyhow::Result<Books> {
        let Some(folder) = folder else { return Ok(Books::Memory(Mutex::default())) };
        let mut settings = Settings { name: "Partner".into(), ..Settings::default() };
        // A partner is small, and starts often while it is tested.
        settings.store.journal.segment_bytes = 8 << 20;
        settings.store.journal.frame_bytes_max = 4 << 20;
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let service = if service::is_bank(folder) {
            service::open(folder, &settings).await?
        } else {
            service::create(folder, &settings).await?
        };
        let who = service.books.intern(NameKind::Principal, "internal:partner").await?;
        Ok(Books::Folder(Box::new(Bank { service, who })))
    }

    /// Credits a beneficiary under a reference; the same reference again changes nothing.
    pub(super) async fn credit(
        &self,
        reference: &str,
        to: &Party,
        amount: &str,
        currency: &str,
    ) -> anyhow::Result<()> {
        match self {
            Books::Folder(bank) => bank.credit(reference, to, amount, currency).await,
            Books::Memory(credits) => {
                let fresh = Credit {
                    account: to.account.clone(),
                    amount: amount.to_owned(),
                    currency: currency.to_owned(),
                    times: 1,
                };
                credits.lock().entry(reference.to_owned()).or_insert(fresh);
                Ok(())
            }
        }
    }

    /// What was credited, counted in the books themselves.
    pub(super) fn credits(&self) -> anyhow::Result<HashMap<String, Credit>> {
        let bank = match self {
            Books::Memory(credits) => return Ok(credits.lock().clone()),
            Books::Folder(bank) => bank,
        };
        let mut numbers: HashMap<AccountId, String> = HashMap::new();
        let mut credits: HashMap<String, Credit> = HashMap::new();
        bank.service.books.reads().scan(ledger::Sequence(1), &mut |event| {
            if let (ledger::Body::AccountOpened(opening), Some(id)) = (&event.body, event.subject()) {
                numbers.insert(id, opening.number.to_string());
            }
            if let Some(reference) = event.reference().map(str::to_owned) {
                for entry in event.posted().filter(|entry| entry.side == Side::Credit) {
                    let credit = credits.entry(reference.clone()).or_default();
                    credit.account = numbers.get(&entry.account).cloned().unwrap_or_default();
                    credit.amount = money::Major(entry.amount.into(), entry.currency).to_string();
                    credit.currency = entry.currency.code().to_owned();
                    credit.times += 1;
                }
            }
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(credits)
    }
}

impl Bank {
    async fn credit(&self, reference: &str, to: &Party, amount: &str, currency: &str) -> anyhow::Result<()> {
        let currency = Currency::from_code(currency).context("a currency of ISO 4217")?;
        let Ok(minor) = money::parse_positive(amount, currency) else { bail!("{amount} is no amount") };
        let ours = self.account("settlement", "Settlement", AccountType::Asset, currency).await?;
        let theirs = self.account(&to.account, &to.name, AccountType::Liability, currency).await?;
        let line = |account, side| Line { account, side, amount: minor, currency };
        let lines = Box::new([line(ours, Side::Debit), line(theirs, Side::Credit)]);
        let note = Note { reference: Some(reference.into()), ..Note::default() };
        self.step(&format!("credit {reference}"), Command::Post { lines }, note).await.map(drop)
    }

    async fn account(
        &self,
        number: &str,
        name: &str,
        account_type: AccountType,
        currency: Currency,
    ) -> anyhow::Result<AccountId> {
        let number = format!("{number}{}", if number == "settlement" { currency.code() } else { "" });
        let wish = OpenAccount {
            account_type,
            currency,
            status: Status::Active,
            overdraft_limit: 0,
            owner: NameId(0),
            number: Some(number.as_str().into()),
            name: name.into(),
        };
        let step = format!("account {number} {}", currency.code());
        let event = self.step(&step, Command::OpenAccount(Box::new(wish)), Note::default()).await?;
        event.subject().context("an account was opened")
    }

    async fn step(&self, name: &str, command: Command, note: Note) -> anyhow::Result<ledger::Event> {
        let mut request = Request::new(command, self.who);
        request.note = Some(Arc::new(note));
        let request = request.with_key(Digest::of_internal_key("partner", name.as_bytes()));
        match self.service.books.submit(request).await? {
            Decided::Accepted { event, .. } => Ok(event),
            other => bail!("the partner's books did not take {name}: {other:?}"),
        }
    }
}
