//! The service over loopback: a real listener, real connections, requests as a customer's program sends them.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bank::http::{self, App};
use bank::identity::{KeyMaterial, NewKey, Role};
use bank::outbox::Begin;
use bank::sequencer::{Clock, SystemClock};
use bank::service::{self, Service, Settings};
use ledger::command::OpenAccount;
use ledger::event::NameKind;
use ledger::{AccountType, Command, Request, Status};
use tokio::sync::{mpsc, oneshot};

use super::client::Connection;
use super::engine::currency;
use super::measure::{self, Measured, Meter};
use super::receiver::{Receiver, register};
use super::report::{Beside, Report};
use super::shape::Pairs;
use super::{BenchArgs, bar};
use crate::closing;

/// What the threads of the outbox are called.
const OUTBOX: &str = "outbox";

/// One transfer a request.
pub fn single(args: &BenchArgs, dir: &Path) -> anyhow::Result<Report> {
    let transfers = args.transfers.unwrap_or(500_000);
    run(args, dir, "http", transfers, 1, args.connections.unwrap_or(256))
}

/// Many transfers a request.
pub fn batches(args: &BenchArgs, dir: &Path) -> anyhow::Result<Report> {
    let batch = args.batch.unwrap_or(1_000);
    if batch == 0 || batch > ledger::limits::GROUP_MAX {
        bail!("a batch has 1 to {} transfers", ledger::limits::GROUP_MAX);
    }
    let transfers = args.transfers.unwrap_or(5_000_000);
    run(args, dir, "http-batch", transfers, batch, args.connections.unwrap_or(8))
}

fn run(
    args: &BenchArgs,
    dir: &Path,
    target: &'static str,
    transfers: u64,
    batch: usize,
    connections: usize,
) -> anyhow::Result<Report> {
    if connections == 0 {
        bail!("somebody must send; give --connections 1 or more");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::start(dir, args.accounts()).await?;
        let subscribers = Subscribers::start(args.subscribers, &server.service).await?;
        server.service.outbox.start().await?;
        let before = server.written();
        let load = Load { address: server.address, key: server.key.clone(), batch, connections };
        let measured = load.drive(transfers, args).await?;
        let beside = subscribers.map(|subscribers| subscribers.beside(transfers)).transpose()?;
        let rss_bytes = measure::rss_bytes();
        let bytes = server.written() - before;
        let invariants_ok = server.check(transfers).await?;
        server.stop().await?;
        Ok(Report {
            target,
            shape: args.shape,
            transfers,
            accounts: args.accounts(),
            batch,
            connections,
            beside,
            old_keys: 0,
            bytes_per_transfer: bytes as f64 / transfers as f64,
            rss_bytes,
            invariants_ok,
            restart_s: None,
            history: None,
            measured,
        })
    })
}

/// Webhooks that get every event, all at one receiver.
struct Subscribers {
    count: usize,
    receiver: Receiver,
    outbox_before: Duration,
    receiver_before: Duration,
}

impl Subscribers {
    async fn start(count: usize, service: &Service) -> anyhow::Result<Option<Subscribers>> {
        if count == 0 {
            return Ok(None);
        }
        let receiver = Receiver::start()?;
        for _ in 0..count {
            register(service, receiver.url(), Begin::Now).await?;
        }
        let (outbox_before, receiver_before) = (measure::cpu_time_of_threads(OUTBOX), receiver.cpu_time());
        Ok(Some(Subscribers { count, receiver, outbox_before, receiver_before }))
    }

    /// What was delivered until now, beside so many transfers, and what it cost.
    fn beside(mut self, transfers: u64) -> anyhow::Result<Beside> {
        let outbox = measure::cpu_time_of_threads(OUTBOX).saturating_sub(self.outbox_before);
        let receiver = self.receiver.cpu_time().saturating_sub(self.receiver_before);
        let each = |time: Duration| time.as_secs_f64() * 1e6 / transfers as f64;
        Ok(Beside {
            subscribers: self.count,
            delivered: self.receiver.count()? / self.count as u64,
            outbox_us_per_transfer: each(outbox),
            receiver_us_per_transfer: each(receiver),
        })
    }
}

