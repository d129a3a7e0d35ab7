//! A double tap, and an app that tries again for an hour: one key, one transfer.

use anyhow::ensure;
use futures::FutureExt as _;

use crate::command::drill::scenario::{Ended, Outcome, Scenario};
use crate::command::drill::scene::{Scene, units};
use crate::command::drill::story::Who;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "double-submit",
    title: "The same request twice at once, and again and again",
    fear: "A double tap or an eager retry moves the money twice.",
    needs: &[],
    play: |scene| play(scene).boxed_local(),
};

/// As many tries as an app makes in an hour, one a minute.
const RETRIES: usize = 60;

async fn play(scene: &mut Scene<'_>) -> anyhow::Result<Ended> {
    let [alice, bob] = scene.set([("Alice", 5_000), ("Bob", 0)], &[]).await?;
    let intent = scene.stage.office.intent();
    scene.broke("Alice taps send twice: the same request, two connections, one moment").await;
    let tap = || scene.transfer(&alice, &bob.account, 2_000, &intent);
    let (one, other) = tokio::join!(tap(), tap());
    let (one, other) = (one?, other?);
    let (first, second) = if one.replayed { (other, one) } else { (one, other) };
    ensure!(first.status == 201 && !first.replayed, "the first tap is not posted: {}", first.problem());
    // The one that came while the other was being decided may be told to come again.
    let busy = second.status == 409;
    ensure!(busy || (second.replayed && second.body == first.body), "two answers: {}", second.problem());
    let id = first.text("id").to_owned();
    let told = if busy { "is told to wait" } else { "gets the same answer, marked as replayed" };
    scene.tell(Who::Customer, format!("one tap posts transaction {id}, the other {told}")).await;

    for _ in 0..RETRIES {
        let again = scene.transfer(&alice, &bob.account, 2_000, &intent).await?;
        ensure!(again.replayed && again.body == first.body, "another answer: {}", again.problem());
    }
    let told = format!("the app tries {RETRIES} times more, as in an hour: {RETRIES} times the same answer");
    scene.tell(Who::Customer, told).await;

    let other = scene.transfer(&alice, &bob.account, 3_000, &intent).await?;
    ensure!(other.text("code") == "idempotency_key_reused", "the key stands for more: {}", other.problem());
    scene.tell(Who::Customer, format!("the same key for 3,000.00: {}", other.problem())).await;
    let ended = Ended::new(
        Outcome::Posted,
        format!("Posted once, in transaction {id}, for {} requests.", RETRIES + 2),
    );
    Ok(ended.moved(&alice.account, -units(2_000)).moved(&bob.account, units(2_000)))
}
