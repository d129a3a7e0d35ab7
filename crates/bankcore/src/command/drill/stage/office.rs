//! The drill at the counter of the bank: it opens accounts and makes API keys, all of them its own.

use std::sync::Arc;

use anyhow::Context as _;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::super::api::{Answer, Api, By};

/// The currency of everything in the drill.
pub(in super::super) const CURRENCY: &str = "BDT";

/// Where webhooks are made.
pub(in super::super) const WEBHOOKS: &str = "/api/v1/webhooks";

/// With what the name of each account of the bank's own begins that the drill opens.
pub(super) const OWN: &str = "Drill, ";

/// An account of the drill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in super::super) struct Account {
    pub(in super::super) id: String,
    pub(in super::super) name: String,
    /// A customer's.
    pub(in super::super) customer: bool,
    /// It grows by debits.
    pub(in super::super) debit_side: bool,
}

/// The drill at the counter.
pub(in super::super) struct Office {
    pub(in super::super) api: Api,
    admin: String,
    /// Of this run: no intent of an earlier one is replayed.
    run: String,
    intents: u32,
    /// The prefixes of the keys that it made.
    keys: Arc<Mutex<Vec<String>>>,
    /// The ids of the webhooks.
    webhooks: Arc<Mutex<Vec<String>>>,
    /// Requests that are heard to their end, whatever happens to the drill: they make what has to be put away.
    under_way: JoinSet<()>,
    opened: u32,
}

impl Office {
    pub(super) fn new(api: Api, admin: String) -> Office {
        Office {
            api,
            admin,
            run: format!("{:08x}", rand::random::<u32>()),
            intents: 0,
            keys: Arc::default(),
            webhooks: Arc::default(),
            under_way: JoinSet::new(),
            opened: 0,
        }
    }

    /// The admin, asking.
    pub(in super::super) fn admin(&self) -> By<'_> {
        By::key(&self.admin)
    }

    /// The admin's key.
    pub(in super::super) fn admin_key(&self) -> &str {
        &self.admin
    }

    /// Of this run of the drill: eight hexadecimal digits.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    /// An idempotency key that nobody has used.
    pub(in super::super) fn intent(&mut self) -> String {
        self.intents += 1;
        format!("drill-{}-{}", self.run, self.intents)
    }

    /// The service is there and takes the key.
    pub(super) async fn answers(&self) -> anyhow::Result<()> {
        let asked = self.api.get("/api/v1/trial-balance", self.admin()).await;
        let remedy = || {
            format!("there is no bank to play on at {}; start one, or leave --url out", self.api.address())
        };
        asked.with_context(remedy)?.done().map(drop)
    }

    /// Reads something as the admin.
    pub(in super::super) async fn read(&self, path: &str) -> anyhow::Result<Value> {
        self.api.get(path, self.admin()).await?.done()
    }

    /// Does something as the admin, under an intent of its own.
    pub(in super::super) async fn act(&mut self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let intent = self.intent();
        self.act_as(&intent, path, body).await
    }

    /// Does something as the admin, under this intent.
    pub(in super::super) async fn act_as(
        &self,
        intent: &str,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Answer> {
        self.api.post(path, By::intent(&self.admin, intent), body).await
    }

    /// Opens an account of the bank's own; an asset or a liability.
    pub(in super::super) async fn open_own(&mut self, name: &str, asset: bool) -> anyhow::Result<Account> {
        let kind = if asset { "asset" } else { "liability" };
        let body = json!({"name": format!("{OWN}{name}"), "type": kind, "currency": CURRENCY});
        self.open(name, asset, &body).await
    }

    /// Opens a customer's account.
    pub(in super::super) async fn open_for(&mut self, customer: &str) -> anyhow::Result<Account> {
        let owner = format!("drill:{}", customer.to_lowercase());
        let body = json!({"name": customer, "type": "liability", "currency": CURRENCY, "owner": owner});
        self.open(customer, false, &body).await
    }

    pub(super) async fn open(
        &mut self,
        name: &str,
        debit_side: bool,
        body: &Value,
    ) -> anyhow::Result<Account> {
        let opened = self.act("/api/v1/accounts", body).await?;
        let opened = opened.done().with_context(|| format!("the drill's account {name} is not opened"))?;
        let id = opened["id"].as_str().context("an account without an id")?.to_owned();
        self.opened += 1;
        Ok(Account { id, name: name.to_owned(), customer: body["owner"].is_string(), debit_side })
    }

    /// Makes an API key for a customer of the drill.
    pub(in super::super) async fn key_for(
        &mut self,
        customer: &str,
        account: &str,
    ) -> anyhow::Result<String> {
        let principal = format!("drill:{}", customer.to_lowercase());
        self.key(&principal, "customer", &json!({"accounts": [account]})).await
    }

    /// Makes an API key; `more` are the fields that only some have.
    pub(super) async fn key(&mut self, principal: &str, role: &str, more: &Value) -> anyhow::Result<String> {
        let mut body = json!({"name": format!("Drill {}", self.run), "principal": principal, "role": role});
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        let made = self.surely("/api/v1/keys", body).await?.done()?;
        made["key"].as_str().map(str::to_owned).context("a key was made and not shown")
    }

    /// Has something made that must be put away again: the answer is heard even if nobody waits for it any more.
    pub(in super::super) async fn surely(&mut self, path: &str, body: Value) -> anyhow::Result<Answer> {
        let (api, admin, path) = (self.api.clone(), self.admin.clone(), path.to_owned());
        let (keys, webhooks) = (Arc::clone(&self.keys), Arc::clone(&self.webhooks));
        let (tell, told) = oneshot::channel();
        self.under_way.spawn(async move {
            let answer = api.post(&path, By::key(&admin), &body).await;
            if let Ok(answer) = &answer {
                keys.lock().extend(answer.body["prefix"].as_str().map(str::to_owned));
                let webhook = answer.body["id"].as_str().filter(|_| path == WEBHOOKS);
                webhooks.lock().extend(webhook.map(str::to_owned));
            }
            let _ = tell.send(answer);
        });
        told.await.context("a request was not made")?
    }

    /// Waits for what is under way.
    pub(super) async fn finish(&mut self) {
        while self.under_way.join_next().await.is_some() {}
    }

    /// What stays in the bank.
    pub(super) fn stays(&self) -> String {
        let (opened, address) = (self.opened, self.api.address());
        format!("{opened} accounts that it opened, and what it posted on them, stay in the bank at {address}")
    }

    /// Removes the webhooks and revokes the keys that it made, as far as that goes.
    pub(super) async fn leave(&mut self) {
        self.finish().await;
        let webhooks = std::mem::take(&mut *self.webhooks.lock());
        for id in webhooks {
            let gone = self.api.delete(&format!("{WEBHOOKS}/{id}"), self.admin()).await;
            // A scenario that came to its end has removed its own.
            if !gone.is_ok_and(|answer| answer.is_success() || answer.status == 404) {
                eprintln!("the drill's webhook {id} is not removed; do it with bankcore webhook delete {id}");
            }
        }
        let made = std::mem::take(&mut *self.keys.lock());
        for prefix in made {
            let gone = self.api.delete(&format!("/api/v1/keys/{prefix}"), self.admin()).await;
            if !gone.is_ok_and(|answer| answer.is_success()) {
                eprintln!(
                    "the drill's API key {prefix} is not revoked; do it with bankcore key revoke {prefix}"
                );
            }
        }
    }
}
