//! A process of this program, started for the drill and ended with it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How long a start or an orderly end may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);

/// A running process. Dropping it kills it.
pub(super) struct Process {
    child: Child,
    lines: UnboundedReceiver<String>,
    log: PathBuf,
}

impl Process {
    /// Starts this program with other words; what it complains about goes to a file.
    pub(super) fn start(words: &[&str], log: &Path) -> anyhow::Result<Process> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let complaints = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(complaints);
        // A setting of whoever plays the drill is for a bank of theirs.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BANKCORE_") {
                command.env_remove(name);
            }
        }
        let mut child = command.spawn().context("a process of the drill cannot be started")?;
        let (sender, lines) = unbounded_channel();
        if let Some(stdout) = child.stdout.take() {
            // Read to the end, so that nothing it says later fills the pipe and stops it.
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Ok(Process { child, lines, log: log.to_owned() })
    }

    /// Waits for a line that begins so; all lines until then, the rest of that one last.
    ///
    /// # Errors
    /// If it ends or takes too long, with what it complained about.
    pub(super) async fn says(&mut self, beginning: &str) -> anyhow::Result<Vec<String>> {
        let mut said = Vec::new();
        loop {
            let Ok(line) = tokio::time::timeout(PATIENCE, self.lines.recv()).await else {
                bail!(
                    "a process of the drill is not ready within {} s{}",
                    PATIENCE.as_secs(),
                    self.complaint()
                );
            };
            let Some(line) = line else {
                bail!("a process of the drill ended before it was ready{}", self.complaint());
            };
            match line.strip_prefix(beginning) {
                Some(rest) => {
                    said.push(rest.to_owned());
                    return Ok(said);
                }
                None => said.push(line),
            }
        }
    }

    fn complaint(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().last().map(|line| format!(": {line}")).unwrap_or_default()
    }

    /// Whether it has ended.
    pub(super) fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// SIGKILL, and waits until it is gone.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and SIGKILL if it takes too long.
    pub(super) async fn stop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let gone = async {
            while !self.is_gone() {
                tokio::time::sleep(PAUSE).await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, gone).await;
        self.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