/// A bank that listens on loopback.
struct Server {
    address: SocketAddr,
    key: String,
    service: Arc<Service>,
    events_before: u64,
    end: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<Result<(), http::listen::ServeError>>,
}

impl Server {
    async fn start(dir: &Path, accounts: u64) -> anyhow::Result<Server> {
        let outbox = bank::outbox::Settings { webhook_allow: "127.0.0.1".parse()?, ..Default::default() };
        let settings = Settings { name: "bench".into(), quota: (0, 1), outbox, ..Settings::default() };
        let service = Arc::new(service::create(dir, &settings).await?);
        open_accounts(&service, accounts).await?;
        let new = NewKey {
            name: "bench".into(),
            principal: "bench".parse()?,
            role: Role::Admin,
            accounts: Vec::new(),
            drawer: None,
            expires_at_us: None,
        };
        let actor = bank::database::Actor::new("bench", "local");
        let now = SystemClock::new().wall();
        let (_, secret) = service.keys.create_key(new, &actor, &KeyMaterial::from_system()?, now).await?;
        let settings = http::Settings { body_bytes_max: 4 << 20, behind_proxy: false, tls: false };
        let app = App::new(Arc::clone(&service), settings);
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (end, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn(http::listen::serve(app, listener, None, None, async {
            let _ = ended.await;
        }));
        let events_before = service.books.reads().head().sequence.0;
        Ok(Server { address, key: secret.expose().to_owned(), service, events_before, end, serving })
    }

    fn written(&self) -> u64 {
        let figures = self.service.books.reads().figures();
        figures
            .iter()
            .find(|(name, _)| *name == "bankcore_journal_used_bytes")
            .map_or(0, |(_, bytes)| *bytes as u64)
    }

    /// Every transfer is there, and the books balance.
    async fn check(&self, transfers: u64) -> anyhow::Result<bool> {
        let head = self.service.books.reads().head().sequence.0;
        // Names of principals and origins, and a business day that turned, are events too.
        let events = head - self.events_before;
        let all_there = (transfers..transfers + 16).contains(&events);
        Ok(all_there && self.service.books.trial_balance().await?.is_balanced())
    }

    async fn stop(self) -> anyhow::Result<()> {
        let _ = self.end.send(());
        self.serving.await??;
        closing::close(self.service).await;
        Ok(())
    }
}

/// Opens accounts that may all be overdrawn.
pub async fn open_accounts(service: &Service, accounts: u64) -> anyhow::Result<()> {
    let owner = service.books.intern(NameKind::Principal, "bench").await?;
    let wish = OpenAccount {
        account_type: AccountType::Liability,
        currency: currency(),
        status: Status::Active,
        overdraft_limit: i64::MAX / 4,
        owner,
        number: None,
        name: "bench".into(),
    };
    let mut left = accounts;
    while left > 0 {
        let some = left.min(4_096);
        let request = Request::new(Command::OpenAccount(Box::new(wish.clone())), owner);
        for decided in service.books.submit_all(vec![request; some as usize]).await? {
            let bank::books::Decided::Accepted { .. } = decided? else { bail!("an account was not opened") };
        }
        left -= some;
    }
    Ok(())
}

/// What is sent.
struct Load {
    address: SocketAddr,
    key: String,
    batch: usize,
    connections: usize,
}

impl Load {
    async fn drive(&self, transfers: u64, args: &BenchArgs) -> anyhow::Result<Measured> {
        let bar = bar("transfers", transfers);
        let left = Arc::new(AtomicU64::new(transfers));
        let (answers, mut arriving) = mpsc::unbounded_channel();
        let mut meter = Meter::start();
        let mut senders = tokio::task::JoinSet::new();
        for index in 0..self.connections as u64 {
            let sender = Sender {
                requests: Requests::new(&self.key, self.address, self.batch, index),
                pairs: Pairs::new(args.shape, args.accounts(), index + 1),
                connection: Connection::open(self.address).await?,
                left: Arc::clone(&left),
            };
            senders.spawn(sender.run(answers.clone()));
        }
        drop(answers);
        while let Some((count, latency)) = arriving.recv().await {
            meter.answered(count, latency);
            if meter.done() % 4_096 < count {
                bar.set_position(meter.done());
            }
        }
        bar.finish_and_clear();
        while let Some(ended) = senders.join_next().await {
            ended??;
        }
        Ok(meter.finish())
    }
}

struct Sender {
    requests: Requests,
    pairs: Pairs,
    connection: Connection,
    left: Arc<AtomicU64>,
}

impl Sender {
    #[allow(clippy::disallowed_methods)] // A benchmark measures real time.
    async fn run(mut self, answers: mpsc::UnboundedSender<(u64, Duration)>) -> anyhow::Result<()> {
        loop {
            let wanted = self.requests.batch as u64;
            let before = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                (left > 0).then(|| left.saturating_sub(wanted))
            });
            let Ok(before) = before else { return Ok(()) };
            let count = before.min(wanted);
            let request = self.requests.next(count as usize, &mut self.pairs);
            let sent = Instant::now();
            let answer = self.connection.exchange(request).await?;
            let latency = sent.elapsed();
            self.check(&answer, count)?;
            if answers.send((count, latency)).is_err() {
                return Ok(());
            }
        }
    }

    fn check(&self, answer: &super::client::Answer, count: u64) -> anyhow::Result<()> {
        let body = self.connection.body(answer);
        let text = || String::from_utf8_lossy(&body[..body.len().min(400)]).into_owned();
        if self.requests.batch == 1 {
            if answer.status != 201 {
                bail!("a transfer was answered with {}: {}", answer.status, text());
            }
            return Ok(());
        }
        let posted = body.windows(12).filter(|window| window == b"\"status\":201").count() as u64;
        if answer.status != 200 || posted != count {
            bail!("a batch of {count} was answered with {}, {posted} posted: {}", answer.status, text());
        }
        Ok(())
    }
}

