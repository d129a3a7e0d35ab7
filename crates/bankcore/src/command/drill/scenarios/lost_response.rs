//! The transfer is done and the answer never arrives. The phone asks by its key, and tries again without harm.

use anyhow::ensure;
use futures::FutureExt as _;

use crate::command::drill::api::By;
use crate::command::drill::scenario::{Ended, Need, Outcome, Scenario};
use crate::command::drill::scene::{Scene, TRANSFERS, transfer, units};
use crate::command::drill::story::Who;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "lost-response",
    title: "The answer never reaches the customer",
    fear: "The network loses the answer; the app shows an error, the customer tries again and pays twice.",
    needs: &[Need::Cut],
    play: |scene| play(scene).boxed_local(),
};

async fn play(scene: &mut Scene<'_>) -> anyhow::Result<Ended> {
    let [alice, bob] = scene.set([("Alice", 5_000), ("Bob", 0)], &[]).await?;
    let intent = scene.stage.office.intent();
    scene.tell(Who::Customer, "Alice sends 2,000.00 to Bob").await;
    let body = transfer(&alice.account, &bob.account, 2_000);
    scene.stage.office.api.hang_up(TRANSFERS, By::intent(&alice.key, &intent), &body).await?;
    scene.broke("the connection is cut while the answer is on its way").await;
    scene.tell(Who::Customer, "sees an error, and does not know whether the money moved").await;

    let outcome = scene.outcome(&alice.key, &intent).await?.done()?;
    ensure!(outcome["status"] == "posted", "the key does not stand for a transfer: {outcome}");
    let id = outcome["transaction"]["id"].as_str().unwrap_or_default().to_owned();
    scene
        .tell(Who::Customer, format!("the app asks by its key, and is told: posted, transaction {id}"))
        .await;

    let again = scene.transfer(&alice, &bob.account, 2_000, &intent).await?;
    ensure!(
        again.replayed && again.text("id") == id,
        "the second try is not the first one: {}",
        again.problem()
    );
    scene.tell(Who::Customer, format!("taps send again: the same answer, replayed, transaction {id}")).await;
    let ended =
        Ended::new(Outcome::Posted, "Posted once; the key told what the lost answer would have said.");
    Ok(ended.moved(&alice.account, -units(2_000)).moved(&bob.account, units(2_000)))
}
