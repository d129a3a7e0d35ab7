//! The outbox: transfers that are in the books already, delivered as fast as one subscriber takes them.
//!
//! The receiver of webhooks is in this process, on a thread of its own; brokers are where `--broker` says.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use bank::books::Decided;
use bank::outbox::{Begin, Broker, FileSettings, HiddenUrl, Settings as OutboxSettings};
use bank::service::{self, Service, Settings};
use clap::ValueEnum;
use ledger::command::Movement;
use ledger::event::NameKind;
use ledger::{Command, Request};
use serde_json::json;

use super::engine::currency;
use super::http::open_accounts;
use super::measure::{self, cpu_time};
use super::receiver::{Receiver, register};
use super::shape::Pairs;
use super::{BenchArgs, bar};
use crate::closing;

/// Where events go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SinkChoice {
    /// An endpoint on this machine
    Webhook,
    /// NATS JetStream; needs --broker
    Nats,
    /// RabbitMQ; needs --broker
    Rabbitmq,
    /// A file
    File,
}

/// Slower than this is not measured but given up.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a run came to.
pub struct Delivered {
    sink: SinkChoice,
    events: u64,
    accounts: u64,
    seconds: f64,
    cpu_us_per_event: f64,
    rss_bytes: u64,
    failed: u64,
    /// Did all arrive, and where that can be seen as often as they should?
    pub complete: bool,
}

impl Delivered {
    /// One line of JSON.
    pub fn json(&self) -> String {
        json!({
            "target": "outbox",
            "sink": format!("{:?}", self.sink).to_lowercase(),
            "events": self.events,
            "accounts": self.accounts,
            "seconds": self.seconds,
            "events_per_s": self.events as f64 / self.seconds,
            "cpu_us_per_event": self.cpu_us_per_event,
            "rss_bytes": self.rss_bytes,
            "failed_attempts": self.failed,
            "complete": self.complete,
        })
        .to_string()
    }

    /// For people.
    pub fn text(&self) -> String {
        format!(
            "{} events to {:?} in {:.2} s: {:.0}/s, {:.1} µs of processor time an event, receiver in this process \
             included; {} attempts failed; {}",
            self.events,
            self.sink,
            self.seconds,
            self.events as f64 / self.seconds,
            self.cpu_us_per_event,
            self.failed,
            if self.complete { "all arrived" } else { "NOT ALL ARRIVED" }
        )
    }
}

/// Runs it in an empty folder.
#[allow(clippy::disallowed_methods)] // A benchmark measures real time.
pub fn run(args: &BenchArgs, dir: &Path) -> anyhow::Result<Delivered> {
    let Some(sink) = args.sink else { bail!("name where events go with --sink") };
    let events = args.transfers.unwrap_or(100_000);
    let accounts = args.accounts.unwrap_or(10_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let receiver = Receiver::start()?;
        let dir = dir.join("bank");
        let service =
            service::create(&dir, &Settings { name: "bench".into(), ..Settings::default() }).await?;
        open_accounts(&service, accounts).await?;
        let before = service.books.reads().head().sequence.0;
        service.close().await;

        let settings = settings(sink, args.broker.as_deref(), &dir, before)?;
        let service = Arc::new(service::open(&dir, &settings).await?);
        if sink == SinkChoice::Webhook {
            register(&service, &receiver.url(), Begin::After(before)).await?;
        }
        post(&service, events, accounts, args).await?;
        let bar = bar("events", events);
        let (began, cpu) = (Instant::now(), cpu_time());
        service.outbox.start().await?;
        let (mut done, mut failed) = (0, 0);
        while done < events {
            tokio::time::sleep(Duration::from_millis(2)).await;
            (done, failed) = service.outbox.totals();
            bar.set_position(done);
            if began.elapsed() > PATIENCE {
                bail!("only {done} of {events} events were delivered within {} s", PATIENCE.as_secs());
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        let cpu = cpu_time().saturating_sub(cpu);
        bar.finish_and_clear();
        let rss_bytes = measure::rss_bytes();
        let complete = sink != SinkChoice::Webhook || receiver.count() >= events;
        closing::close(service).await;
        let cpu_us_per_event = cpu.as_secs_f64() * 1e6 / events as f64;
        Ok(Delivered { sink, events, accounts, seconds, cpu_us_per_event, rss_bytes, failed, complete })
    })
}

fn settings(sink: SinkChoice, broker: Option<&str>, dir: &Path, before: u64) -> anyhow::Result<Settings> {
    let broker = |place: String| {
        let url = broker.context("name the broker with --broker URL")?;
        anyhow::Ok(Some(Broker { url: HiddenUrl::new(url), place }))
    };
    let place = format!("bench-{}", std::process::id());
    let mut outbox = OutboxSettings {
        webhook_allow: "127.0.0.1".parse()?,
        begin: Begin::After(before),
        ..Default::default()
    };
    match sink {
        SinkChoice::Webhook => {}
        SinkChoice::Nats => outbox.nats = broker(place)?,
        SinkChoice::Rabbitmq => outbox.rabbitmq = broker(place)?,
        SinkChoice::File => {
            outbox.file = Some(FileSettings { path: dir.join("events.ndjson"), bytes_max: 256 << 20 });
        }
    }
    Ok(Settings { name: "bench".into(), outbox, ..Settings::default() })
}

/// Posts transfers, a thousand at a time.
async fn post(service: &Service, events: u64, accounts: u64, args: &BenchArgs) -> anyhow::Result<()> {
    let principal = service.books.intern(NameKind::Principal, "bench").await?;
    let mut pairs = Pairs::new(args.shape, accounts, 1);
    let mut left = events;
    while left > 0 {
        let some = left.min(1_000);
        let requests = (0..some).map(|_| {
            let (from, to) = pairs.draw();
            let movement = Movement { from, to, amount: 100, currency: currency() };
            Request::new(Command::Transfer(movement), principal)
        });
        for decided in service.books.submit_all(requests.collect()).await? {
            let Decided::Accepted { .. } = decided? else { bail!("a transfer was refused") };
        }
        left -= some;
    }
    Ok(())
}
