//! The partner: `bankcore partner` as a process, told what to do wrong, killed, and asked what it has credited.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::Client;
use serde_json::{Value, json};

use super::process::Process;

/// How long it may take to answer the drill.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// The partner of the drill.
pub(in super::super) struct Partner {
    process: Process,
    client: Client,
    home: PathBuf,
    /// Under which key it signs.
    key_id: String,
    /// Where it tells what nobody has asked for.
    notices: String,
    address: String,
}

impl Partner {
    /// Starts one on a port that nobody has.
    pub(super) async fn start(
        home: &Path,
        key_id: &str,
        secret: &str,
        notices: &str,
    ) -> anyhow::Result<Partner> {
        std::fs::write(home.join("secret"), secret).context("the folder of the drill cannot be written")?;
        let client = Client::builder().no_proxy().timeout(ANSWER_TIME).build()?;
        let (process, address) = life(home, "127.0.0.1:0", key_id, notices).await?;
        let (key_id, notices) = (key_id.to_owned(), notices.to_owned());
        Ok(Partner { process, client, home: home.to_owned(), key_id, notices, address })
    }

    /// Where it is asked.
    pub(in super::super) fn url(&self) -> String {
        format!("http://{}/rail", self.address)
    }

    /// SIGKILL.
    pub(in super::super) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again where it was, with what it had decided.
    pub(in super::super) async fn start_again(&mut self) -> anyhow::Result<()> {
        self.kill();
        (self.process, self.address) = life(&self.home, &self.address, &self.key_id, &self.notices).await?;
        Ok(())
    }

    pub(super) fn is_gone(&mut self) -> bool {
        self.process.is_gone()
    }

    /// From now on this goes wrong with each request, and nothing else.
    pub(in super::super) async fn always(&self, fault: &str) -> anyhow::Result<()> {
        self.faults(&json!({ fault: 1.0 })).await
    }

    /// From now on nothing goes wrong.
    pub(in super::super) async fn behave(&self) -> anyhow::Result<()> {
        self.faults(&json!({})).await
    }

    async fn faults(&self, faults: &Value) -> anyhow::Result<()> {
        let answer = self.client.put(format!("http://{}/faults", self.address)).json(faults).send().await;
        let status = answer.context("the partner does not answer")?.status();
        ensure!(status.is_success(), "the partner answered {status}");
        Ok(())
    }

    /// What its own books say about a reference: to whom, how much, how often; none if it never heard of it.
    pub(in super::super) async fn books(&self, reference: &str) -> anyhow::Result<Option<Credited>> {
        let answer = self.client.get(format!("http://{}/payments", self.address)).send().await;
        let payments: Value = answer.context("the partner does not answer")?.json().await?;
        let items = payments["items"].as_array().context("the partner lists no payments")?;
        let Some(found) = items.iter().find(|item| item["reference"] == reference) else { return Ok(None) };
        let text = |field: &str| found["credit"][field].as_str().unwrap_or_default().to_owned();
        Ok(Some(Credited {
            times: found["credited"].as_u64().unwrap_or_default(),
            amount: text("amount"),
            account: text("account"),
        }))
    }
}

/// What the partner has credited under a reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in super::super) struct Credited {
    /// How often.
    pub(in super::super) times: u64,
    /// How much, as text; empty if nothing was.
    pub(in super::super) amount: String,
    /// To whom.
    pub(in super::super) account: String,
}

async fn life(home: &Path, listen: &str, key_id: &str, notices: &str) -> anyhow::Result<(Process, String)> {
    let path = |name: &str| home.join(name).to_str().map(str::to_owned);
    let paths = path("partner").zip(path("secret"));
    let (data, secret) = paths.context("the folder for temporary files has a name that is no text")?;
    let words = [
        "partner",
        "--listen",
        listen,
        "--data",
        &data,
        "--secret-file",
        &secret,
        "--key-id",
        key_id,
        "--notices",
        notices,
    ];
    let mut process = Process::start(&words, &home.join("partner.log"))?;
    let said = process.says("partner is ready at http://").await?;
    let address = said.last().and_then(|line| line.split('/').next()).context("the partner is nowhere")?;
    let address = address.to_owned();
    Ok((process, address))
}
