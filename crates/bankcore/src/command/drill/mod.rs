//! `bankcore drill`: every way in which a transfer fails, played for real, and where each unit of money is then.
//!
//! ```text
//!  stage ─► a scratch bank and a partner, processes of their own    (or somebody's bank: --url)
//!    │
//!  scenario ─► sets the scene ─► breaks something ─► watches until it ends ─► counts every unit
//!    │
//!  report ─► the terminal, while it happens · Markdown · JSON
//! ```
//! What is told was read back from the interface, or from the partner's own books; a process that dies is killed by
//! SIGKILL, a lost answer is a connection that broke. What a scenario expects is checked, and what it did not expect is
//! counted all the same: `balanced` is measured, never said.

mod api;
mod args;
mod count;
mod play;
mod receiver;
mod report;
mod scenario;
mod scenarios;
mod scene;
mod signals;
mod stage;
mod story;

use std::process::ExitCode;

pub use args::DrillArgs;
use play::Drill;
use report::{Form, Report};
use scenario::Scenario;
use scenarios::SCENARIOS;
use stage::Stage;

use crate::output;

/// Plays what is asked for; success only if all that was played ended balanced and as it should.
///
/// # Errors
/// If there is no stage to play on.
pub fn run(args: &DrillArgs) -> anyhow::Result<ExitCode> {
    let wanted = wanted(&args.only)?;
    if args.list {
        output::print(&report::list(&wanted))?;
        return Ok(ExitCode::SUCCESS);
    }
    let form = Form::of(args);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let report = runtime.block_on(drill(args, &wanted, form))?;
    report.print(form)?;
    Ok(if report.ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn drill(args: &DrillArgs, wanted: &[&'static Scenario], form: Form) -> anyhow::Result<Report> {
    // Before anything is started: a signal ends the drill, and the drill ends what it started.
    let mut stopped = signals::Stop::listen()?;
    let stage = Stage::open(args, &mut stopped).await?;
    let mut drill = Drill::new(stage, form);
    let all = tokio::select! {
        all = drill.play(wanted) => all.map(|()| true),
        () = stopped.signal() => Ok(false),
    };
    match all {
        Ok(true) => drill.close().await,
        Ok(false) => {
            let stays = drill.leave().await;
            Err(signals::stopped(stays.as_deref()))
        }
        Err(error) => {
            drill.leave().await;
            Err(error)
        }
    }
}

/// The scenarios with these names, in their own order; all, if none is named.
fn wanted(names: &[String]) -> anyhow::Result<Vec<&'static Scenario>> {
    if let Some(name) = names.iter().find(|name| !SCENARIOS.iter().any(|known| known.name == **name)) {
        let known: Vec<&str> = SCENARIOS.iter().map(|known| known.name).collect();
        anyhow::bail!("there is no scenario {name}; there are {}", known.join(", "));
    }
    let named = |scenario: &&Scenario| names.is_empty() || names.iter().any(|name| name == scenario.name);
    Ok(SCENARIOS.iter().copied().filter(named).collect())
}
