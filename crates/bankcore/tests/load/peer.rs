//! A connection to a demo bank, kept from request to request, and what is said over it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{Server, demo_file};

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who asks, and about which account.
#[derive(Clone)]
pub struct Who {
    pub address: String,
    pub token: String,
    pub account: String,
}

impl Who {
    /// The teller of a demo bank, with Alice's account.
    pub fn teller(server: &Server, dir: &Path) -> Who {
        let demo = demo_file(dir);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let (token, account) = (&demo["keys"]["teller_1"], &demo["accounts"]["alice_savings"]);
        Who { address: server.address.clone(), token: text(token), account: text(account) }
    }

    /// The bytes of a deposit of 0.01 under a key.
    pub fn deposit(&self, key: &str) -> Vec<u8> {
        let body = json!({"account_id": self.account, "amount": "0.01", "currency": "BDT"}).to_string();
        let Who { address, token, .. } = self;
        let head = format!(
            "POST /api/v1/banker/deposits HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        (head + &body).into_bytes()
    }

    /// The bytes of a question.
    pub fn question(&self, path: &str) -> Vec<u8> {
        let Who { address, token, .. } = self;
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n")
            .into_bytes()
    }

    /// Alice's balance in hundredths.
    pub fn balance(&self) -> u64 {
        let path = format!("/api/v1/accounts/{}", self.account);
        let said = Peer::connect(&self.address).ask(&self.question(&path)).expect("an answer");
        let text = said.body["ledger_balance"].as_str().expect("a balance").replace('.', "");
        text.parse().expect("hundredths")
    }
}

/// One connection.
pub struct Peer {
    pub stream: TcpStream,
}

/// A whole answer.
#[derive(Debug)]
pub struct Said {
    pub status: u16,
    pub retry_after: bool,
    pub body: Value,
}

impl Peer {
    pub fn connect(address: &str) -> Peer {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time to wait");
        stream.set_write_timeout(Some(PATIENCE)).expect("a time to wait");
        Peer { stream }
    }

    /// Sends and reads the answer; none if the connection ended before all of it was here.
    pub fn ask(&mut self, request: &[u8]) -> Option<Said> {
        self.stream.write_all(request).ok()?;
        self.answer()
    }

    /// Reads one answer.
    pub fn answer(&mut self) -> Option<Said> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.more(&mut bytes)?;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let length: usize = header("content-length")?.parse().ok()?;
        while bytes.len() < end + length {
            self.more(&mut bytes)?;
        }
        let body = serde_json::from_slice(&bytes[end..end + length]).unwrap_or_default();
        Some(Said {
            status: head.get(9..12)?.parse().ok()?,
            retry_after: header("retry-after").is_some(),
            body,
        })
    }

    /// Waits until the server ends the connection; false if it says something instead.
    pub fn ended(&mut self) -> bool {
        !matches!(self.stream.read(&mut [0]), Ok(1))
    }

    fn more(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let mut some = [0; 16_384];
        let count = self.stream.read(&mut some).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&some[..count]);
        Some(())
    }
}
