//! The service of a scratch bank: `bankcore serve --demo` in a folder of the drill, on a port that it keeps.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::process::Process;
use crate::demo::DemoFile;

/// A scratch bank's service.
pub(super) struct Service {
    process: Process,
    home: PathBuf,
    data: PathBuf,
    url: String,
}

/// What it says when it is ready.
const READY: &str = "bankcore is ready at ";

/// What the service may send webhooks to: an endpoint of the drill.
const ENDPOINTS: &str = "127.0.0.1";

impl Service {
    /// Makes the bank and serves it on a port that nobody has.
    pub(super) async fn start(home: &Path) -> anyhow::Result<Service> {
        let data = home.join("bank");
        let (process, said) = serve(home, &data, "127.0.0.1:0").await?;
        let ready = said.last().and_then(|line| line.split_whitespace().next());
        let url = ready.context("the service does not say where it is")?.to_owned();
        Ok(Service { process, home: home.to_owned(), data, url })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// The admin's key.
    pub(super) fn admin(&self) -> anyhow::Result<String> {
        let demo = DemoFile::read(&self.data)?.context("the scratch bank wrote no demo.json")?;
        demo.keys.get("admin").cloned().context("the scratch bank has no admin")
    }

    pub(super) fn is_gone(&mut self) -> bool {
        self.process.is_gone()
    }

    pub(super) fn kill(&mut self) {
        self.process.kill();
    }

    pub(super) async fn stop(&mut self) {
        self.process.stop().await;
    }

    /// Serves the same folder at the same address; the first line that it says.
    pub(super) async fn start_again(&mut self) -> anyhow::Result<String> {
        self.kill();
        let address = self.url.trim_start_matches("http://");
        let (process, said) = serve(&self.home, &self.data, address).await?;
        self.process = process;
        said.into_iter().next().context("the service says nothing")
    }
}

async fn serve(home: &Path, data: &Path, address: &str) -> anyhow::Result<(Process, Vec<String>)> {
    let folder = data.to_str().context("the folder for temporary files has a name that is no text")?;
    let words = [
        "serve",
        "--demo",
        "--listen",
        address,
        "--data",
        folder,
        "--segment-mib",
        "2",
        "--webhook-allow",
        ENDPOINTS,
        "--log",
        "error",
    ];
    let mut process = Process::start(&words, &home.join("bank.log"))?;
    let said = process.says(READY).await?;
    Ok((process, said))
}
