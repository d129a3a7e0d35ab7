//! SIGKILL in the middle of many transfers. What was acknowledged is there; what was not is asked for by its key.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::command::drill::api::By;
use crate::command::drill::scenario::{Ended, Need, Outcome, Scenario};
use crate::command::drill::scene::{Person, Scene, TRANSFERS, transfer, units};
use crate::command::drill::story::Who;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "kill-in-transfer",
    title: "The service dies in the middle of transfers",
    fear: "The process dies after the debit and before the credit, and nothing remembers.",
    needs: &[Need::Kill],
    play: |scene| play(scene).boxed_local(),
};

/// How many transfers of 10.00, by how many at a time.
const COUNT: usize = 240;
const AT_ONCE: usize = 8;

/// So many are acknowledged when it is killed.
const KILLED_AFTER: usize = 60;

/// How long that may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the customer knows of a transfer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Not,
    Unanswered,
    Acknowledged,
}

async fn play(scene: &mut Scene<'_>) -> anyhow::Result<Ended> {
    let [alice, bob] = scene.set([("Alice", 5_000), ("Bob", 0)], &[]).await?;
    let intents: Vec<String> = (0..COUNT).map(|_| scene.stage.office.intent()).collect();
    scene
        .tell(Who::Customer, format!("Alice's app sends {COUNT} transfers of 10.00, {AT_ONCE} at a time"))
        .await;

    let sent = send_until_it_dies(scene, &alice, &bob, &intents).await?;
    let count = |wanted: Sent| sent.iter().filter(|sent| **sent == wanted).count();
    let [acknowledged, unanswered, waiting] = [Sent::Acknowledged, Sent::Unanswered, Sent::Not].map(count);
    scene
        .broke(format!(
            "SIGKILL: {acknowledged} acknowledged, {unanswered} without an answer, {waiting} not sent yet"
        ))
        .await;
    let said = scene.stage.start_service().await?;
    scene.tell(Who::Service, format!("starts again: {said}")).await;

    let mut posted = 0;
    for (intent, sent) in intents.iter().zip(&sent) {
        let outcome = scene.outcome(&alice.key, intent).await?;
        let known = outcome.status == 200 && outcome.text("status") == "posted";
        match sent {
            Sent::Acknowledged => {
                ensure!(known, "{intent} was acknowledged and is gone: {}", outcome.problem())
            }
            Sent::Unanswered if known => posted += 1,
            Sent::Unanswered | Sent::Not => {
                ensure!(outcome.text("code") == "key_not_decided", "{intent}: {}", outcome.problem());
                scene.transfer(&alice, &bob.account, 10, intent).await?.done()?;
            }
        }
    }
    scene
        .tell(Who::Customer, format!("asks by key: all {acknowledged} that were acknowledged are there"))
        .await;
    let told = format!(
        "the {unanswered} without an answer: {posted} there, {} not; those are sent again, and then the rest",
        unanswered - posted
    );
    scene.tell(Who::Customer, told).await;
    let all = units(10 * COUNT as i64);
    let ended =
        Ended::new(Outcome::Posted, format!("All {COUNT} posted, each once; none was lost, none was half."));
    Ok(ended.moved(&alice.account, -all).moved(&bob.account, all))
}

/// Sends all, and kills the service when some are acknowledged; what became of each.
async fn send_until_it_dies(
    scene: &mut Scene<'_>,
    alice: &Person,
    bob: &Person,
    intents: &[String],
) -> anyhow::Result<Vec<Sent>> {
    let (acknowledged, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let mut clients = JoinSet::new();
    for first in 0..AT_ONCE {
        let intents: Vec<(usize, String)> =
            intents.iter().cloned().enumerate().skip(first).step_by(AT_ONCE).collect();
        let (api, key, body) =
            (scene.stage.office.api.clone(), alice.key.clone(), transfer(&alice.account, &bob.account, 10));
        let (acknowledged, enough) = (Arc::clone(&acknowledged), Arc::clone(&enough));
        clients.spawn(async move {
            let mut sent = Vec::new();
            for (number, intent) in intents {
                let Ok(answer) = api.post(TRANSFERS, By::intent(&key, &intent), &body).await else {
                    sent.push((number, Sent::Unanswered));
                    break;
                };
                answer.done()?;
                sent.push((number, Sent::Acknowledged));
                if acknowledged.fetch_add(1, Ordering::Relaxed) + 1 == KILLED_AFTER {
                    enough.notify_one();
                }
            }
            anyhow::Ok(sent)
        });
    }
    let waited = tokio::time::timeout(PATIENCE, enough.notified()).await;
    scene.stage.kill_service()?;
    waited.context("too few transfers were acknowledged")?;
    let mut sent = vec![Sent::Not; intents.len()];
    while let Some(client) = clients.join_next().await {
        client??.into_iter().for_each(|(number, what)| sent[number] = what);
    }
    Ok(sent)
}
