//! Requests, counted as they are answered: by path, method and status, and how long they took.
//!
//! Kept by hand rather than in a recorder of the whole process: a request costs two looks into small tables
//! and three additions, and two banks in one process (tests) do not share their figures.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use parking_lot::RwLock;
use tokio::time::Instant;

use crate::http::app::App;

/// Upper ends of the histogram's buckets, in microseconds.
const BUCKETS: [u64; 13] =
    [250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000];

/// What was answered, by path.
#[derive(Default)]
pub(in crate::http) struct Requests {
    paths: RwLock<HashMap<Box<str>, Arc<Answers>>>,
}

#[derive(Default)]
struct Answers {
    cells: RwLock<Vec<Arc<Cell>>>,
}

struct Cell {
    method: &'static str,
    status: u16,
    count: AtomicU64,
    micros: AtomicU64,
    buckets: [AtomicU64; BUCKETS.len()],
}

/// Counts a request when its head is answered; a stream counts when it begins.
pub(in crate::http) async fn measure(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let method = word(request.method());
    let begin = Instant::now();
    let response = next.run(request).await;
    let path = path.as_ref().map_or("none", MatchedPath::as_str);
    app.requests().count(path, method, response.status().as_u16(), begin.elapsed());
    response
}

/// A word that nobody can make up: labels must not grow without end.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

impl Requests {
    fn count(&self, path: &str, method: &'static str, status: u16, took: Duration) {
        let known = self.paths.read().get(path).cloned();
        let answers = known.unwrap_or_else(|| Arc::clone(self.paths.write().entry(path.into()).or_default()));
        let cell = answers.cell(method, status);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        cell.count.fetch_add(1, Ordering::Relaxed);
        cell.micros.fetch_add(micros, Ordering::Relaxed);
        if let Some(bucket) = BUCKETS.iter().position(|end| micros <= *end) {
            cell.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// In the text format of Prometheus.
    pub(super) fn render(&self, out: &mut String) {
        out.push_str("# HELP bankcore_http_requests_total Requests answered.\n");
        out.push_str("# TYPE bankcore_http_requests_total counter\n");
        let cells = self.cells();
        for (path, cell) in &cells {
            let Cell { method, status, count, .. } = &**cell;
            let count = count.load(Ordering::Relaxed);
            let labels = format!("method=\"{method}\",path=\"{path}\",status=\"{status}\"");
            let _ = writeln!(out, "bankcore_http_requests_total{{{labels}}} {count}");
        }
        out.push_str("# HELP bankcore_http_request_seconds Time until the head of the answer.\n");
        out.push_str("# TYPE bankcore_http_request_seconds histogram\n");
        for group in cells.chunk_by(|(path, cell), (other, next)| path == other && cell.method == next.method)
        {
            histogram(out, group);
        }
    }

    /// All cells with their paths, in a fixed order.
    fn cells(&self) -> Vec<(Box<str>, Arc<Cell>)> {
        let paths = self.paths.read();
        let mut cells: Vec<_> = paths
            .iter()
            .flat_map(|(path, answers)| {
                answers.cells.read().iter().map(|cell| (path.clone(), Arc::clone(cell))).collect::<Vec<_>>()
            })
            .collect();
        cells.sort_by(|(path, cell), (other, next)| {
            (path, cell.method, cell.status).cmp(&(other, next.method, next.status))
        });
        cells
    }
}

/// The cells of one path and method as one histogram.
fn histogram(out: &mut String, cells: &[(Box<str>, Arc<Cell>)]) {
    let Some((path, first)) = cells.first() else { return };
    let labels = format!("method=\"{}\",path=\"{path}\"", first.method);
    let sum = |of: &dyn Fn(&Cell) -> &AtomicU64| -> u64 {
        cells.iter().map(|(_, cell)| of(cell).load(Ordering::Relaxed)).sum()
    };
    let mut below = 0;
    for (index, end) in BUCKETS.iter().enumerate() {
        below += sum(&|cell| &cell.buckets[index]);
        let end = *end as f64 / 1e6;
        let _ = writeln!(out, "bankcore_http_request_seconds_bucket{{{labels},le=\"{end}\"}} {below}");
    }
    let count = sum(&|cell| &cell.count);
    let seconds = sum(&|cell| &cell.micros) as f64 / 1e6;
    let _ = writeln!(out, "bankcore_http_request_seconds_bucket{{{labels},le=\"+Inf\"}} {count}");
    let _ = writeln!(out, "bankcore_http_request_seconds_sum{{{labels}}} {seconds}");
    let _ = writeln!(out, "bankcore_http_request_seconds_count{{{labels}}} {count}");
}

impl Answers {
    fn cell(&self, method: &'static str, status: u16) -> Arc<Cell> {
        let same = |cell: &&Arc<Cell>| cell.method == method && cell.status == status;
        if let Some(cell) = self.cells.read().iter().find(same) {
            return Arc::clone(cell);
        }
        let mut cells = self.cells.write();
        if let Some(cell) = cells.iter().find(same) {
            return Arc::clone(cell);
        }
        let cell = Arc::new(Cell {
            method,
            status,
            count: AtomicU64::new(0),
            micros: AtomicU64::new(0),
            buckets: Default::default(),
        });
        cells.push(Arc::clone(&cell));
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_upwards_over_all_statuses() {
        let requests = Requests::default();
        for (status, micros) in [(200, 100), (200, 700), (404, 700), (200, 9_000_000)] {
            requests.count("/x", "GET", status, Duration::from_micros(micros));
        }
        let mut text = String::new();
        requests.render(&mut text);
        for line in [
            "bankcore_http_requests_total{method=\"GET\",path=\"/x\",status=\"200\"} 3",
            "bankcore_http_requests_total{method=\"GET\",path=\"/x\",status=\"404\"} 1",
            "bankcore_http_request_seconds_bucket{method=\"GET\",path=\"/x\",le=\"0.00025\"} 1",
            "bankcore_http_request_seconds_bucket{method=\"GET\",path=\"/x\",le=\"0.001\"} 3",
            "bankcore_http_request_seconds_bucket{method=\"GET\",path=\"/x\",le=\"5\"} 3",
            "bankcore_http_request_seconds_bucket{method=\"GET\",path=\"/x\",le=\"+Inf\"} 4",
            "bankcore_http_request_seconds_sum{method=\"GET\",path=\"/x\"} 9.0015",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
