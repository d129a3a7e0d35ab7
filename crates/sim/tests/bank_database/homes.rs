//! The homes that a bank database has: a file in the data folder, tables beside books in MariaDB.

use bank::database::{Database, DatabaseError, FILE_NAME};
use bank::store::mysql;
use sim::server::{self, MariaDb};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;

pub const BANK: [u8; 16] = [9; 16];
pub const NOW: i64 = 1_800_000_000_000_000;
/// When the books were opened: not in the future, since business days are the clock's.
const OPENED: i64 = 1_700_000_000_000_000;

/// A place for a bank database, and somebody who gets at it without a service.
pub trait Home: Sized {
    /// One with nothing in it.
    async fn fresh() -> Self;

    /// What the service of this bank opens.
    async fn open_as(&self, bank: [u8; 16]) -> Result<Database, DatabaseError>;

    /// What its own service opens.
    async fn open(&self) -> Database {
        self.open_as(BANK).await.unwrap()
    }

    /// Another program; what it was told.
    async fn by_hand(&self, sql: &str) -> Result<(), String>;

    /// Do these bytes stand anywhere in it?
    async fn holds(&self, needle: &str) -> bool;

    /// Statements of the two dialects.
    fn either<'a>(file: &'a str, server: &'a str) -> &'a str;
}

/// `bank.db`.
pub struct File(TempDir);

impl Home for File {
    async fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Database::create(&folder.path().join(FILE_NAME), BANK, NOW).await.unwrap().close().await;
        File(folder)
    }

    async fn open_as(&self, bank: [u8; 16]) -> Result<Database, DatabaseError> {
        Database::open(&self.0.path().join(FILE_NAME), bank).await
    }

    async fn by_hand(&self, sql: &str) -> Result<(), String> {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.0.path().join(FILE_NAME));
        let mut connection = options.connect().await.unwrap();
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
        connection.close().await.unwrap();
        done.map(|_| ()).map_err(|error| error.to_string())
    }

    async fn holds(&self, needle: &str) -> bool {
        let files = std::fs::read_dir(self.0.path()).unwrap().map(|file| file.unwrap().path());
        files
            .map(|path| std::fs::read(path).unwrap())
            .any(|bytes| bytes.windows(needle.len()).any(|window| window == needle.as_bytes()))
    }

    fn either<'a>(file: &'a str, _: &'a str) -> &'a str {
        file
    }
}

/// Tables beside the books.
pub struct Server(pub server::Database);

impl Server {
    pub fn settings(&self) -> mysql::Settings {
        self.0.settings()
    }
}

impl Home for Server {
    async fn fresh() -> Self {
        let made = tokio::task::spawn_blocking(|| {
            let database = MariaDb::shared().migrated();
            let fresh = mysql::Fresh {
                identity: journal::Identity { bank: BANK, timeline: 1 },
                name: "Small Bank".into(),
                time: OPENED,
            };
            drop(mysql::open(&database.settings(), &fresh).expect("a healthy server"));
            database
        });
        Server(made.await.unwrap())
    }

    async fn open_as(&self, bank: [u8; 16]) -> Result<Database, DatabaseError> {
        Database::beside(&self.settings(), bank).await
    }

    async fn by_hand(&self, sql: &str) -> Result<(), String> {
        let options: sqlx::mysql::MySqlConnectOptions = self.0.url.parse().unwrap();
        let mut connection = options.connect().await.unwrap();
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
        connection.close().await.unwrap();
        done.map(|_| ()).map_err(|error| error.to_string())
    }

    async fn holds(&self, needle: &str) -> bool {
        let dump = std::process::Command::new("mariadb-dump")
            .args(["--no-defaults", "--user=root", "--host=127.0.0.1", "--skip-lock-tables"])
            .arg(format!("--port={}", self.0.url.rsplit([':', '/']).nth(1).unwrap()))
            .arg(self.0.url.rsplit('/').next().unwrap())
            .output()
            .expect("mariadb-dump: install Debian's package mariadb-client");
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        let text = String::from_utf8_lossy(&dump.stdout);
        assert!(text.contains("api_keys"));
        text.contains(needle)
    }

    fn either<'a>(_: &'a str, server: &'a str) -> &'a str {
        server
    }
}
