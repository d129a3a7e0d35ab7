//! Plays scenarios one after the other on one stage, counts after each, and closes the bank at the end.

use std::time::{Duration, Instant};

use super::count::{Count, Row, equal, grouped};
use super::report::terminal::Terminal;
use super::report::{Form, Report};
use super::scenario::{Ended, Outcome, Scenario};
use super::scene::Scene;
use super::stage::Stage;
use super::story::{Line, Story};
use crate::output::one_line;

/// How long a scenario may go on: longer than any of them, on a machine that has other things to do.
const SCENARIO_TIME: Duration = Duration::from_secs(120);

/// A scenario that was played, or left out.
pub(super) struct Played {
    pub(super) scenario: &'static Scenario,
    pub(super) outcome: Outcome,
    /// How it ended, or why it was not played.
    pub(super) how: String,
    /// Where every unit is; none if it was not played, or the bank did not say.
    pub(super) count: Option<Count>,
    pub(super) lines: Vec<Line>,
    pub(super) took: Duration,
}

impl Played {
    pub(super) fn was_played(&self) -> bool {
        self.outcome != Outcome::NotPlayed
    }

    /// What left one account is on another one, and the whole bank is balanced: measured.
    pub(super) fn balanced(&self) -> bool {
        self.count.as_ref().is_some_and(Count::balanced)
    }

    /// It ended as it should, and balanced.
    pub(super) fn ok(&self) -> bool {
        !self.was_played() || (self.outcome != Outcome::Failed && self.balanced())
    }
}

/// A drill under way.
pub(super) struct Drill {
    stage: Stage,
    voice: Option<Terminal>,
    began: Instant,
    played: Vec<Played>,
}

impl Drill {
    pub(super) fn new(stage: Stage, form: Form) -> Drill {
        Drill { stage, voice: form.voice(), began: Instant::now(), played: Vec::new() }
    }

    /// Plays these, in their order.
    ///
    /// # Errors
    /// If the stage cannot be made whole again after one of them.
    pub(super) async fn play(&mut self, wanted: &[&'static Scenario]) -> anyhow::Result<()> {
        if let Some(voice) = self.voice {
            voice.opens(&self.stage.place(), wanted.len());
        }
        for (index, scenario) in wanted.iter().enumerate() {
            if let Some(voice) = self.voice {
                voice.begins(index + 1, wanted.len(), scenario).await;
            }
            let played = self.one(scenario).await;
            if let Some(voice) = self.voice {
                voice.ended(&played).await;
            }
            self.played.push(played);
            self.stage.heal().await?;
        }
        Ok(())
    }

    async fn one(&mut self, scenario: &'static Scenario) -> Played {
        if let Some(why) = self.stage.lacks(scenario.needs) {
            let (outcome, how) = (Outcome::NotPlayed, why.to_owned());
            return Played { scenario, outcome, how, count: None, lines: Vec::new(), took: Duration::ZERO };
        }
        let mut scene = Scene::new(&mut self.stage, Story::new(self.voice));
        let ended = tokio::time::timeout(SCENARIO_TIME, (scenario.play)(&mut scene)).await;
        let ended = ended
            .unwrap_or_else(|_| Err(anyhow::anyhow!("it did not end within {} s", SCENARIO_TIME.as_secs())));
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let why = one_line(&format!("{error:#}"));
                scene.wrong(why.clone()).await;
                Ended::new(Outcome::Failed, why)
            }
        };
        let (ended, count) = match ended.outcome {
            Outcome::NotPlayed => (ended, None),
            _ => counted(&mut scene, ended).await,
        };
        let (took, lines) = scene.into_story();
        Played { scenario, outcome: ended.outcome, how: ended.how, count, lines, took }
    }

    /// The last count, and the end of the stage.
    ///
    /// # Errors
    /// If the bank does not say what it holds, or cannot be verified.
    pub(super) async fn close(self) -> anyhow::Result<Report> {
        let place = self.stage.place();
        let totals = match self.stage.totals().await {
            Ok(totals) => totals,
            Err(error) => {
                let mut stage = self.stage;
                stage.leave().await;
                return Err(error);
            }
        };
        let balanced = equal(&totals);
        let verified = self.stage.close().await?;
        Ok(Report { place, played: self.played, totals, balanced, verified, took: self.began.elapsed() })
    }

    /// Ends without a report; what stays of it in somebody's bank.
    pub(super) async fn leave(mut self) -> Option<String> {
        self.stage.leave().await;
        self.stage.stays()
    }
}

/// Counts; what did not end where it should has failed, whatever the scenario thought.
async fn counted(scene: &mut Scene<'_>, ended: Ended) -> (Ended, Option<Count>) {
    let failed = |why: String| Ended::new(Outcome::Failed, why);
    match scene.count(&ended).await {
        Err(error) => {
            let why = one_line(&format!("the money could not be counted: {error:#}"));
            scene.wrong(why.clone()).await;
            (failed(why), None)
        }
        Ok(count) if ended.outcome == Outcome::Failed => (ended, Some(count)),
        Ok(count) => match count.astray().map(astray) {
            None => (ended, Some(count)),
            Some(why) => {
                scene.wrong(why.clone()).await;
                (failed(why), Some(count))
            }
        },
    }
}

fn astray(row: &Row) -> String {
    let [before, after, expected] = [row.before, row.after, row.before + row.expected].map(grouped);
    format!("{}: {before} before, {after} after, and should be {expected}", row.name)
}
