//! What the partner tells without being asked; signed, and told again until it is heard.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bank::payments::rail::signature::{Key, Signed, sign};
use bank::payments::rail::wire::Notice;
use bank::sequencer::{Clock as _, SystemClock};

/// How often a notice is told that nobody hears, and how long is waited between.
const TIMES_MAX: u32 = 200;
const PAUSE: Duration = Duration::from_millis(100);

/// The way to the bank.
#[derive(Clone)]
pub(super) struct Notices {
    client: reqwest::Client,
    url: Option<String>,
    key: Key,
}

impl Notices {
    pub(super) fn new(url: Option<String>, key: Key) -> anyhow::Result<Notices> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build()?;
        Ok(Notices { client, url, key })
    }

    /// Tells it until it is heard, in the background.
    pub(super) fn tell_later(&self, notice: Notice, after: Duration) {
        let notices = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            for _ in 0..TIMES_MAX {
                match notices.tell(&notice).await {
                    Ok(()) => return,
                    Err(error) => tracing::debug!(%error, "a notice was not heard"),
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    /// Tells it once.
    pub(super) async fn tell(&self, notice: &Notice) -> anyhow::Result<()> {
        let Some(url) = &self.url else { return Ok(()) };
        let body = serde_json::to_vec(notice)?;
        let mut bytes = [0; 8];
        rand::fill(&mut bytes);
        let id = format!("ntc_{:016x}", u64::from_be_bytes(bytes));
        let now = SystemClock::new().wall();
        let mut request = self.client.post(url).header("content-type", "application/json");
        for (name, value) in sign(&self.key, &id, now, &body).headers() {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await?;
        if !status.is_success() {
            bail!("{status}: {}", String::from_utf8_lossy(&body));
        }
        let signed = Signed::read(|name| headers.get(name).and_then(|value| value.to_str().ok()));
        let signed = signed.context("the answer to a notice")?;
        signed.verify(std::slice::from_ref(&self.key), SystemClock::new().wall(), &body)?;
        if signed.id != id {
            bail!("the answer belongs to another notice");
        }
        Ok(())
    }
}
