//! One code path for every command on a bank: an HTTP request.
//!
//! ```text
//!  a server runs:  request ─► DIR/bankcore.sock ─► its router
//!  none runs:      open the bank ─► request ─► the same router, in this process ─► close
//! ```
//! Which of the two is found out by trying: the socket first, then the folder's lock.

mod answer;
mod call;
mod inside;
mod socket;

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;

use crate::cli::DataArgs;
use crate::config::Config;
use crate::{logging, settings};
pub use call::{Call, segment};
use inside::Inside;

/// How long a command waits for another one that has the folder open.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// How long one request may take: opening a day or a page of history takes far less.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// A way to the bank.
pub struct Client {
    way: Way,
}

enum Way {
    Socket(std::path::PathBuf),
    Inside(Box<Inside>),
}

impl Client {
    /// Finds the way to the bank in a folder.
    ///
    /// # Errors
    /// If there is none, with what to do about it.
    pub async fn open(config: &Config) -> anyhow::Result<Client> {
        let dir = config.data.as_path();
        let database = settings::database(config);
        let of_database = bank::service::is_of_database(dir);
        if database.is_none() && !of_database && !bank::service::is_bank(dir) {
            bail!(
                "{} holds no bank; name the right folder with --data, or make a bank with bankcore serve",
                dir.display()
            );
        }
        let mut waited = Duration::ZERO;
        loop {
            let socket = crate::folder::socket(dir);
            if socket::answers(&socket).await? {
                return Ok(Client { way: Way::Socket(socket) });
            }
            if database.is_none() && of_database {
                bail!(
                    "{} belongs to a bank whose books are in a database, and no server runs; say which with --store",
                    dir.display()
                );
            }
            let settings = settings::service(config);
            let opened = match &database {
                Some(database) => bank::service::open_database(dir, database, &settings).await,
                None => bank::service::open(dir, &settings).await,
            };
            match opened {
                Ok(service) => {
                    return Ok(Client { way: Way::Inside(Box::new(Inside::new(service, config))) });
                }
                // A server that is starting, or another command: either ends soon.
                Err(error) if is_locked(&error) && waited < PATIENCE => {
                    tokio::time::sleep(PAUSE).await;
                    waited += PAUSE;
                }
                Err(error) if is_locked(&error) => return Err(in_use(dir)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends a request; the answer's body if it was done, else the problem as an error.
    ///
    /// # Errors
    /// The problem that the bank names, or that it could not be asked.
    pub async fn send(&self, call: Call) -> anyhow::Result<Value> {
        let (request, retry) = call.into_request()?;
        let asked = async {
            match &self.way {
                Way::Socket(path) => socket::ask(path, request).await,
                Way::Inside(inside) => inside.ask(request).await,
            }
        };
        let answered = match tokio::time::timeout(ANSWER_TIME, asked).await {
            Ok(answered) => answered,
            Err(_) => Err(anyhow::anyhow!("no answer within {} s", ANSWER_TIME.as_secs())),
        };
        match answered {
            Ok(answer) => answer.into_body(),
            Err(error) => Err(retry.explain(error)),
        }
    }

    /// All items of a list, page by page, `limit` at most; true if more follow.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn list(&self, call: Call, limit: usize) -> anyhow::Result<(Vec<Value>, bool)> {
        const PAGE_MAX: usize = 500;
        let mut items = Vec::new();
        let mut cursor = None;
        loop {
            let page = (limit - items.len()).clamp(1, PAGE_MAX).to_string();
            let call = call.clone().query("limit", Some(&page)).query("cursor", cursor.as_ref());
            let mut answer = self.send(call).await?;
            if let Some(Value::Array(found)) = answer.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            let next = answer.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
            if next.is_none() || items.len() >= limit {
                return Ok((items, next.is_some()));
            }
            cursor = next;
        }
    }

    async fn close(self) {
        if let Way::Inside(inside) = self.way {
            inside.close().await;
        }
    }
}

/// Opens the way to the bank, does `work`, and closes it again.
///
/// # Errors
/// Those of the way and of the work.
pub fn session<T>(
    data: &DataArgs,
    work: impl AsyncFnOnce(&Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let config = data.load()?;
    logging::command();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let client = Client::open(&config).await?;
        let done = work(&client).await;
        client.close().await;
        done
    })
}

/// Sends a request to a router in this process.
///
/// # Errors
/// The problem that the bank names.
pub async fn send_to(router: axum::Router, call: Call) -> anyhow::Result<Value> {
    let (request, _) = call.into_request()?;
    inside::through(router, request).await?.into_body()
}

/// Sends one request.
///
/// # Errors
/// As [`session`].
pub fn ask(data: &DataArgs, call: Call) -> anyhow::Result<Value> {
    session(data, async |client: &Client| client.send(call).await)
}

fn is_locked(error: &bank::service::Error) -> bool {
    use bank::service::Error;
    use bank::store::journal::OpenError;
    matches!(error, Error::InUse(_) | Error::Store(OpenError::Journal(journal::OpenError::Locked { .. })))
}

fn in_use(dir: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "{} is in use by a process that cannot be reached through {}; wait until it has ended, or stop it",
        dir.display(),
        crate::folder::SOCKET
    )
}
