//! Keeps everything at work that should be: takes the turn to deliver, and takes over what others changed.
//!
//! A command that comes here is at work when it returns. What another service on the same database does, or somebody by
//! hand, is seen within two seconds: every change leaves an audit record, so its number tells.

use std::sync::Arc;
use std::time::Duration;

use super::running::NICENESS;
use super::sink::SinkKind;
use super::turn::{self, Turn};
use super::{Outbox, OutboxError, rows};

/// How often is looked whether something changed.
const LOOK: Duration = Duration::from_secs(2);

impl Outbox {
    /// Puts everything to work: the endpoints, and the operator's own sinks. Where another service delivers, it is
    /// waited for, and this returns at once.
    ///
    /// # Errors
    /// If the database or the system does not let it.
    pub async fn start(self: &Arc<Outbox>) -> Result<(), OutboxError> {
        self.running.start().map_err(super::webhooks::system)?;
        let shared = Arc::clone(&self.shared);
        self.running.spawn(async move { shared.pace.keep(NICENESS).await });
        let database = &self.shared.database;
        let turn = turn::take(database).await.map_err(|e| database.fault(e))?;
        if turn.is_some() {
            self.begin().await?;
        } else {
            tracing::info!("another service delivers events; this one waits for its turn");
        }
        self.running.spawn(Arc::clone(self).keep(turn));
        Ok(())
    }

    async fn keep(self: Arc<Outbox>, mut turn: Option<Turn>) {
        let database = self.shared.database.clone();
        let mut known = database.newest_record().await.ok();
        loop {
            tokio::time::sleep(LOOK).await;
            if let Some(held) = &mut turn
                && !held.holds(&database).await
            {
                tracing::warn!("the turn to deliver events was lost with its connection");
                self.running.stop_all().await;
                turn = None;
            }
            if turn.is_none() {
                turn = turn::take(&database).await.unwrap_or_default();
                known = None;
                if turn.is_some() {
                    tracing::info!("this service delivers events from now on");
                }
            }
            let newest = database.newest_record().await.ok();
            if turn.is_some() && newest.is_some() && newest != known {
                match self.begin().await {
                    Ok(()) => known = newest,
                    Err(error) => {
                        tracing::warn!(%error, "what changed is not at work yet; it is tried again")
                    }
                }
            }
        }
    }

    /// Brings what is at work in line with what should be.
    async fn begin(&self) -> Result<(), OutboxError> {
        let _turn = self.one_at_a_time.lock().await;
        self.running.deliver();
        let database = &self.shared.database;
        let known = rows::all(database).await?;
        let mut wanted = Vec::new();
        for subscription in known.iter().filter(|known| known.sink == SinkKind::Webhook) {
            if subscription.disabled.is_none() {
                wanted.push(subscription.clone());
            }
        }
        for (sink, target) in self.settings.places() {
            let before = known.iter().find(|known| known.sink == sink);
            wanted.push(self.of_operator(before, sink, target).await?);
        }
        for id in self.running.at_work() {
            if !wanted.iter().any(|wanted| wanted.id == id) {
                self.running.stop(id).await;
            }
        }
        for subscription in wanted {
            let stamp = rows::secrets_stamp(database, subscription.id).await?;
            if self.running.is_at_work(&subscription, stamp) {
                self.running.again(subscription.id);
            } else {
                self.running.stop(subscription.id).await;
                self.launch(subscription, stamp);
            }
        }
        Ok(())
    }
}
