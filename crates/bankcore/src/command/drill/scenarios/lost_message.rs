//! A wallet credits by messages. One message is lost, and of another one the answer: both come again, each counts once.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use futures::FutureExt as _;
use serde_json::{Value, json};

use crate::command::drill::count::grouped;
use crate::command::drill::receiver::{Loses, Receiver, Taken};
use crate::command::drill::scenario::{Ended, Need, Outcome, Scenario};
use crate::command::drill::scene::{Person, Scene, units};
use crate::command::drill::stage::WEBHOOKS;
use crate::command::drill::story::Who;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "lost-message",
    title: "The message that tells of a transfer is lost",
    fear: "The credit is a message on a queue; it is lost, and the debit stays alone.",
    needs: &[Need::Near],
    play: |scene| play(scene).boxed_local(),
};

/// Longer than the first wait of the outbox, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(25);

async fn play(scene: &mut Scene<'_>) -> anyhow::Result<Ended> {
    let float = scene.stage.office.open_own("float of the wallet", false).await?;
    let [alice, bob] = scene.set([("Alice", 5_000), ("Bob", 5_000)], &[&float]).await?;
    let wallet = Receiver::start(&[(&alice.account, Loses::Message), (&bob.account, Loses::Answer)]).await?;
    let webhook = json!({
        "name": "Drill wallet", "url": wallet.url(), "filter": {"kinds": ["posted"], "accounts": [float.id]},
    });
    let made = scene.stage.office.surely(WEBHOOKS, webhook).await?;
    if !made.is_success() {
        return Ok(Ended::not_played(format!("the bank sends nothing to 127.0.0.1 ({})", made.text("code"))));
    }
    let webhook = made.text("id").to_owned();
    let played = messages(scene, &wallet, &webhook, [&alice, &bob], &float.id).await;
    let office = &scene.stage.office;
    office.api.delete(&format!("/api/v1/webhooks/{webhook}"), office.admin()).await?.done()?;
    played
}

async fn messages(
    scene: &mut Scene<'_>,
    wallet: &Receiver,
    webhook: &str,
    [alice, bob]: [&Person; 2],
    float: &str,
) -> anyhow::Result<Ended> {
    scene.broke("the wallet loses the first message about Alice, and its answer to the one about Bob").await;
    for (person, amount) in [(alice, 2_000), (bob, 1_000)] {
        let intent = scene.stage.office.intent();
        let posted = scene.transfer(person, float, amount, &intent).await?.done()?;
        let id = posted["id"].as_str().unwrap_or_default();
        let told = format!(
            "{} tops up the wallet by {}: posted, transaction {id}",
            person.name,
            grouped(units(amount))
        );
        scene.tell(Who::Customer, told).await;
    }
    until(|| [alice, bob].iter().all(|person| wallet.taken(&person.account).deliveries > 0)).await?;
    let [of_alice, of_bob] = taken(wallet, [&alice.account, &bob.account]);
    ensure!(of_alice.counted.is_empty() && of_bob.counted.len() == 1, "{of_alice:?} {of_bob:?}");
    scene.tell(Who::Wallet, "has not heard of Alice; has credited Bob, and the bank does not know it").await;
    let failed = failures(scene, webhook).await?;
    scene.tell(Who::Service, format!("its list of deliveries: {failed}; both stay in the outbox")).await;

    until(|| [alice, bob].iter().all(|person| wallet.taken(&person.account).deliveries > 1)).await?;
    let [of_alice, of_bob] = taken(wallet, [&alice.account, &bob.account]);
    ensure!(of_alice.counted.len() == 1 && of_bob.counted.len() == 1, "{of_alice:?} {of_bob:?}");
    let told = format!(
        "credits Alice at delivery {}; knows Bob's message by its id, so delivery {} changes nothing",
        of_alice.deliveries, of_bob.deliveries
    );
    scene.tell(Who::Wallet, told).await;
    Ok(Ended::new(Outcome::Delivered, "Both messages arrived, and each counted once.")
        .moved(&alice.account, -units(2_000))
        .moved(&bob.account, -units(1_000))
        .moved(float, units(3_000)))
}

fn taken(wallet: &Receiver, accounts: [&str; 2]) -> [Taken; 2] {
    accounts.map(|account| wallet.taken(account))
}

/// What the bank says of the deliveries that failed, once there are two.
async fn failures(scene: &Scene<'_>, webhook: &str) -> anyhow::Result<String> {
    let began = Instant::now();
    loop {
        let list = scene.stage.office.read(&format!("/api/v1/webhooks/{webhook}/deliveries")).await?;
        let items = list["items"].as_array().context("no list of deliveries")?;
        let failed: Vec<&Value> = items.iter().filter(|item| item["outcome"] == "failed").collect();
        if let [one, _] = failed[..] {
            let why = one["answer"].as_str().unwrap_or_default();
            return Ok(format!("2 failed ({why})"));
        }
        if began.elapsed() > PATIENCE {
            bail!("the bank knows of {} failed deliveries, not of 2", failed.len());
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn until(there: impl Fn() -> bool) -> anyhow::Result<()> {
    let began = Instant::now();
    while !there() {
        if began.elapsed() > PATIENCE {
            bail!("the messages did not come within {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
