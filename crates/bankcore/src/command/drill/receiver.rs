//! An endpoint of the drill for webhooks: a wallet that credits by message, and that can lose one.
//!
//! It knows each message by its id, as every receiver of at-least-once deliveries must.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it does with the first delivery of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Loses {
    /// Dies before it has taken it in.
    Message,
    /// Takes it in, and its answer gets lost.
    Answer,
}

/// What happened to the messages about one transaction's payer.
#[derive(Clone, Default, Debug)]
pub(super) struct Taken {
    /// Deliveries that arrived.
    pub(super) deliveries: u32,
    /// Messages that counted, by their id: the same one counts once.
    pub(super) counted: Vec<String>,
}

/// A running endpoint; gone when it is dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    loses: HashMap<String, Loses>,
    taken: HashMap<String, Taken>,
}

impl Receiver {
    /// On a port that nobody has; for each payer's account what goes wrong first.
    pub(super) async fn start(loses: &[(&str, Loses)]) -> anyhow::Result<Receiver> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let loses = loses.iter().map(|(account, loses)| ((*account).to_owned(), *loses)).collect();
        let state = Arc::new(Mutex::new(State { loses, ..State::default() }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Ok(Receiver { address, state, task })
    }

    /// Where it is.
    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What came about a payer's account.
    pub(super) fn taken(&self, account: &str) -> Taken {
        self.state.lock().taken.get(account).cloned().unwrap_or_default()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    /// Takes a message in; false if the connection breaks now.
    fn take(&mut self, message: &Value) -> bool {
        let Some(id) = message["id"].as_str() else { return true };
        let entries = message["data"]["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        let Some(payer) = entries.iter().find(|entry| entry["side"] == "debit") else { return true };
        let payer = payer["account_id"].as_str().unwrap_or_default();
        let taken = self.taken.entry(payer.to_owned()).or_default();
        taken.deliveries += 1;
        let loses = self.loses.remove(payer);
        if loses == Some(Loses::Message) {
            return false;
        }
        if !taken.counted.iter().any(|known| known == id) {
            taken.counted.push(id.to_owned());
        }
        loses.is_none()
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut buffer = Vec::new();
    loop {
        let Some((head, end)) = whole(&buffer) else {
            match stream.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            }
        };
        let message: Value = serde_json::from_slice(&buffer[head..end]).unwrap_or_default();
        buffer.drain(..end);
        let answers = state.lock().take(&message);
        if !answers || stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.is_err() {
            return;
        }
    }
}

/// Where the body of the first request begins and ends, if it is there as a whole.
fn whole(buffer: &[u8]) -> Option<(usize, usize)> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let end = head + length?;
    (buffer.len() >= end).then_some((head, end))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(id: &str, payer: &str) -> Value {
        let entries = json!([{"side": "debit", "account_id": payer}, {"side": "credit", "account_id": "9"}]);
        json!({"id": id, "data": {"entries": entries}})
    }

    #[test]
    fn a_lost_message_counts_when_it_comes_again_and_one_with_a_lost_answer_only_once() {
        let loses = HashMap::from([("7".to_owned(), Loses::Message), ("8".to_owned(), Loses::Answer)]);
        let mut state = State { loses, ..State::default() };
        assert!(!state.take(&message("a", "7")));
        assert_eq!((state.taken["7"].deliveries, state.taken["7"].counted.len()), (1, 0));
        assert!(state.take(&message("a", "7")));
        assert_eq!((state.taken["7"].deliveries, state.taken["7"].counted.len()), (2, 1));
        assert!(!state.take(&message("b", "8")));
        assert!(state.take(&message("b", "8")));
        assert_eq!((state.taken["8"].deliveries, state.taken["8"].counted.len()), (2, 1));
    }
}
