//! The rail to the partner: set up in the bank for the drill, over accounts of the drill.

use std::path::Path;

use anyhow::{Context as _, bail};
use bank::payments::rail::signature::Key;
use serde_json::{Value, json};

use super::cast::Cast;
use super::office::{CURRENCY, OWN, Office};
use super::partner::Partner;
use crate::client::segment;

/// After how many questions without an answer a person is asked. A partner that is only down comes back before.
const TRIES: u32 = 100;

/// The rail and who is at its other end.
pub(in super::super) struct Rail {
    /// Its name in the bank.
    pub(in super::super) name: String,
    pub(in super::super) partner: Partner,
    key_id: String,
    /// Clearing, settlement and suspense account.
    accounts: [String; 3],
    tries: u32,
}

impl Rail {
    /// Starts the partner; the bank knows nothing of it yet. The secret is for [`Rail::open`].
    ///
    /// # Errors
    /// If the bank has a rail of this name that is not the drill's.
    pub(super) async fn begin(
        name: &str,
        office: &Office,
        cast: &Cast,
        home: &Path,
    ) -> anyhow::Result<(Rail, String)> {
        if !office.api.is_near() {
            bail!("--rail needs a bank on this machine: the drill's partner listens on 127.0.0.1 only");
        }
        not_somebodys(name, office).await?;
        let key_id = format!("drill-{}", office.run());
        let mut secret = vec![0; 32];
        rand::fill(&mut secret[..]);
        let secret = Key::new(&key_id, secret).context("a secret has 24 to 64 bytes")?.to_text();
        let notices = format!("{}/api/v1/rails/{}/notices", office.api.address(), segment(name));
        let partner = Partner::start(home, &key_id, &secret, &notices).await?;
        let accounts = [&cast.clearing, &cast.nostro, &cast.suspense].map(|account| account.id.clone());
        Ok((Rail { name: name.to_owned(), partner, key_id, accounts, tries: TRIES }, secret))
    }

    /// Sets it up in the bank.
    pub(super) async fn open(&self, office: &mut Office, secret: &str) -> anyhow::Result<()> {
        self.put(office, false).await?;
        let key = json!({"key_id": self.key_id, "secret": secret});
        office.surely(&format!("{}/keys", self.path()), key).await?.done().map(drop)
    }

    fn path(&self) -> String {
        format!("/api/v1/rails/{}", segment(&self.name))
    }

    async fn put(&self, office: &Office, paused: bool) -> anyhow::Result<()> {
        let [clearing, settlement, suspense] = &self.accounts;
        let body = json!({
            "url": self.partner.url(), "paused": paused, "timeout_ms": 2_000, "enquire_after_ms": 100,
            "enquire_at_most_ms": 500, "settles_within_seconds": 5, "tries_max": self.tries,
            "currencies": [{
                "currency": CURRENCY, "amount_max": "100000.00", "clearing_account_id": clearing,
                "settlement_account_id": settlement, "suspense_account_id": suspense,
            }],
        });
        office.api.put(&self.path(), office.admin(), &body).await?.done().map(drop)
    }

    /// From now on a person is asked after so many questions without an answer.
    pub(in super::super) async fn ask_a_person_after(
        &mut self,
        tries: u32,
        office: &Office,
    ) -> anyhow::Result<()> {
        self.tries = tries;
        self.put(office, false).await
    }

    /// The partner is there and behaves, and the bank is patient again.
    pub(super) async fn heal(&mut self, office: &Office) -> anyhow::Result<()> {
        if self.partner.is_gone() {
            self.partner.start_again().await?;
        }
        self.partner.behave().await?;
        if self.tries != TRIES {
            self.ask_a_person_after(TRIES, office).await?;
        }
        Ok(())
    }

    /// Nobody pays over it any more, and nothing that it signed is believed.
    pub(super) async fn put_away(&mut self, office: &Office) {
        let known = office.api.get(&self.path(), office.admin()).await;
        if known.is_ok_and(|answer| answer.status == 404) {
            return;
        }
        let paused = self.put(office, true).await;
        let retire = format!("{}/keys/{}", self.path(), segment(&self.key_id));
        let retired = office.api.delete(&retire, office.admin()).await;
        // It may be that the key was never added.
        if paused.is_err() || !retired.is_ok_and(|answer| answer.is_success() || answer.status == 404) {
            eprintln!("the rail {} is not put away; pause it with bankcore rail set", self.name);
        }
    }
}

/// The drill changes no rail that somebody else has set up.
async fn not_somebodys(name: &str, office: &Office) -> anyhow::Result<()> {
    let known = office.api.get(&format!("/api/v1/rails/{}", segment(name)), office.admin()).await?;
    if known.status == 404 {
        return Ok(());
    }
    let known = known.done()?;
    for carried in known["currencies"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let id = carried["clearing_account_id"].as_str().unwrap_or_default();
        let account: Value = office.read(&format!("/api/v1/accounts/{}", segment(id))).await?;
        if !account["name"].as_str().unwrap_or_default().starts_with(OWN) {
            bail!("the rail {name} is not the drill's own; name one that is not there yet");
        }
    }
    Ok(())
}
