//! Measuring: time, latencies, processor time, memory, disk.

use std::path::Path;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// What is gathered while a load runs.
pub struct Meter {
    start: Instant,
    cpu: Duration,
    latencies: Histogram<u64>,
    samples: Vec<Sample>,
    bucket: Bucket,
    done: u64,
}

/// How long the last 50 entries of an account take to read: medians over a thousand accounts, microseconds.
#[derive(Clone, Copy, Debug)]
pub struct History {
    /// For the first time after the run.
    pub cold_us: f64,
    /// The same accounts again.
    pub warm_us: f64,
}

/// One stretch of the run, for the plot.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Seconds since the start, at its end.
    pub at: f64,
    /// Transfers a second in it.
    pub per_second: f64,
    /// The longest latency in it, milliseconds.
    pub max_ms: f64,
}

struct Bucket {
    since: Instant,
    done: u64,
    max: Duration,
}

/// How long one sample is.
const SAMPLE: Duration = Duration::from_millis(100);

impl Meter {
    /// Starts now.
    #[allow(clippy::disallowed_methods)] // A benchmark measures real time.
    pub fn start() -> Meter {
        let now = Instant::now();
        Meter {
            start: now,
            cpu: cpu_time(),
            latencies: Histogram::new_with_bounds(1, 600_000_000, 3).expect("the bounds are valid"),
            samples: Vec::new(),
            bucket: Bucket { since: now, done: 0, max: Duration::ZERO },
            done: 0,
        }
    }

    /// Notes that `count` transfers were answered together, `latency` after they were sent. Whoever gets the
    /// answer takes that time: by when it is noted here, it may have waited behind others for the notebook.
    #[allow(clippy::disallowed_methods)]
    pub fn answered(&mut self, count: u64, latency: Duration) {
        let now = Instant::now();
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(1);
        // The histogram holds ten minutes; what takes longer counts as that.
        let _ = self.latencies.record(micros.min(600_000_000));
        self.done += count;
        self.bucket.done += count;
        self.bucket.max = self.bucket.max.max(latency);
        let length = now - self.bucket.since;
        if length >= SAMPLE {
            self.samples.push(Sample {
                at: (now - self.start).as_secs_f64(),
                per_second: self.bucket.done as f64 / length.as_secs_f64(),
                max_ms: self.bucket.max.as_secs_f64() * 1_000.0,
            });
            self.bucket = Bucket { since: now, done: 0, max: Duration::ZERO };
        }
    }

    /// How many were answered so far.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Ends the measurement.
    pub fn finish(self) -> Measured {
        let elapsed = self.start.elapsed();
        let cpu = cpu_time().saturating_sub(self.cpu);
        let done = self.done.max(1) as f64;
        Measured {
            seconds: elapsed.as_secs_f64(),
            transfers_per_s: self.done as f64 / elapsed.as_secs_f64(),
            p50_us: self.latencies.value_at_quantile(0.5),
            p99_us: self.latencies.value_at_quantile(0.99),
            max_us: self.latencies.max(),
            cpu_us_per_transfer: cpu.as_secs_f64() * 1e6 / done,
            samples: self.samples,
        }
    }
}

/// What a run came to.
pub struct Measured {
    /// How long it took.
    pub seconds: f64,
    /// Transfers a second.
    pub transfers_per_s: f64,
    /// Median latency of an answer, microseconds.
    pub p50_us: u64,
    /// The latency that one answer in a hundred exceeds.
    pub p99_us: u64,
    /// The longest latency.
    pub max_us: u64,
    /// Processor time of the whole process for each transfer.
    pub cpu_us_per_transfer: f64,
    /// The run in stretches.
    pub samples: Vec<Sample>,
}

/// Processor time of this process, all threads, user and system.
pub fn cpu_time() -> Duration {
    cpu_time_of("self")
}

/// Processor time of those threads of this process that have this name and are still there.
pub fn cpu_time_of_threads(name: &str) -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let named = threads.filter(|thread| {
        std::fs::read_to_string(thread.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name)
    });
    named.map(|thread| cpu_time_of(&format!("self/task/{}", thread.file_name().display()))).sum()
}

/// Processor time of a process or thread, by its place under /proc; none if it is gone.
pub fn cpu_time_of(place: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{place}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces; the times are fields 14 and 15, in ticks of 10 ms.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 =
        rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Resident memory of this process now, in bytes.
pub fn rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Bytes of all files in a folder, as the disk counts them.
pub fn folder_bytes(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|data| data.blocks() * 512).sum()
}

/// A result and how many seconds it took.
#[allow(clippy::disallowed_methods)]
pub fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, f64)> {
    let start = Instant::now();
    let result = work()?;
    Ok((result, start.elapsed().as_secs_f64()))
}
