//! The baseline: `CALL sp_transfer` on many connections, one transfer a commit, as any MySQL client would.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::bail;
use parking_lot::Mutex;
use sqlx::Row;

use super::database::connect;
use super::measure::{Measured, Meter};
use super::shape::{Pairs, Shape};

/// What every connection shares.
struct Load {
    url: String,
    transfers: u64,
    sent: AtomicU64,
    pairs: Mutex<Pairs>,
    meter: Mutex<Meter>,
}

/// Has transfers made by the procedure, and measures.
pub fn run(
    url: &str,
    transfers: u64,
    connections: usize,
    shape: Shape,
    accounts: u64,
    progress: &dyn Fn(u64),
) -> anyhow::Result<Measured> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let load = Arc::new(Load {
        url: url.to_owned(),
        transfers,
        sent: AtomicU64::new(0),
        pairs: Mutex::new(Pairs::new(shape, accounts, 1)),
        meter: Mutex::new(Meter::start()),
    });
    runtime.block_on(async {
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..connections {
            clients.spawn(client(Arc::clone(&load)));
        }
        while let Some(client) = clients.join_next().await {
            client??;
            progress(load.meter.lock().done());
        }
        anyhow::Ok(())
    })?;
    let load = Arc::into_inner(load).expect("every client has ended");
    Ok(load.meter.into_inner().finish())
}

#[allow(clippy::disallowed_methods)] // A benchmark measures real time.
async fn client(load: Arc<Load>) -> anyhow::Result<()> {
    let mut connection = connect(&load.url).await?;
    loop {
        let number = load.sent.fetch_add(1, Ordering::Relaxed);
        if number >= load.transfers {
            return Ok(());
        }
        let (from, to) = load.pairs.lock().draw();
        let amount = 1 + number % 1_000;
        let call = format!(
            "CALL sp_transfer({}, {}, {}.{:02}, NULL, 'bench', 'procedure{number}', @id, @status, @message); \
             SELECT @status, @message",
            from.0,
            to.0,
            amount / 100,
            amount % 100
        );
        let sent = Instant::now();
        let row = sqlx::raw_sql(sqlx::AssertSqlSafe(call)).fetch_one(&mut connection).await?;
        let latency = sent.elapsed();
        load.meter.lock().answered(1, latency);
        let (status, message): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if status != "COMPLETED" {
            bail!("a transfer of the benchmark was refused: {message}");
        }
    }
}
