//! What a run came to, as a table and as JSON.

use comfy_table::{Table, presets};
use serde_json::json;

use super::measure::{History, Measured};
use super::shape::Shape;

/// A measured run.
pub struct Report {
    /// What was driven.
    pub target: &'static str,
    /// Which accounts were used.
    pub shape: Shape,
    /// Transfers that were measured.
    pub transfers: u64,
    /// Accounts.
    pub accounts: u64,
    /// Transfers a batch.
    pub batch: usize,
    /// Connections; 0 in process.
    pub connections: usize,
    /// Webhooks that got events meanwhile, if there were any.
    pub beside: Option<Beside>,
    /// Transfers posted before.
    pub old_keys: u64,
    /// Bytes on disk for each transfer, key files included.
    pub bytes_per_transfer: f64,
    /// Resident memory at the end of the run.
    pub rss_bytes: u64,
    /// Do the books hold?
    pub invariants_ok: bool,
    /// Seconds that opening the folder again took.
    pub restart_s: Option<f64>,
    /// How long the last 50 entries of an account took.
    pub history: Option<History>,
    /// Times.
    pub measured: Measured,
}

/// Deliveries beside the measured transfers.
#[derive(Default)]
pub struct Beside {
    /// Webhooks.
    pub subscribers: usize,
    /// Events that one of them got while transfers were measured, on average.
    pub delivered: u64,
    /// Processor time of the outbox's threads for each transfer; the process's holds it.
    pub outbox_us_per_transfer: f64,
    /// Processor time of the receiver's process for each transfer.
    pub receiver_us_per_transfer: f64,
}

impl Report {
    /// One line of JSON.
    pub fn json(&self) -> String {
        let measured = &self.measured;
        json!({
            "target": self.target,
            "shape": format!("{:?}", self.shape).to_lowercase(),
            "transfers": self.transfers,
            "accounts": self.accounts,
            "batch": self.batch,
            "connections": self.connections,
            "subscribers": self.beside.as_ref().map_or(0, |beside| beside.subscribers),
            "delivered_meanwhile": self.beside.as_ref().map(|beside| beside.delivered),
            "outbox_cpu_us_per_transfer": self.beside.as_ref().map(|beside| beside.outbox_us_per_transfer),
            "receiver_cpu_us_per_transfer": self.beside.as_ref().map(|beside| beside.receiver_us_per_transfer),
            "old_keys": self.old_keys,
            "durable": true,
            "seconds": measured.seconds,
            "transfers_per_s": measured.transfers_per_s,
            "p50_us": measured.p50_us,
            "p99_us": measured.p99_us,
            "max_us": measured.max_us,
            "bytes_per_transfer": self.bytes_per_transfer,
            "rss_bytes": self.rss_bytes,
            "cpu_us_per_transfer": measured.cpu_us_per_transfer,
            "restart_s": self.restart_s,
            "history_50_us": self.history.map(|history| history.warm_us),
            "history_50_cold_us": self.history.map(|history| history.cold_us),
            "invariants_ok": self.invariants_ok,
        })
        .to_string()
    }

    /// A table for people.
    pub fn table(&self) -> String {
        let measured = &self.measured;
        let mut table = Table::new();
        table.load_preset(presets::UTF8_BORDERS_ONLY);
        let mut row = |name: &str, value: String| {
            table.add_row([name, &value]);
        };
        row("driven", format!("{}, {:?}, every answer durable", self.target, self.shape));
        row(
            "transfers",
            format!("{} over {} accounts", grouped(self.transfers as f64), grouped(self.accounts as f64)),
        );
        if self.old_keys > 0 {
            row("older transfers", grouped(self.old_keys as f64));
        }
        if self.connections > 0 {
            row("connections", self.connections.to_string());
        }
        if let Some(beside) = &self.beside {
            let share = beside.delivered as f64 / self.transfers as f64 * 100.0;
            row("webhooks at work", format!("{}, each got {share:.0} % meanwhile", beside.subscribers));
        }
        row("batch", self.batch.to_string());
        row("transfers/s", grouped(measured.transfers_per_s));
        row(
            "answer p50 / p99 / max",
            format!("{} / {} / {} µs", measured.p50_us, measured.p99_us, measured.max_us),
        );
        row(
            "processor time",
            format!("{:.2} µs a transfer, load generator included", measured.cpu_us_per_transfer),
        );
        if let Some(beside) = &self.beside {
            let (outbox, receiver) = (beside.outbox_us_per_transfer, beside.receiver_us_per_transfer);
            row(
                "of it the outbox",
                format!("{outbox:.2} µs a transfer; the receiver's own {receiver:.2} µs"),
            );
        }
        row("disk", format!("{:.0} bytes a transfer, key files included", self.bytes_per_transfer));
        row("memory", format!("{} MiB", self.rss_bytes >> 20));
        if let Some(seconds) = self.restart_s {
            row("restart", format!("{seconds:.2} s"));
        }
        if let Some(History { cold_us, warm_us }) = self.history {
            row(
                "last 50 entries",
                format!(
                    "{warm_us:.0} µs, median over random accounts; {cold_us:.0} µs when read for the first time"
                ),
            );
        }
        row("books", if self.invariants_ok { "hold" } else { "DO NOT HOLD" }.to_owned());
        table.to_string()
    }
}

/// 1234567 as 1,234,567.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0.0, "0"), (999.0, "999"), (1_000.0, "1,000"), (1_234_567.0, "1,234,567")] {
            assert_eq!(super::grouped(number), text);
        }
    }
}
