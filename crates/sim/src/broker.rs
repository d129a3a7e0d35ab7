//! Real brokers for tests: NATS and RabbitMQ on free ports of the loopback, each in a folder of its own that is gone
//! with it. No other one on the machine is touched, and none outlives the process: they die with the thread that
//! started them, which lives as long as the process.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A running NATS server with JetStream.
pub struct Nats {
    folder: PathBuf,
    port: u16,
    child: Mutex<Option<Child>>,
}

impl Nats {
    /// Starts one.
    ///
    /// # Panics
    /// If there is none to start: install Debian's `nats-server`.
    #[must_use]
    pub fn start() -> Nats {
        let port = free_port();
        let nats = Nats { folder: folder("nats", port), port, child: Mutex::default() };
        nats.run();
        nats
    }

    /// Starts it again after [`Nats::kill`], or for the first time; answers when it takes connections.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn run(&self) {
        let mut command = guarded("nats-server");
        command.args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-js", "-sd"]).arg(&self.folder);
        *self.child.lock().expect("no panic") = Some(spawn(command, &self.folder));
        wait_for(self.port, &self.folder);
    }

    /// `kill -9`.
    pub fn kill(&self) {
        kill(&self.child);
    }

    /// For clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A running RabbitMQ, with a port mapper of its own.
pub struct RabbitMq {
    folder: PathBuf,
    port: u16,
    mapper_port: u16,
    mapper: Mutex<Option<Child>>,
    child: Mutex<Option<Child>>,
}

impl RabbitMq {
    /// Starts one.
    ///
    /// # Panics
    /// If there is none to start: install Debian's `rabbitmq-server`.
    #[must_use]
    pub fn start() -> RabbitMq {
        let (port, mapper_port) = (free_port(), free_port());
        let folder = folder("rabbitmq", port);
        let mut mapper = guarded("epmd");
        mapper.args(["-address", "127.0.0.1", "-port", &mapper_port.to_string()]);
        let mapper = Mutex::new(Some(spawn(mapper, &folder)));
        wait_for(mapper_port, &folder);
        std::fs::write(folder.join("plugins"), "[].").expect("a list of plugins");
        std::fs::write(
            folder.join("rabbitmq.conf"),
            "listeners.tcp.1 = 127.0.0.1:PORT\n".replace("PORT", &port.to_string()),
        )
        .expect("a configuration");
        let rabbit = RabbitMq { folder, port, mapper_port, mapper, child: Mutex::default() };
        rabbit.run();
        rabbit
    }

    /// Starts it again after [`RabbitMq::kill`], or for the first time; answers when it takes connections.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn run(&self) {
        // The wrapper in /usr/sbin would change the user; this is what it runs.
        let mut command = guarded("/usr/lib/rabbitmq/bin/rabbitmq-server");
        let at = |name: &str| self.folder.join(name);
        command
            .env("HOME", &self.folder)
            .env("ERL_EPMD_PORT", self.mapper_port.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODENAME", format!("bankcore{}@localhost", self.port))
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", free_port().to_string())
            .env("RABBITMQ_MNESIA_BASE", at("mnesia"))
            .env("RABBITMQ_LOG_BASE", at("log"))
            .env("RABBITMQ_PID_FILE", at("pid"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", at("plugins"))
            .env("RABBITMQ_CONFIG_FILE", at("rabbitmq"))
            .env("RABBITMQ_CONF_ENV_FILE", at("no-such-file"))
            .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 2:2 +sbwt none")
            // Without this a shell stays between us and the server, and a kill would hit the shell.
            .env("RABBITMQ_ALLOW_INPUT", "1");
        *self.child.lock().expect("no panic") = Some(spawn(command, &self.folder));
        wait_for(self.port, &self.folder);
    }

    /// `kill -9`.
    pub fn kill(&self) {
        kill(&self.child);
    }

    /// For clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port)
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        self.kill();
        kill(&self.mapper);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn folder(what: &str, port: u16) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let folder = parent.join(format!("bankcore-{what}-{}-{port}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the broker");
    folder
}

/// A command that dies with the thread that starts it.
fn guarded(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}

fn spawn(mut command: Command, folder: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("said")).expect("a log");
    let other = log.try_clone().expect("a second handle");
    // An Erlang shell would end with its input, so the input stays open.
    command.stdin(Stdio::piped()).stdout(log).stderr(other);
    let (told, child) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = told.send(command.spawn());
        loop {
            std::thread::park();
        }
    });
    let spawned = child.recv().expect("a thread");
    spawned.expect("the broker starts: install Debian's packages nats-server and rabbitmq-server")
}

fn kill(child: &Mutex<Option<Child>>) {
    if let Some(mut child) = child.lock().expect("no panic").take() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn wait_for(port: u16, folder: &Path) {
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < Duration::from_secs(60), "the broker in {} is not up", folder.display());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}
