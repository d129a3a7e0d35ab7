//! The outbox: transfers that are in the books already, delivered as fast as one subscriber takes them.
//!
//! The receiver of webhooks is a process of its own; brokers are where `--broker` says.

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

use super::broker::Kept;
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

/// When nothing was delivered for so long, the run is given up.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a run came to.
pub struct Delivered {
    sink: SinkChoice,
    events: u64,
    accounts: u64,
    seconds: f64,
    cpu_us_per_event: f64,
    /// The receiver's own, where it is one of ours.
    receiver_us_per_event: Option<f64>,
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
            "receiver_cpu_us_per_event": self.receiver_us_per_event,
            "rss_bytes": self.rss_bytes,
            "failed_attempts": self.failed,
            "complete": self.complete,
        })
        .to_string()
    }

    /// For people.
    pub fn text(&self) -> String {
        let receiver = self.receiver_us_per_event.map(|own| format!(" and {own:.1} µs of the receiver's"));
        format!(
            "{} events to {:?} in {:.2} s: {:.0}/s, {:.1} µs of the service's processor time an event{}; {} attempts \
             failed; {}",
            self.events,
            self.sink,
            self.seconds,
            self.events as f64 / self.seconds,
            self.cpu_us_per_event,
            receiver.unwrap_or_default(),
            self.failed,
            if self.complete { "all arrived" } else { "NOT ALL ARRIVED" }
        )
    }
}

/// Runs it in an empty folder.
///
/// # Errors
/// If something failed, or nothing is delivered any more: then with what the last attempt said.
pub fn run(args: &BenchArgs, dir: &Path) -> anyhow::Result<Delivered> {
    let Some(sink) = args.sink else { bail!("name where events go with --sink") };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let place = format!("bench-{}", std::process::id());
        let kept = Kept::make(sink, args.broker.as_deref(), &place).await?;
        let delivered = deliver(args, sink, &place, kept.as_ref(), dir).await;
        let removed = match kept {
            Some(kept) => kept.remove().await,
            None => Ok(()),
        };
        let delivered = delivered?;
        removed.with_context(|| format!("{place} is still at the broker"))?;
        Ok(delivered)
    })
}

#[allow(clippy::disallowed_methods)] // A benchmark measures real time.
async fn deliver(
    args: &BenchArgs,
    sink: SinkChoice,
    place: &str,
    kept: Option<&Kept>,
    dir: &Path,
) -> anyhow::Result<Delivered> {
    let events = args.transfers.unwrap_or(100_000);
    let accounts = args.accounts.unwrap_or(10_000);
    let dir = dir.join("bank");
    let service = service::create(&dir, &Settings { name: "bench".into(), ..Settings::default() }).await?;
    open_accounts(&service, accounts).await?;
    let before = service.books.reads().head().sequence.0;
    service.close().await;

    let settings = settings(sink, args.broker.as_deref(), place, &dir, before)?;
    let service = Arc::new(service::open(&dir, &settings).await?);
    let mut receiver = None;
    if sink == SinkChoice::Webhook {
        let started = receiver.insert(Receiver::start()?);
        register(&service, started.url(), Begin::After(before)).await?;
    }
    post(&service, events, accounts, args).await?;
    let receiver_before = receiver.as_ref().map(Receiver::cpu_time);
    let (began, cpu) = (Instant::now(), cpu_time());
    service.outbox.start().await?;
    let failed = all_delivered(&service, events).await?;
    let seconds = began.elapsed().as_secs_f64();
    let each = |time: Duration| time.as_secs_f64() * 1e6 / events as f64;
    let cpu_us_per_event = each(cpu_time().saturating_sub(cpu));
    let own = receiver.as_ref().zip(receiver_before);
    let receiver_us_per_event =
        own.map(|(receiver, before)| each(receiver.cpu_time().saturating_sub(before)));
    let rss_bytes = measure::rss_bytes();
    let arrived = match (&mut receiver, kept) {
        (Some(receiver), _) => receiver.count()?,
        (None, Some(kept)) => kept.count().await?,
        (None, None) => events,
    };
    closing::close(service).await;
    Ok(Delivered {
        sink,
        events,
        accounts,
        seconds,
        cpu_us_per_event,
        receiver_us_per_event,
        rss_bytes,
        failed,
        complete: arrived >= events,
    })
}

/// Waits until all events are delivered; attempts that failed.
#[allow(clippy::disallowed_methods)]
async fn all_delivered(service: &Service, events: u64) -> anyhow::Result<u64> {
    let bar = bar("events", events);
    let (mut before, mut since) = (0, Instant::now());
    loop {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let (done, failed) = service.outbox.totals();
        bar.set_position(done);
        if done >= events {
            bar.finish_and_clear();
            return Ok(failed);
        }
        if done > before {
            (before, since) = (done, Instant::now());
        }
        if since.elapsed() > PATIENCE {
            bail!(
                "nothing was delivered for {} s, {done} of {events} events before; {failed} attempts failed, the \
                 last with: {}",
                PATIENCE.as_secs(),
                last_answer(service).await?
            );
        }
    }
}

/// What the newest attempt was answered.
async fn last_answer(service: &Service) -> anyhow::Result<String> {
    for standing in service.outbox.list().await? {
        if let Some(tried) = service.outbox.deliveries(standing.subscription.id, 1).await?.pop() {
            return Ok(tried.result.detail);
        }
    }
    Ok("nothing was tried".to_owned())
}

fn settings(
    sink: SinkChoice,
    broker: Option<&str>,
    place: &str,
    dir: &Path,
    before: u64,
) -> anyhow::Result<Settings> {
    let broker = || {
        let url = broker.context("name the broker with --broker URL")?;
        anyhow::Ok(Some(Broker { url: HiddenUrl::new(url), place: place.to_owned() }))
    };
    let mut outbox = OutboxSettings {
        webhook_allow: "127.0.0.1".parse()?,
        begin: Begin::After(before),
        ..Default::default()
    };
    match sink {
        SinkChoice::Webhook => {}
        SinkChoice::Nats => outbox.nats = broker()?,
        SinkChoice::Rabbitmq => outbox.rabbitmq = broker()?,
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
