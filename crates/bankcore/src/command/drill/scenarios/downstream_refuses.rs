//! The partner refuses for good. The customer gets the money back, by a transaction of its own.

use anyhow::ensure;
use futures::FutureExt as _;

use crate::command::drill::scenario::{Ended, Need, Outcome, Scenario};
use crate::command::drill::scene::Scene;
use crate::command::drill::story::Who;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "downstream-refuses",
    title: "The partner refuses, and the debit is taken back",
    fear: "The credit fails for good, and the reversal of the debit never happens.",
    needs: &[Need::Rail],
    play: |scene| play(scene).boxed_local(),
};

async fn play(scene: &mut Scene<'_>) -> anyhow::Result<Ended> {
    let [alice] = scene.set([("Alice", 5_000)], &[]).await?;
    scene.stage.rail()?.partner.always("refuse").await?;
    scene.broke("the partner refuses every payment").await;
    let mut paid = scene.pay(&alice, 2_000).await?;
    scene.follow(&mut paid, |payment| payment["state"] == "reversed").await?;
    ensure!(paid.has("funding_id") && paid.has("reversal_id"), "not two transactions: {}", paid.shown);
    ensure!(scene.ask_partner(&paid).await? == 0, "the partner has credited what it refused");
    scene.tell(Who::Customer, "sees: reversed, with both transactions on the statement").await;
    Ok(Ended::new(Outcome::Reversed, "The customer has the money back; nobody had to do anything."))
}
