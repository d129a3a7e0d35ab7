//! A real database server for tests: a private MariaDB on a free port of the loopback, one for each test process; or
//! MySQL in its place, see [`program`].
//!
//! Its data folder is in memory where that can be, and gone with the process or before the next server starts. Commits are synced as
//! in earnest: what a crash of the machine would do is not tested here, what a killed server does is.

pub mod program;

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use bank::store::mysql;
use program::Program;

/// A running server.
pub struct MariaDb {
    folder: PathBuf,
    port: u16,
    options: &'static [&'static str],
    child: Mutex<Option<Child>>,
    databases: AtomicU32,
}

/// A database of its own on a server; its tables are gone with the server.
pub struct Database {
    /// For clients.
    pub url: String,
}

impl Database {
    /// How a store opens it.
    #[must_use]
    pub fn settings(&self) -> mysql::Settings {
        mysql::Settings::new(&self.url)
    }
}

impl MariaDb {
    /// The one of this process.
    pub fn shared() -> &'static MariaDb {
        static SHARED: OnceLock<MariaDb> = OnceLock::new();
        SHARED.get_or_init(MariaDb::start)
    }

    /// A server of its own, for a test that kills it.
    ///
    /// # Panics
    /// If there is none to start: install Debian's `mariadb-server`.
    #[must_use]
    pub fn start() -> MariaDb {
        MariaDb::start_with(&[])
    }

    /// The same with options.
    ///
    /// # Panics
    /// As [`MariaDb::start`].
    #[must_use]
    pub fn start_with(options: &'static [&'static str]) -> MariaDb {
        let program = Program::chosen();
        let parent = program.parent();
        sweep(&parent);
        let folder = parent.join(format!("{FOLDER}{}-{}", std::process::id(), free_port()));
        std::fs::create_dir_all(folder.join("tmp")).expect("a folder for the server");
        program.install(&folder);
        let (port, child) = (free_port(), Mutex::new(None));
        let server = MariaDb { folder, port, options, child, databases: AtomicU32::new(0) };
        server.run();
        server
    }

    /// Starts the server again after [`MariaDb::kill`], or for the first time; answers when it takes connections.
    ///
    /// # Panics
    /// If it does not come up within a minute.
    pub fn run(&self) {
        let (folder, port, options) = (self.folder.clone(), self.port, self.options);
        // The server dies with the thread that started it, so that none is left behind by a killed test: a
        // thread that lives as long as the process.
        let (told, child) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let log = std::fs::File::create(folder.join("log")).expect("a log");
            let child = Program::chosen()
                .server(&folder, port)
                .args(options)
                .stdout(Stdio::null())
                .stderr(log)
                .spawn();
            let _ = told.send(child.expect("setpriv: install Debian's package util-linux"));
            loop {
                std::thread::park();
            }
        });
        *self.child.lock().expect("no panic") = Some(child.recv().expect("a child"));
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "the server in {} is not up",
                self.folder.display()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills the server as a power cut would, but for the page cache.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().expect("no panic").take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The URL of a database on this server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("mysql://root@127.0.0.1:{}/{database}", self.port)
    }

    /// The certificate of whoever signed the server's own: MySQL makes both itself, MariaDB none.
    #[must_use]
    pub fn authority(&self) -> Option<PathBuf> {
        Some(self.folder.join("data/ca.pem")).filter(|path| path.exists())
    }

    /// An empty database.
    ///
    /// # Panics
    /// If the server does not make it.
    pub fn empty(&self) -> Database {
        let name = format!("bank{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.client("", &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
        Database { url: self.url(&name) }
    }

    /// A database with all tables.
    ///
    /// # Panics
    /// If the migrations do not run.
    pub fn migrated(&self) -> Database {
        let database = self.empty();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(mysql::migrate(&database.settings())).expect("the migrations run");
        database
    }

    /// Runs statements in a client and answers what it prints, tab-separated.
    ///
    /// # Panics
    /// If the client fails.
    pub fn client(&self, database: &str, statements: &str) -> String {
        let said = self.client_of(("root", ""), database, statements);
        said.unwrap_or_else(|why| panic!("{statements}: {why}"))
    }

    /// The same as a user with a password.
    ///
    /// # Errors
    /// What the client says.
    pub fn client_of(
        &self,
        (user, password): (&str, &str),
        database: &str,
        statements: &str,
    ) -> Result<String, String> {
        let mut command = self.command(user, password);
        answer(command.args(["--execute", statements, database]).output())
    }

    /// Runs a script as a user with a password, comments and DELIMITERs included.
    ///
    /// # Errors
    /// What the client says.
    pub fn script(&self, user: (&str, &str), database: &str, script: &str) -> Result<String, String> {
        let mut command = self.command(user.0, user.1);
        command
            .args(["--comments", database])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("mariadb: install Debian's package mariadb-client");
        // Whether it read to the end is told by its answer.
        let _ = child.stdin.take().expect("piped").write_all(script.as_bytes());
        answer(child.wait_with_output())
    }

    fn command(&self, user: &str, password: &str) -> Command {
        let mut command = Command::new("mariadb");
        command
            .args(["--no-defaults", "--batch", "--skip-column-names", "--protocol=tcp", "--host=127.0.0.1"])
            .arg(format!("--port={}", self.port))
            .arg(format!("--user={user}"))
            .env("MYSQL_PWD", password);
        command
    }
}

fn answer(output: std::io::Result<Output>) -> Result<String, String> {
    let output = output.expect("mariadb: install Debian's package mariadb-client");
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Folders of servers begin so, and go on with the process that they belong to.
const FOLDER: &str = "bankcore-mariadb-";

/// Takes away what processes left behind that are gone: the one of a whole process has nobody to do so at its end.
fn sweep(parent: &Path) {
    let processes = Path::new("/proc");
    if !processes.join("self").exists() {
        return;
    }
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(FOLDER)?.split('-').next());
        if owner.is_some_and(|owner| !processes.join(owner).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
