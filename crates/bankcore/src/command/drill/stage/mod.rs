//! Where the drill is played: a service, the drill's people and accounts there, and a rail to a partner.
//!
//! ```text
//!  scratch:  home/bank ◄── bankcore serve --demo      home/partner ◄── bankcore partner      both killed at will
//!  --url:    somebody's service, never killed         home/partner ◄── bankcore partner      only with --rail
//! ```
//! Processes and folder go with the stage, whatever ends it: an error, a signal, a panic.

mod cast;
mod office;
mod partner;
mod process;
mod rail;
mod service;

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tempfile::TempDir;

use super::api::Api;
use super::args::DrillArgs;
use super::count::Total;
use super::scenario::Need;
use super::signals::{self, Stop};

pub(super) use cast::Cast;
pub(super) use office::{Account, CURRENCY, Office, WEBHOOKS};
pub(super) use rail::Rail;
use service::Service;

/// The rail of a scratch bank.
const RAIL: &str = "drill";

/// A stage. What is declared first ends first: the folder last.
pub(super) struct Stage {
    service: Option<Service>,
    /// The way to the partner, if there is one.
    pub(super) rail: Option<Rail>,
    /// The drill at the counter of the bank.
    pub(super) office: Office,
    /// Tellers, and accounts that all scenarios share.
    pub(super) cast: Cast,
    _home: TempDir,
}

impl Stage {
    /// Opens a scratch bank, or goes to the one that is named. A signal ends it, and what it has made until then is put
    /// away.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn open(args: &DrillArgs, stopped: &mut Stop) -> anyhow::Result<Stage> {
        let home = tempfile::Builder::new().prefix("bankcore-drill-").tempdir();
        let home = home.context("no folder for the drill; make room in the folder for temporary files")?;
        let (service, api, admin) = match (&args.url, &args.keys) {
            (Some(url), Some(keys)) => (None, Api::new(url)?, admin_of(Path::new(keys))?),
            _ => {
                let service = tokio::select! {
                    service = Service::start(home.path()) => service?,
                    () = stopped.signal() => return Err(signals::stopped(None)),
                };
                let admin = service.admin()?;
                let api = Api::new(service.url())?;
                (Some(service), api, admin)
            }
        };
        let mut office = Office::new(api, admin);
        let named = args.rail.as_deref().or(service.is_some().then_some(RAIL));
        let mut rail = None;
        let opening = async {
            office.answers().await?;
            let cast = Cast::gather(&mut office).await?;
            if let Some(name) = named {
                let (begun, secret) = Rail::begin(name, &office, &cast, home.path()).await?;
                rail.insert(begun).open(&mut office, &secret).await?;
            }
            anyhow::Ok(Some(cast))
        };
        let opened = tokio::select! {
            opened = opening => opened,
            () = stopped.signal() => Ok(None),
        };
        let error = match opened {
            Ok(Some(cast)) => return Ok(Stage { service, rail, office, cast, _home: home }),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        let scratch = service.is_some();
        put_away(&mut office, rail.as_mut(), scratch).await;
        Err(error.unwrap_or_else(|| signals::stopped((!scratch).then(|| office.stays()).as_deref())))
    }

    /// The bank is the drill's own.
    pub(super) fn is_scratch(&self) -> bool {
        self.service.is_some()
    }

    /// Where it is played.
    pub(super) fn place(&self) -> String {
        let bank = if self.is_scratch() { "a scratch bank" } else { "the bank" };
        let partner = self.rail.as_ref().map(|rail| format!(", a partner at {}", rail.partner.url()));
        format!("{bank} at {}{}", self.office.api.address(), partner.unwrap_or_default())
    }

