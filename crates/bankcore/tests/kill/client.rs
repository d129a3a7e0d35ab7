//! A blocking HTTP client that knows one thing well: whether it got a whole answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// One connection.
pub struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

/// Status and body of a whole answer.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Answered before, under the same key.
    pub replayed: bool,
    /// The body.
    pub body: Value,
}

impl Client {
    /// Connects, if the server is there.
    pub fn connect(address: SocketAddr) -> Client {
        Client { address, stream: TcpStream::connect(address).ok() }
    }

    /// Sends a request and reads the answer; none if the connection broke before all of it was here.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Option<Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let key = key.map(|key| format!("Idempotency-Key: {key}\r\n")).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n{key}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let answer = self.exchange(request.as_bytes());
        if answer.is_none() {
            self.stream = None;
        }
        answer
    }

    /// As [`Client::send`], where an answer must come.
    pub fn ask(&mut self, path: &str, token: &str) -> Answer {
        self.send("GET", path, token, None, None).unwrap_or_else(|| panic!("no answer to GET {path}"))
    }

    fn exchange(&mut self, request: &[u8]) -> Option<Answer> {
        let stream = self.stream.as_mut()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
        stream.write_all(request).ok()?;
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            more(stream, &mut bytes)?;
        };
        let text = std::str::from_utf8(&bytes[..head]).ok()?.to_ascii_lowercase();
        let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(str::trim));
        let length: usize = header("content-length:")?.parse().ok()?;
        let status = text.get(9..12)?.parse().ok()?;
        let replayed = header("idempotent-replayed:") == Some("true");
        while bytes.len() < head + length {
            more(stream, &mut bytes)?;
        }
        let body = serde_json::from_slice(&bytes[head..head + length]).ok()?;
        Some(Answer { status, replayed, body })
    }
}

fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut some = [0; 16_384];
    let count = stream.read(&mut some).ok().filter(|count| *count > 0)?;
    bytes.extend_from_slice(&some[..count]);
    Some(())
}
