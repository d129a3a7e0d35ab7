//! The debit can be posted and the credit cannot. Both are one atomic batch, so neither is.

use anyhow::ensure;
use futures::FutureExt as _;
use serde_json::json;

use crate::command::drill::scenario::{Ended, Outcome, Scenario};
use crate::command::drill::scene::{Scene, transfer};
use crate::command::drill::story::Who;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "partial-commit",
    title: "The debit succeeds, the credit fails",
    fear: "Debit and credit are two calls; the first one stays, the second one never happens.",
    needs: &[],
    play: |scene| play(scene).boxed_local(),
};

async fn play(scene: &mut Scene<'_>) -> anyhow::Result<Ended> {
    let transit = scene.stage.office.open_own("transit", false).await?;
    let [alice, bob] = scene.set([("Alice", 5_000), ("Bob", 0)], &[&transit]).await?;
    let before = scene.entries(&alice.account).await?;

    let freeze = format!("/api/v1/accounts/{}/freeze", bob.account);
    scene.stage.office.act(&freeze, &json!({"reason": "Drill"})).await?.done()?;
    scene.broke("Bob's account is frozen: it takes no credit").await;

    let intent = scene.stage.office.intent();
    scene
        .tell(Who::Middleware, "one atomic batch: debit Alice 2,000.00 into transit, credit Bob from transit")
        .await;
    let legs = [transfer(&alice.account, &transit.id, 2_000), transfer(&transit.id, &bob.account, 2_000)];
    let legs: Vec<_> = legs.into_iter().map(|leg| json!({"transfer": leg})).collect();
    let batch = json!({"atomic": true, "commands": legs});
    let answer = scene.stage.office.act_as(&intent, "/api/v1/transactions/batch", &batch).await?;
    ensure!(answer.text("code") == "batch_refused", "the batch is not refused: {}", answer.problem());
    ensure!(answer.body["command"] == 1, "it is not the credit that is refused: {}", answer.body);
    scene.tell(Who::Middleware, format!("is told {}", answer.problem())).await;

    let after = scene.entries(&alice.account).await?;
    ensure!(after == before, "Alice's account has {after} entries, and had {before}");
    scene
        .tell(Who::Service, format!("Alice's account has {after} entry, as before: there is no debit"))
        .await;
    let admin = scene.stage.office.admin_key().to_owned();
    let outcome = scene.outcome(&admin, &intent).await?.done()?;
    ensure!(outcome["status"] == "refused", "the key does not stand for a refusal: {outcome}");
    scene.tell(Who::Middleware, "asks by its key, and is told for ever: refused").await;
    Ok(Ended::new(Outcome::Refused, "Nothing was posted: there is no debit to give back."))
}
