//! The engine over books in MySQL or MariaDB, and beside it what a plain client gets from the stored procedures.

use std::time::Duration;

use anyhow::{Context, bail};
use bank::sequencer::{Clock, SystemClock};
use bank::store::mysql::{self, Writing};
use journal::Identity;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{Connection, Row};

use super::engine::Engine;

/// Commands of a batch, as `serve` has it.
const BATCH: usize = 1_000;
/// Bytes of a batch, as the sequencer reckons.
const BATCH_BYTES: usize = 32 << 20;

/// Opens an empty bank in a database, which must be empty or hold none.
pub fn create(url: &str, accounts: u64) -> anyhow::Result<Engine> {
    let engine = open(url)?;
    if engine.head() > 1 {
        bail!("the database holds a bank already; name an empty database with --store");
    }
    let mut engine = engine;
    engine.fill(accounts)?;
    Ok(engine)
}

/// Opens the bank that is in a database.
pub fn open(url: &str) -> anyhow::Result<Engine> {
    let settings = mysql::Settings::new(url);
    runtime()?.block_on(mysql::prepare(&settings))?;
    let fresh = mysql::Fresh {
        identity: Identity { bank: [7; 16], timeline: 1 },
        name: "bench".into(),
        time: SystemClock::new().wall(),
    };
    let mysql::Opened { writing, reading, .. } = mysql::open(&settings, &fresh)?;
    let url = url.to_owned();
    let used = Box::new(move || used_bytes(&url));
    Engine::start(writing, Writing::into_state, reading, (BATCH, BATCH_BYTES), used, None)
}

/// Tables and indexes.
fn used_bytes(url: &str) -> anyhow::Result<u64> {
    runtime()?.block_on(async {
        let mut connection = connect(url).await?;
        // MySQL keeps these figures for a day unless it is told not to; MariaDB knows no such setting.
        let _ =
            sqlx::raw_sql("SET SESSION information_schema_stats_expiry = 0").execute(&mut connection).await;
        let question = "SELECT CAST(SUM(data_length + index_length) AS CHAR) FROM information_schema.tables \
                        WHERE table_schema = DATABASE()";
        let row = sqlx::raw_sql(question).fetch_one(&mut connection).await?;
        let bytes: String = row.try_get(0)?;
        Ok(bytes.parse()?)
    })
}

/// A plain client's connection.
pub async fn connect(url: &str) -> anyhow::Result<MySqlConnection> {
    let options: MySqlConnectOptions = url.parse().context("not a database URL")?;
    let connecting = tokio::time::timeout(Duration::from_secs(10), MySqlConnection::connect_with(&options));
    Ok(connecting.await.context("the database does not answer")??)
}

/// For what has to wait.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
