//! A real database server for tests: a private MariaDB on a free port of the loopback, one for each test process.
//!
//! Its data folder is in memory, and gone with the process or before the next server starts. Commits are synced as
//! in earnest: what a crash of the machine would do is not tested here, what a killed server does is.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use bank::store::mysql;

/// A running server.
pub struct MariaDb {
    folder: PathBuf,
    port: u16,
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
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        sweep(&parent);
        let folder = parent.join(format!("{FOLDER}{}-{}", std::process::id(), free_port()));
        std::fs::create_dir_all(&folder).expect("a folder for the server");
        install(&folder);
        let server =
            MariaDb { folder, port: free_port(), child: Mutex::new(None), databases: AtomicU32::new(0) };
        server.run();
        server
    }

    /// Starts the server again after [`MariaDb::kill`], or for the first time; answers when it takes connections.
    ///
    /// # Panics
    /// If it does not come up within a minute.
    pub fn run(&self) {
        let (folder, port) = (self.folder.clone(), self.port);
        // The server dies with the thread that started it, so that none is left behind by a killed test: a
        // thread that lives as long as the process.
        let (told, child) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let log = std::fs::File::create(folder.join("log")).expect("a log");
            let child = Command::new("setpriv")
                .args(["--pdeathsig", "KILL", "mariadbd", "--no-defaults", "--bind-address=127.0.0.1"])
                .arg(format!("--user={}", user()))
                .arg(format!("--datadir={}", folder.join("data").display()))
                .arg(format!("--socket={}", folder.join("socket").display()))
                .arg(format!("--port={port}"))
                .args([
                    "--innodb-buffer-pool-size=128M",
                    "--innodb-log-file-size=64M",
                    "--max-connections=200",
                ])
                .stdout(Stdio::null())
                .stderr(log)
                .spawn();
            let _ = told.send(child.expect("mariadbd: install Debian's package mariadb-server"));
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

    /// Runs statements in the server's own client and answers what it prints, tab-separated.
    ///
    /// # Panics
    /// If the client fails.
    pub fn client(&self, database: &str, statements: &str) -> String {
        let out = Command::new("mariadb")
            .args(["--no-defaults", "--user=root", "--batch", "--skip-column-names"])
            .arg(format!("--socket={}", self.folder.join("socket").display()))
            .args(["--execute", statements, database])
            .output()
            .expect("mariadb: install Debian's package mariadb-client");
        assert!(out.status.success(), "{statements}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Makes a server's data folder. Tried again: what is made beside others that start at the same moment may fail
/// for want of something that they give back in a moment.
fn install(folder: &Path) {
    let mut said = String::new();
    for _ in 0..3 {
        let _ = std::fs::remove_dir_all(folder.join("data"));
        let output = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", folder.join("data").display()))
            .arg(format!("--user={}", user()))
            .output()
            .expect("mariadb-install-db: install Debian's package mariadb-server");
        if output.status.success() {
            return;
        }
        said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        std::thread::sleep(Duration::from_secs(1));
    }
    panic!("mariadb-install-db failed in {}: {said}", folder.display());
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

/// The user that the server runs as: root is not allowed to without saying so.
fn user() -> String {
    std::env::var("USER").ok().filter(|user| !user.is_empty()).unwrap_or_else(|| "root".into())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
