//! The binary as a process: started, killed, started again on the same folder.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A demo bank in a folder of its own.
pub struct Bank {
    folder: TempDir,
    process: Child,
    address: SocketAddr,
}

fn binary() -> PathBuf {
    std::env::var_os("BANKCORE_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_bankcore").into(), PathBuf::from)
}

impl Bank {
    /// Opens a demo bank.
    pub fn start() -> Bank {
        let folder =
            tempfile::Builder::new().prefix("bankcore-kill").tempdir().expect("a folder for the bank");
        let (process, address) = serve(&folder);
        Bank { folder, process, address }
    }

    /// Where it listens now.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the demo bank wrote for scripts.
    pub fn demo(&self) -> Value {
        let text =
            std::fs::read(self.folder.path().join("demo.json")).expect("the demo bank writes demo.json");
        serde_json::from_slice(&text).expect("demo.json is JSON")
    }

    /// SIGKILL, without waiting.
    pub fn signal_kill(&self) {
        let killed = Command::new("kill").args(["-9", &self.process.id().to_string()]).status();
        assert!(killed.expect("kill runs").success());
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        self.process.wait().expect("it was our child");
    }

    /// Starts it again on the same folder.
    pub fn restart(&mut self) {
        (self.process, self.address) = serve(&self.folder);
    }

    /// `bankcore verify` finds nothing wrong.
    pub fn verify(&self) {
        let output = Command::new(binary())
            .args(["verify", "--json", "--data"])
            .arg(self.folder.path())
            .output()
            .expect("verify runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "verify: {text} {}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_str(&text).expect("verify prints JSON");
        assert_eq!(report["ok"], true, "{report:#}");
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(folder: &TempDir) -> (Child, SocketAddr) {
    let mut process = Command::new(binary())
        .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--segment-mib", "16", "--data"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let output = BufReader::new(process.stdout.take().expect("it was piped"));
    let mut lines = output.lines();
    let address = loop {
        let line = lines.next().expect("it says when it is ready").expect("its output is text");
        if let Some((_, rest)) = line.split_once("http://") {
            let address =
                rest.split(|letter: char| letter != '.' && letter != ':' && !letter.is_ascii_digit());
            break address
                .into_iter()
                .next()
                .and_then(|text| text.parse().ok())
                .expect("the line names the address");
        }
    };
    // What it prints later must not fill the pipe and stop it.
    std::thread::spawn(move || lines.for_each(drop));
    (process, address)
}
