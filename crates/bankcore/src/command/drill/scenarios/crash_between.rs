//! SIGKILL after the debit and before the credit. The next start reads where the payment stands, and goes on.

use anyhow::ensure;
use futures::FutureExt as _;

use crate::command::drill::count::grouped;
use crate::command::drill::scenario::{Ended, Need, Outcome, Scenario};
use crate::command::drill::scene::{Scene, units};
use crate::command::drill::story::Who;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "crash-between",
    title: "The service dies between debit and credit",
    fear: "The process dies after the debit; the state of the transfer is lost, and so is the credit.",
    needs: &[Need::Kill, Need::Rail],
    play: |scene| play(scene).boxed_local(),
};

async fn play(scene: &mut Scene<'_>) -> anyhow::Result<Ended> {
    let [alice] = scene.set([("Alice", 5_000)], &[]).await?;
    // So that the moment lasts: nothing reaches the partner.
    scene.stage.rail()?.partner.always("lose_request").await?;
    let mut paid = scene.pay(&alice, 2_000).await?;
    scene.follow(&mut paid, |payment| payment["state"] == "unknown").await?;
    ensure!(scene.ask_partner(&paid).await? == 0, "the partner has credited what never reached it");
    let [left, clearing] =
        [scene.balance(&alice.account).await?, scene.balance(&scene.cast().clearing.id).await?];
    ensure!([left, clearing] == [units(3_000), units(2_000)], "{} and {}", grouped(left), grouped(clearing));
    scene
        .tell(Who::Service, format!("Alice has {}, {} is in clearing", grouped(left), grouped(clearing)))
        .await;

    scene.stage.kill_service()?;
    scene.broke("SIGKILL for the service: the debit is durable, the credit has not happened").await;
    scene.stage.rail()?.partner.behave().await?;
    let said = scene.stage.start_service().await?;
    scene.tell(Who::Service, format!("starts again: {said}")).await;
    scene.follow(&mut paid, |payment| payment["state"] == "settled").await?;
    ensure!(scene.ask_partner(&paid).await? == 1, "the partner has not credited it once");
    scene.tell(Who::Customer, "sees: settled").await;
    let nostro = scene.cast().nostro.id.clone();
    Ok(Ended::new(Outcome::Settled, "The next start found the payment in its books and finished it, once.")
        .moved(&alice.account, -units(2_000))
        .moved(&nostro, -units(2_000)))
}
