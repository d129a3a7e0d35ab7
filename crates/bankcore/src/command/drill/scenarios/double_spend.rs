//! Two tellers pay out the same money at the same moment. One of them does.

use anyhow::ensure;
use futures::FutureExt as _;
use serde_json::json;

use crate::command::drill::api::{Answer, By};
use crate::command::drill::count::{commas, plain};
use crate::command::drill::scenario::{Ended, Outcome, Scenario};
use crate::command::drill::scene::{CURRENCY, Person, Scene, units};
use crate::command::drill::story::Who;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "double-spend",
    title: "Two tellers, one balance, one moment",
    fear: "Both read 10,000, both pay out, and the account is 5,000 below zero.",
    needs: &[],
    play: |scene| play(scene).boxed_local(),
};

/// What the two ask for, units.
const WANTED: [i64; 2] = [8_000, 7_000];

async fn play(scene: &mut Scene<'_>) -> anyhow::Result<Ended> {
    let [alice] = scene.set([("Alice", 10_000)], &[]).await?;
    let intents = [scene.stage.office.intent(), scene.stage.office.intent()];
    scene.broke("two tellers pay out from Alice's account at the same moment: 8,000.00 and 7,000.00").await;
    let pay_out = |teller: usize| withdraw(scene, &alice, teller, &intents[teller]);
    let (one, other) = tokio::join!(pay_out(0), pay_out(1));
    let answers = [one?, other?];
    let posted = answers.iter().position(|answer| answer.status == 201);
    let refused = answers.iter().position(|answer| answer.text("code") == "insufficient_funds");
    let (Some(posted), Some(refused)) = (posted, refused) else {
        anyhow::bail!("not one posted and one refused: {}, {}", answers[0].problem(), answers[1].problem());
    };
    let left = answers[posted].body["entries"].as_array().into_iter().flatten();
    let left = left
        .filter(|entry| entry["account_id"] == *alice.account)
        .find_map(|entry| entry["balance_after"].as_str());
    let left = left.unwrap_or_default().to_owned();
    ensure!(left == plain(units(10_000 - WANTED[posted])), "the balance after it is {left}");
    scene.tell(Who::Teller, format!("teller {} pays out; {} is left", posted + 1, commas(&left))).await;
    scene.tell(Who::Teller, format!("teller {} is told {}", refused + 1, answers[refused].problem())).await;
    let drawer = scene.cast().tellers[posted].drawer.id.clone();
    let paid = units(WANTED[posted]);
    Ok(Ended::new(
        Outcome::Refused,
        "One of the two was paid out; the other is refused before anything moved.",
    )
    .moved(&alice.account, -paid)
    .moved(&drawer, -paid))
}

async fn withdraw(scene: &Scene<'_>, from: &Person, teller: usize, intent: &str) -> anyhow::Result<Answer> {
    let body =
        json!({"account_id": from.account, "amount": plain(units(WANTED[teller])), "currency": CURRENCY});
    let by = By::intent(&scene.cast().tellers[teller].key, intent);
    scene.stage.office.api.post("/api/v1/banker/withdrawals", by, &body).await
}