/// Makes requests, in one buffer.
struct Requests {
    head: String,
    batch: usize,
    connection: u64,
    number: u64,
    body: Vec<u8>,
    bytes: Vec<u8>,
}

impl Requests {
    fn new(key: &str, address: SocketAddr, batch: usize, connection: u64) -> Requests {
        let path = if batch == 1 { "/api/v1/transactions/transfer" } else { "/api/v1/transactions/batch" };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        );
        Requests { head, batch, connection, number: 0, body: Vec::new(), bytes: Vec::new() }
    }

    fn next(&mut self, count: usize, pairs: &mut Pairs) -> &[u8] {
        self.body.clear();
        self.bytes.clear();
        self.bytes.extend_from_slice(self.head.as_bytes());
        if self.batch == 1 {
            self.number += 1;
            let key = (self.connection, self.number);
            put(&mut self.bytes, format_args!("Idempotency-Key: b{:x}-{:x}\r\n", key.0, key.1));
            self.transfer(pairs);
        } else {
            self.body.extend_from_slice(b"{\"atomic\":false,\"commands\":[");
            for index in 0..count {
                self.number += 1;
                let comma = if index == 0 { "" } else { "," };
                let (connection, number) = (self.connection, self.number);
                put(
                    &mut self.body,
                    format_args!("{comma}{{\"idempotency_key\":\"b{connection:x}-{number:x}\",\"transfer\":"),
                );
                self.transfer(pairs);
                self.body.push(b'}');
            }
            self.body.extend_from_slice(b"]}");
        }
        put(&mut self.bytes, format_args!("Content-Length: {}\r\n\r\n", self.body.len()));
        self.bytes.extend_from_slice(&self.body);
        &self.bytes
    }

    fn transfer(&mut self, pairs: &mut Pairs) {
        let (from, to) = pairs.draw();
        let cents = 1 + self.number % 99;
        put(
            &mut self.body,
            format_args!(
                "{{\"from_account_id\":\"{from}\",\"to_account_id\":\"{to}\",\"amount\":\"0.{cents:02}\",\"currency\":\"BDT\"}}"
            ),
        );
    }
}

fn put(buffer: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    buffer.write_fmt(text).context("memory is writable").expect("a vector takes everything");
}
