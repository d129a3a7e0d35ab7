//! The partner never answers. Nothing is guessed: a person is asked, with the money at risk, and decides.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use futures::FutureExt as _;
use serde_json::{Value, json};

use crate::client::segment;
use crate::command::drill::count::commas;
use crate::command::drill::scenario::{Ended, Need, Outcome, Scenario};
use crate::command::drill::scene::{Paid, Scene};
use crate::command::drill::story::Who;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "silent-rail",
    title: "The partner never answers: a person decides",
    fear: "Money hangs between two banks for weeks, until the customer complains.",
    needs: &[Need::Rail],
    play: |scene| play(scene).boxed_local(),
};

/// After so many questions without an answer a person is asked. Twenty, unless a bank says otherwise.
const TRIES: u32 = 6;

const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

async fn play(scene: &mut Scene<'_>) -> anyhow::Result<Ended> {
    let [alice] = scene.set([("Alice", 5_000)], &[]).await?;
    let stage = &mut *scene.stage;
    let rail = stage.rail.as_mut().context("there is no rail to a partner")?;
    rail.ask_a_person_after(TRIES, &stage.office).await?;
    rail.partner.always("lose_request").await?;
    scene.broke("nothing reaches the partner any more, and nobody says so").await;
    let mut paid = scene.pay(&alice, 2_000).await?;
    scene.follow(&mut paid, |payment| payment["held"] == true).await?;

    let case = case_of(scene, &paid).await?;
    let text = |field: &str| case[field].as_str().unwrap_or_default().to_owned();
    ensure!(text("kind") == "unknown_outcome", "it is another case: {case}");
    ensure!(text("money_at_risk") == "2000.00", "another amount is at risk: {case}");
    let told = format!(
        "opens a case: {}, {} {} at risk",
        text("kind"),
        commas(&text("money_at_risk")),
        text("currency")
    );
    scene.tell(Who::Service, told).await;
    scene.tell(Who::Customer, format!("sees: {}, a person looks at it", paid.state())).await;

    scene.tell(Who::Operator, "calls the partner").await;
    ensure!(scene.ask_partner(&paid).await? == 0, "the partner has credited what never reached it");
    let decision =
        json!({"resolution": "not_paid", "reason": "Drill: the partner never had it, confirmed by phone"});
    let resolve = format!("/api/v1/cases/{}/resolve", segment(&text("id")));
    let resolved = scene.stage.office.act(&resolve, &decision).await?.done()?;
    ensure!(resolved["status"] == "resolved", "the case stays open: {resolved}");
    scene.follow(&mut paid, |payment| payment["state"] == "reversed").await?;
    scene.tell(Who::Customer, "sees: reversed").await;
    Ok(Ended::new(Outcome::Case, "Nothing was guessed; a person decided, by name and with a reason."))
}

/// The open case about a payment.
async fn case_of(scene: &Scene<'_>, paid: &Paid) -> anyhow::Result<Value> {
    let began = Instant::now();
    loop {
        let cases = scene.stage.office.read("/api/v1/cases?status=open&limit=500").await?;
        let cases = cases["items"].as_array().context("no list of cases")?;
        if let Some(case) = cases.iter().find(|case| case["payment_id"] == *paid.id) {
            return Ok(case.clone());
        }
        if began.elapsed() > PATIENCE {
            bail!("no case is opened within {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}
