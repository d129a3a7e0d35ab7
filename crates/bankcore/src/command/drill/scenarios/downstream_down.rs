//! The partner is down. The customer is debited, the money is on its way, and it gets there when the partner is back.

use anyhow::ensure;
use futures::FutureExt as _;

use crate::command::drill::count::grouped;
use crate::command::drill::scenario::{Ended, Need, Outcome, Scenario};
use crate::command::drill::scene::{Scene, units};
use crate::command::drill::story::Who;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "downstream-down",
    title: "The partner is down",
    fear: "The debit is posted, the receiving bank is not there, and the money hangs between the two.",
    needs: &[Need::Rail],
    play: |scene| play(scene).boxed_local(),
};

async fn play(scene: &mut Scene<'_>) -> anyhow::Result<Ended> {
    let [alice] = scene.set([("Alice", 5_000)], &[]).await?;
    scene.stage.rail()?.partner.kill();
    scene.broke("SIGKILL for the partner").await;
    let mut paid = scene.pay(&alice, 2_000).await?;
    scene.follow(&mut paid, |payment| payment["state"] == "unknown").await?;
    let clearing = scene.balance(&scene.cast().clearing.id).await?;
    ensure!(clearing == units(2_000), "{} is on its way", grouped(clearing));
    let told =
        format!("{} left Alice and has not arrived: it is in clearing, not nowhere", grouped(clearing));
    scene.tell(Who::Service, told).await;

    scene.stage.rail()?.partner.start_again().await?;
    scene.tell(Who::Drill, "the partner is back").await;
    scene.follow(&mut paid, |payment| payment["state"] == "settled").await?;
    ensure!(scene.ask_partner(&paid).await? == 1, "the partner has not credited it once");
    scene.tell(Who::Customer, "sees: settled").await;
    let nostro = scene.cast().nostro.id.clone();
    Ok(Ended::new(Outcome::Settled, "Settled when the partner was back, without anybody doing anything.")
        .moved(&alice.account, -units(2_000))
        .moved(&nostro, -units(2_000)))
}
