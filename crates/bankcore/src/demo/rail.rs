//! The rail to the partner: `bankcore partner --demo` is at its other end.

use anyhow::{Context as _, anyhow};
use bank::database::Actor;
use bank::payments::rail::settings::{self, Lane, RailSettings, bounds};
use bank::payments::rail::signature::Key;
use bank::sequencer::{Clock as _, SystemClock};
use bank::service::Service;
use ledger::{AccountId, Currency};

use super::accounts::Accounts;
use super::{CURRENCY, DemoRail};

const NAME: &str = "partner";

/// Where the partner listens unless it is told otherwise.
const URL: &str = "http://127.0.0.1:8500/rail";

/// The largest payment, minor units.
const AMOUNT_MAX: i64 = 100_000_000;

/// Sets the rail up, unless it is there and its secret is known.
pub(super) async fn make(
    service: &Service,
    accounts: &Accounts,
    told: Option<DemoRail>,
    url: &str,
) -> anyhow::Result<DemoRail> {
    let notices = format!("{url}/api/v1/rails/{NAME}/notices");
    let (actor, now) = (Actor::new("demo", "command line"), SystemClock::new().wall());
    let known = service.payments.rail(NAME).await?;
    let live = |key_id: &str| known.as_ref().is_some_and(|rail| rail.keys.iter().any(|key| key.id == key_id));
    if let Some(told) = told.filter(|told| live(&told.key_id)) {
        return Ok(DemoRail { notices, ..told });
    }
    if known.is_none() {
        settings::put(&service.database, &rail(accounts)?, &actor, now).await?;
    }
    // Keys of a start that could not show them sign nothing; a new one gets an id of its own.
    let key_id = format!("demo-{now}");
    let mut secret = vec![0; 32];
    rand::fill(&mut secret[..]);
    let key = Key::new(&key_id, secret).ok_or_else(|| anyhow!("a secret has 24 to 64 bytes"))?;
    settings::add_key(&service.database, NAME, &key, &actor, now).await?;
    Ok(DemoRail { name: NAME.to_owned(), key_id, secret: key.to_text(), notices })
}

fn rail(accounts: &Accounts) -> anyhow::Result<RailSettings> {
    let at = |key: &str| -> anyhow::Result<AccountId> { Ok(AccountId(accounts[key].parse()?)) };
    let lane = Lane {
        currency: Currency::from_code(CURRENCY).context("a currency of ISO 4217")?,
        amount_max: AMOUNT_MAX,
        clearing: at("clearing")?,
        settlement: at("nostro")?,
        suspense: at("suspense")?,
    };
    Ok(RailSettings {
        name: NAME.to_owned(),
        url: URL.to_owned(),
        paused: false,
        iban_required: false,
        window: None,
        settles_within_us: 60 * 1_000_000,
        timeout_us: 2_000 * 1_000,
        enquire_after_us: 500 * 1_000,
        enquire_at_most_us: 30_000 * 1_000,
        tries_max: u32::try_from(bounds::TRIES_MAX.default)?,
        prepare_within_us: None,
        currencies: vec![lane],
        keys: Vec::new(),
    })
}
