//! `bankcore bench`: how fast, on this machine, with every answer durable.
//!
//! ```text
//!  engine      requests → sequencer → rules → journal → answers, in this process
//!  http        one transfer a request over loopback, keep-alive connections
//!  http-batch  many transfers a request
//! ```
//! The load generator runs on the same processors. After each run the books are checked; a run whose books
//! do not balance is a failure, however fast it was.

mod client;
mod engine;
mod http;
mod measure;
mod plot;
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
}

/// Measure this machine: transfers a second, latencies, disk, memory; every answer is durable
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore bench engine\n  bankcore bench engine --batch 512 --shape zipf\n  \
    bankcore bench http --connections 256\n  bankcore bench http-batch --batch 1000 --connections 8 --json"
)]
pub struct BenchArgs {
    /// What to drive
    #[arg(value_enum)]
    target: Target,
    /// Transfers to measure [default: engine 10000000, http 500000, http-batch 5000000]
    #[arg(long)]
    transfers: Option<u64>,
    /// Accounts between which money moves
    #[arg(long, default_value_t = 1_000_000)]
    accounts: u64,
    /// Transfers a batch [default: engine 8192, http-batch 1000]
    #[arg(long)]
    batch: Option<usize>,
    /// Connections [default: http 256, http-batch 8]
    #[arg(long)]
    connections: Option<usize>,
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
    if args.accounts < 2 {
        bail!("money moves between two accounts; give --accounts 2 or more");
    }
    let folder = Folder::claim(args.data.as_deref().unwrap_or(Path::new("bankcore-bench")))?;
    let report = match args.target {
        Target::Engine => engine_run(args, &folder.0)?,
        Target::Http => http::single(args, &folder.0)?,
        Target::HttpBatch => http::batches(args, &folder.0)?,
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
    let transfers = args.transfers.unwrap_or(10_000_000);
    let batch = args.batch.unwrap_or(ledger::limits::GROUP_MAX);
    if batch == 0 || batch > ledger::limits::GROUP_MAX {
        bail!("a batch has 1 to {} transfers", ledger::limits::GROUP_MAX);
    }
    let settings = bank::store::journal::Settings::default();
    let mut engine = engine::Engine::create(dir, &settings, args.accounts)?;
    let mut pairs = Pairs::new(args.shape, args.accounts, 1);
    if args.old_keys > 0 {
        let bar = bar("older transfers", args.old_keys);
        engine.transfers(args.old_keys, ledger::limits::GROUP_MAX, &mut pairs, &|done| {
            bar.set_position(done)
        })?;
        bar.finish_and_clear();
    }
    let before = engine.used_bytes(dir);
    let bar = bar("transfers", transfers);
    let measured = engine.transfers(transfers, batch, &mut pairs, &|done| bar.set_position(done))?;
    bar.finish_and_clear();
    let rss_bytes = measure::rss_bytes();
    let bytes = engine.used_bytes(dir).saturating_sub(before);
    let head = bank::store::Reads::head(&**engine.reading()).sequence.0;
    let history = engine.history(50)?;
    let state = engine.stop()?;
    let expected = 3 + args.accounts + args.old_keys + transfers;
    let invariants_ok =
        ledger::invariants::check(&state).is_empty() && head == expected && state.head().0 == head;
    drop(state);
    let (engine, restart) = measure::timed(|| engine::Engine::open(dir, &settings))?;
    let invariants_ok = invariants_ok && ledger::invariants::check(&engine.stop()?).is_empty();
    Ok(Report {
        target: "engine",
        shape: args.shape,
        transfers,
        accounts: args.accounts,
        batch,
        connections: 0,
        old_keys: args.old_keys,
        bytes_per_transfer: bytes as f64 / transfers as f64,
        rss_bytes,
        invariants_ok,
        restart_s: Some(restart),
        history_us: Some(history),
        measured,
    })
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
