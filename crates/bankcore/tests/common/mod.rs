//! The real binary: started, asked, killed.
#![allow(dead_code, reason = "each test uses some of it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// Longer than anything here takes, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `bankcore serve`. Dropping it kills it.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    /// What it said until it was ready, the ready line last.
    pub said: Vec<String>,
    /// Its address: `127.0.0.1:port`.
    pub address: String,
}

impl Server {
    /// Starts a server on any free port and waits until it is ready.
    pub fn start(dir: &Path, flags: &[&str]) -> Server {
        Server::start_under(&[], dir, flags)
    }

    /// The same, as the last words of another command line, which must become the server.
    pub fn start_under(words: &[&str], dir: &Path, flags: &[&str]) -> Server {
        let mut child = bankcore_under(words)
            .args(["serve", "--listen", "127.0.0.1:0", "--segment-mib", "2", "--data"])
            .arg(dir)
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut server = Server { child, lines, said: Vec::new(), address: String::new() };
        while server.address.is_empty() {
            let line = server.line();
            if let Some(rest) = line.strip_prefix("bankcore is ready at ") {
                let url = rest.split_whitespace().next().expect("an address");
                server.address = url.split_once("://").expect("a URL").1.to_owned();
            }
            server.said.push(line);
        }
        server
    }

    /// The next line that it says.
    pub fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("it goes on and becomes ready")
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Asks it to end, and waits; true if it ended well.
    pub fn stop(mut self) -> bool {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
        self.child.wait().expect("it ends").success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A copy of the bank database of a folder in which nobody works.
pub struct Kept(Vec<(std::path::PathBuf, Vec<u8>)>);

/// What a bank database may consist of.
const BANK_DATABASE: [&str; 3] = ["bank.db", "bank.db-wal", "bank.db-shm"];

impl Kept {
    pub fn of(dir: &Path) -> Kept {
        let files = BANK_DATABASE.iter().map(|name| dir.join(name));
        Kept(files.filter_map(|path| Some((path.clone(), std::fs::read(path).ok()?))).collect())
    }

    /// Puts it in the place of what is there.
    pub fn put_back(&self, dir: &Path) {
        for name in BANK_DATABASE {
            let _ = std::fs::remove_file(dir.join(name));
        }
        for (path, bytes) in &self.0 {
            std::fs::write(path, bytes).expect("a file");
        }
    }
}

/// The binary, with nothing of this environment.
pub fn bankcore() -> Command {
    bankcore_under(&[])
}

fn bankcore_under(words: &[&str]) -> Command {
    let mut line = words.iter().copied().chain([env!("CARGO_BIN_EXE_bankcore")]);
    let mut command = Command::new(line.next().expect("at least the binary"));
    command.args(line);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BANKCORE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command on a folder.
pub fn run(dir: &Path, words: &[&str]) -> Output {
    bankcore().args(words).arg("--data").arg(dir).output().expect("the binary runs")
}

/// Runs a command that must do what it says, and reads its JSON.
pub fn json(dir: &Path, words: &[&str]) -> Value {
    let output = run(dir, &[words, &["--json"]].concat());
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Runs a command that must refuse, and reads its one line.
pub fn refusal(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    let lines: Vec<&str> = error.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(lines.len(), 1, "{error}");
    lines[0].to_owned()
}

pub fn demo_file(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("demo.json")).expect("demo.json")).expect("JSON")
}

/// An answer over HTTP.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub replayed: bool,
    pub retry_after: Option<u32>,
    pub body: Value,
}

/// Sends one request on a connection of its own; none if the server went away before it answered.
pub fn http(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let text = String::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.get(9..12)?.parse().ok()?;
    let head = head.to_lowercase();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let replayed = header("idempotent-replayed") == Some("true");
    let retry_after = header("retry-after").and_then(|seconds| seconds.parse().ok());
    // Without a whole document nobody was answered.
    let body = if body.is_empty() { Value::Null } else { serde_json::from_str(body).ok()? };
    Some(Answer { status, replayed, retry_after, body })
}

pub fn get(address: &str, path: &str, key: &str) -> Answer {
    let bearer = format!("Bearer {key}");
    http(address, "GET", path, &[("Authorization", &bearer)], "").expect("an answer")
}

/// Sends what a printed `curl` says.
pub fn curl(printed: &str) -> Answer {
    let quoted: Vec<&str> = printed.split('\'').collect();
    let url = printed.split_whitespace().find(|word| word.starts_with("http://")).expect("a URL");
    let (address, path) = url["http://".len()..].split_once('/').expect("a path");
    let headers: Vec<(&str, &str)> = quoted
        .iter()
        .filter_map(|part| part.split_once(": "))
        .filter(|(name, _)| !name.contains('{'))
        .collect();
    let body = quoted.iter().find(|part| part.starts_with('{')).expect("a body");
    http(address, "POST", &format!("/{path}"), &headers, body).expect("an answer")
}
