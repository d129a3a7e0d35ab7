//! An endpoint that takes everything, as a process of its own: whose processor time it is can be told apart.
//!
//! ```text
//!  bankcore bench receiver     prints its URL; says how many it has taken when asked by a line; ends with its input
//! ```
//! It finds the end of a request, counts, says 204. It cannot outlive whoever started it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use bank::database::Actor;
use bank::identity::Role;
use bank::outbox::view::Filter;
use bank::outbox::{Begin, Wish};
use bank::sequencer::{Clock as _, SystemClock};
use bank::service::Service;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::measure;

/// A running endpoint; it ends when this is dropped.
pub struct Receiver {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    url: String,
}

impl Receiver {
    /// On any port of the loopback.
    pub fn start() -> anyhow::Result<Receiver> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let mut command = Command::new(program);
        command.args(["bench", "receiver"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("the receiver cannot be started")?;
        let input = child.stdin.take().context("the receiver has no input")?;
        let output = BufReader::new(child.stdout.take().context("the receiver has no output")?);
        let mut receiver = Receiver { child, input, output, url: String::new() };
        receiver.url = receiver.line()?;
        Ok(receiver)
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many it has taken.
    pub fn count(&mut self) -> anyhow::Result<u64> {
        writeln!(self.input)?;
        self.line()?.parse().context("the receiver does not count")
    }

    /// The processor time that it took.
    pub fn cpu_time(&self) -> Duration {
        measure::cpu_time_of(&self.child.id().to_string())
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        anyhow::ensure!(line.ends_with('\n'), "the receiver is gone");
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // What is ended already cannot be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The receiver's own side, until its input ends.
pub fn run() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    println!("http://{}/", listener.local_addr()?);
    let count = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&count);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("receiver".into()).spawn(move || {
        runtime.block_on(async {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&counter)));
            }
        });
    })?;
    for _ in std::io::stdin().lines().map_while(Result::ok) {
        println!("{}", count.load(Ordering::Relaxed));
    }
    Ok(())
}

async fn serve(mut stream: TcpStream, count: Arc<AtomicU64>) {
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::with_capacity(16 << 10);
    loop {
        let Some(end) = whole(&buffer) else {
            match stream.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            }
        };
        buffer.drain(..end);
        count.fetch_add(1, Ordering::Relaxed);
        if stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.is_err() {
            return;
        }
    }
}

/// Where the first request ends, if it is there as a whole.
fn whole(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let end = head + length?;
    (buffer.len() >= end).then_some(end)
}

/// Registers an endpoint that gets everything.
pub async fn register(service: &Service, url: &str, begin: Begin) -> anyhow::Result<()> {
    let wish = Wish {
        name: "bench".into(),
        url: url.to_owned(),
        principal: "bench".parse()?,
        role: Role::Operations,
        accounts: Vec::new(),
        filter: Filter::default(),
        templates: bank::outbox::template::Templates::new(),
        begin,
    };
    let by = Actor::new("bench", "local");
    service.outbox.create_webhook(wish, &by, SystemClock::new().wall()).await?;
    Ok(())
}