    /// Why a need is not met here, if it is not.
    pub(super) fn lacks(&self, needs: &[Need]) -> Option<&'static str> {
        let api = &self.office.api;
        needs.iter().find_map(|need| match need {
            Need::Kill if !self.is_scratch() => {
                Some("it kills the service, and this one is not the drill's own")
            }
            Need::Rail if self.rail.is_none() => {
                Some("it needs a rail to the drill's partner: name one with --rail")
            }
            Need::Cut if !api.is_plain() => Some("it cuts a connection, and this one is encrypted"),
            Need::Near if !api.is_near() => Some("it needs a service on this machine"),
            _ => None,
        })
    }

    /// SIGKILL for the service.
    pub(super) fn kill_service(&mut self) -> anyhow::Result<()> {
        self.service.as_mut().context("the service is not the drill's own")?.kill();
        Ok(())
    }

    /// Starts the service again in its folder; what it says about what it found there.
    pub(super) async fn start_service(&mut self) -> anyhow::Result<String> {
        self.service.as_mut().context("the service is not the drill's own")?.start_again().await
    }

    /// The rail.
    pub(super) fn rail(&mut self) -> anyhow::Result<&mut Rail> {
        self.rail.as_mut().context("there is no rail to a partner")
    }

    /// Makes whole again what a scenario left broken.
    pub(super) async fn heal(&mut self) -> anyhow::Result<()> {
        if let Some(service) = &mut self.service
            && service.is_gone()
        {
            service.start_again().await?;
        }
        if let Some(rail) = &mut self.rail {
            rail.heal(&self.office).await?;
        }
        Ok(())
    }

    /// All that was ever debited and credited in the bank.
    pub(super) async fn totals(&self) -> anyhow::Result<Vec<Total>> {
        let balance = self.office.read("/api/v1/trial-balance").await?;
        let totals = balance["totals"].as_array().context("the trial balance has no totals")?;
        let text = |total: &Value, field: &str| total[field].as_str().unwrap_or_default().to_owned();
        let total = |total: &Value| Total {
            currency: text(total, "currency"),
            debits: text(total, "debits"),
            credits: text(total, "credits"),
        };
        Ok(totals.iter().map(total).collect())
    }

    /// Leaves: keys and rail are put away in somebody's bank; a scratch bank is closed and verified.
    ///
    /// # Errors
    /// If the scratch bank cannot be verified.
    pub(super) async fn close(mut self) -> anyhow::Result<Option<bank::verify::Report>> {
        self.leave().await;
        let Some(mut service) = self.service.take() else { return Ok(None) };
        service.stop().await;
        let report = bank::verify::verify(service.data(), Box::new(|_, _| {})).await;
        Ok(Some(report.context("the scratch bank could not be verified")?))
    }

    /// Puts away what would stay behind in somebody's bank, as far as that goes.
    pub(super) async fn leave(&mut self) {
        let scratch = self.is_scratch();
        put_away(&mut self.office, self.rail.as_mut(), scratch).await;
    }

    /// What stays of the drill in somebody's bank.
    pub(super) fn stays(&self) -> Option<String> {
        (!self.is_scratch()).then(|| self.office.stays())
    }
}

/// Ends the partner, and puts away what would stay behind in somebody's bank, as far as that goes.
async fn put_away(office: &mut Office, rail: Option<&mut Rail>, scratch: bool) {
    office.finish().await;
    if let Some(rail) = rail {
        if !scratch {
            rail.put_away(office).await;
        }
        rail.partner.kill();
    }
    if !scratch {
        office.leave().await;
    }
}

/// An admin's key: from a demo.json, or alone in its file.
fn admin_of(path: &Path) -> anyhow::Result<String> {
    let named = || {
        format!(
            "cannot read {}; name the demo.json of the bank, or a file with an admin's key",
            path.display()
        )
    };
    let text = std::fs::read_to_string(path).with_context(named)?;
    let key = match serde_json::from_str::<Value>(&text) {
        Ok(demo) => demo["keys"]["admin"].as_str().unwrap_or_default().to_owned(),
        Err(_) => text.trim().to_owned(),
    };
    if !key.starts_with("bck_") || key.contains(char::is_whitespace) {
        bail!(
            "{} holds no API key of an admin; make one with bankcore key create --role admin",
            path.display()
        );
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admins_key_is_found_in_both_kinds_of_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = |text: &str| {
            let path = folder.path().join("keys");
            std::fs::write(&path, text).unwrap();
            path
        };
        assert_eq!(admin_of(&file("bck_7k2m9x4q_abc\n")).unwrap(), "bck_7k2m9x4q_abc");
        assert_eq!(admin_of(&file(r#"{"keys": {"admin": "bck_a_b"}}"#)).unwrap(), "bck_a_b");
        for text in ["", "secret", r#"{"keys": {}}"#, "bck_a bck_b"] {
            assert!(admin_of(&file(text)).is_err(), "{text}");
        }
        assert!(admin_of(&folder.path().join("nowhere")).is_err());
    }
}
