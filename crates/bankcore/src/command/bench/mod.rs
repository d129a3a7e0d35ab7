//! `bankcore bench`: how fast, on this machine, with every answer durable.
//!
//! ```text
//!  engine      requests → sequencer → rules → journal → answers, in this process
//!  http        one transfer a request over loopback, keep-alive connections
//!  http-batch  many transfers a request
//!  outbox      events that are in the books, delivered to one subscriber
//!  procedure   CALL sp_transfer in MySQL or MariaDB, without this program between
//! ```
//! The load generator runs on the same processors, and the receiver of events does as a process of its own. After each run the books are checked; a run whose books
//! do not balance is a failure, however fast it was.

mod broker;
mod client;
mod database;
mod engine;
mod http;
mod measure;
mod outbox;
mod plot;
mod procedure;
mod receiver;
mod report;
mod shape;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use report::Report;
use shape::{Pairs, Shape};

/// What is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// The engine in this process
    Engine,
    /// HTTP, one transfer a request
    Http,
    /// HTTP, many transfers a request
    HttpBatch,
    /// Events to one subscriber; needs --sink
    Outbox,
    /// The stored procedure, one transfer a call; needs --store
    Procedure,
    /// What the benchmark itself starts to take events
    #[value(hide = true)]
    Receiver,
}

/// Measure this machine: transfers a second, latencies, disk, memory; every answer is durable
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore bench engine\n  bankcore bench engine --batch 512 --shape zipf\n  \
    bankcore bench http --connections 256\n  bankcore bench http-batch --batch 1000 --connections 8 --json\n  \
    bankcore bench outbox --sink webhook\n  bankcore bench outbox --sink nats --broker nats://127.0.0.1:4222"
)]
pub struct BenchArgs {
    /// What to drive
    #[arg(value_enum)]
    target: Target,
    /// Transfers to measure [default: engine 10000000, http 500000, http-batch 5000000, outbox 100000;
    /// with --store engine 200000, procedure 40000]
    #[arg(long)]
    transfers: Option<u64>,
    /// Books in MySQL or MariaDB: the URL of an empty database; for engine and procedure
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Accounts between which money moves [default: 1000000, with --store 10000]
    #[arg(long)]
    accounts: Option<u64>,
    /// Transfers a batch [default: engine 8192, with --store 1000; http-batch 1000]
    #[arg(long)]
    batch: Option<usize>,
    /// Connections [default: http 256, http-batch 8, procedure 32]
    #[arg(long)]
    connections: Option<usize>,
    /// Where events go, for outbox
    #[arg(long, value_enum)]
    sink: Option<outbox::SinkChoice>,
    /// The broker, for outbox with --sink nats or rabbitmq
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// Webhooks on this machine that get every event meanwhile, for http and http-batch
    #[arg(long, default_value_t = 0, value_name = "N")]
    subscribers: usize,
    /// Which accounts are used
    #[arg(long, value_enum, default_value_t = Shape::Spread)]
    shape: Shape,
    /// Transfers posted before the measurement, so that their keys are old ones
    #[arg(long, default_value_t = 0)]
    old_keys: u64,
    /// An empty folder for the benchmark's bank, removed afterwards [default: bankcore-bench]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where to draw throughput and latency over the run
    #[arg(long, default_value = "bankcore-bench.svg")]
    plot: PathBuf,
    /// Print one line of JSON instead of a table
    #[arg(long)]
    json: bool,
}

/// Runs the benchmark.
///
/// # Errors
/// If the folder is not empty, something failed, or the books do not balance.
pub fn run(args: &BenchArgs) -> anyhow::Result<()> {
    if args.target == Target::Receiver {
        return receiver::run();
    }
    if args.accounts() < 2 {
        bail!("money moves between two accounts; give --accounts 2 or more");
    }
    let folder = Folder::claim(args.data.as_deref().unwrap_or(Path::new("bankcore-bench")))?;
    if args.target == Target::Outbox {
        let delivered = outbox::run(args, &folder.0)?;
        println!("{}", if args.json { delivered.json() } else { delivered.text() });
        anyhow::ensure!(
            delivered.complete,
            "not every event arrived; keep the output and report this as a bug"
        );
        return Ok(());
    }
    let report = match args.target {
        Target::Engine => engine_run(args, &folder.0)?,
        Target::Procedure => procedure_run(args)?,
        Target::Http | Target::HttpBatch if args.store.is_some() => {
            bail!("--store is for engine and procedure; for HTTP start a server with it")
        }
        Target::Http => http::single(args, &folder.0)?,
        Target::HttpBatch => http::batches(args, &folder.0)?,
        Target::Outbox | Target::Receiver => unreachable!("they have reports of their own or none"),
    };
    plot::draw(&args.plot, &report).with_context(|| format!("cannot draw {}", args.plot.display()))?;
    if args.json {
        println!("{}", report.json());
    } else {
        println!("{}\nplot: {}", report.table(), args.plot.display());
    }
    if !report.invariants_ok {
        bail!("the books do not hold after the run; keep the folder and report this as a bug");
    }
    Ok(())
}

