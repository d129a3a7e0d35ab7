//! The partner pays and its answer is lost. The bank asks about the payment's own reference.

use anyhow::ensure;
use futures::FutureExt as _;

use crate::command::drill::scenario::{Ended, Need, Outcome, Scenario};
use crate::command::drill::scene::{Scene, units};
use crate::command::drill::story::Who;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "lost-answer",
    title: "The partner pays, and its answer is lost",
    fear: "A time-out is taken for a failure: the money is given back, or sent a second time.",
    needs: &[Need::Rail],
    play: |scene| play(scene).boxed_local(),
};

async fn play(scene: &mut Scene<'_>) -> anyhow::Result<Ended> {
    let [alice] = scene.set([("Alice", 5_000)], &[]).await?;
    scene.stage.rail()?.partner.always("lose_answer").await?;
    scene.broke("every answer of the partner is lost from now on").await;
    let mut paid = scene.pay(&alice, 2_000).await?;
    scene.follow(&mut paid, |payment| payment["state"] == "unknown").await?;
    ensure!(scene.ask_partner(&paid).await? == 1, "the partner has not credited it once");

    scene.stage.rail()?.partner.behave().await?;
    scene.tell(Who::Drill, "the partner's answers arrive again").await;
    scene.follow(&mut paid, |payment| payment["state"] == "settled").await?;
    ensure!(scene.ask_partner(&paid).await? == 1, "the partner has not credited it once");
    scene.tell(Who::Customer, "sees: settled").await;
    let nostro = scene.cast().nostro.id.clone();
    Ok(Ended::new(Outcome::Settled, "Settled by asking, not by sending a second payment; credited once.")
        .moved(&alice.account, -units(2_000))
        .moved(&nostro, -units(2_000)))
}