fn engine_run(args: &BenchArgs, dir: &Path) -> anyhow::Result<Report> {
    let in_database = args.store.is_some();
    let transfers = args.transfers.unwrap_or(if in_database { 200_000 } else { 10_000_000 });
    let batch = args.batch.unwrap_or(if in_database { 1_000 } else { ledger::limits::GROUP_MAX });
    let accounts = args.accounts();
    if batch == 0 || batch > ledger::limits::GROUP_MAX {
        bail!("a batch has 1 to {} transfers", ledger::limits::GROUP_MAX);
    }
    let settings = bank::store::journal::Settings::default();
    let mut engine = match &args.store {
        Some(url) => database::create(url, accounts)?,
        None => engine::Engine::create(dir, &settings, accounts)?,
    };
    let mut pairs = Pairs::new(args.shape, accounts, 1);
    if args.old_keys > 0 {
        let bar = bar("older transfers", args.old_keys);
        engine.transfers(args.old_keys, ledger::limits::GROUP_MAX, &mut pairs, &|done| {
            bar.set_position(done)
        })?;
        bar.finish_and_clear();
    }
    let before = engine.used_bytes()?;
    let bar = bar("transfers", transfers);
    let measured = engine.transfers(transfers, batch, &mut pairs, &|done| bar.set_position(done))?;
    bar.finish_and_clear();
    let rss_bytes = measure::rss_bytes();
    let bytes = engine.used_bytes()?.saturating_sub(before);
    let head = engine.head();
    let history = engine.history(50)?;
    let state = engine.stop()?;
    let expected = 3 + accounts + args.old_keys + transfers;
    let invariants_ok =
        ledger::invariants::check(&state).is_empty() && head == expected && state.head().0 == head;
    drop(state);
    let (engine, restart) = measure::timed(|| match &args.store {
        Some(url) => database::open(url),
        None => engine::Engine::open(dir, &settings),
    })?;
    let invariants_ok = invariants_ok && ledger::invariants::check(&engine.stop()?).is_empty();
    Ok(Report {
        target: "engine",
        shape: args.shape,
        transfers,
        accounts,
        batch,
        connections: 0,
        beside: None,
        old_keys: args.old_keys,
        bytes_per_transfer: bytes as f64 / transfers as f64,
        rss_bytes,
        invariants_ok,
        restart_s: Some(restart),
        history: Some(history),
        measured,
    })
}

/// Calls of the stored procedure, on books that the engine has made and looks at afterwards.
fn procedure_run(args: &BenchArgs) -> anyhow::Result<Report> {
    let Some(url) = &args.store else { bail!("the procedure is in a database; name it with --store") };
    let transfers = args.transfers.unwrap_or(40_000);
    let (connections, accounts) = (args.connections.unwrap_or(32), args.accounts());
    let engine = database::create(url, accounts)?;
    let before = engine.used_bytes()?;
    engine.stop()?;
    let bar = bar("calls", transfers);
    let measured =
        procedure::run(url, transfers, connections, args.shape, accounts, &|done| bar.set_position(done))?;
    bar.finish_and_clear();
    let rss_bytes = measure::rss_bytes();
    let (engine, restart) = measure::timed(|| database::open(url))?;
    let bytes = engine.used_bytes()?.saturating_sub(before);
    let history = engine.history(50)?;
    // The procedure gives the caller's name a number first, as an actor.
    let expected = 4 + accounts + transfers;
    let state = engine.stop()?;
    let invariants_ok = ledger::invariants::check(&state).is_empty() && state.head().0 == expected;
    Ok(Report {
        target: "procedure",
        shape: args.shape,
        transfers,
        accounts,
        batch: 1,
        connections,
        beside: None,
        old_keys: 0,
        bytes_per_transfer: bytes as f64 / transfers as f64,
        rss_bytes,
        invariants_ok,
        restart_s: Some(restart),
        history: Some(history),
        measured,
    })
}

impl BenchArgs {
    fn accounts(&self) -> u64 {
        self.accounts.unwrap_or(if self.store.is_some() { 10_000 } else { 1_000_000 })
    }
}

fn bar(what: &'static str, length: u64) -> ProgressBar {
    let style = "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}";
    let bar = ProgressBar::new(length).with_message(what);
    bar.with_style(ProgressStyle::with_template(style).expect("the template is valid"))
}

/// The benchmark's folder; removed at the end, whatever happened.
struct Folder(PathBuf);

impl Folder {
    fn claim(dir: &Path) -> anyhow::Result<Folder> {
        let empty = match std::fs::read_dir(dir) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", dir.display())),
        };
        if !empty {
            bail!("{} is not empty; name an empty folder with --data", dir.display());
        }
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(Folder(dir.to_path_buf()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to its owner.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
