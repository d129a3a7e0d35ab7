//! An endpoint that takes everything, on a thread of its own: it finds the end of a request, counts, says 204.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bank::database::Actor;
use bank::identity::Role;
use bank::outbox::view::Filter;
use bank::outbox::{Begin, Wish};
use bank::sequencer::{Clock as _, SystemClock};
use bank::service::Service;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A running endpoint.
pub struct Receiver {
    address: SocketAddr,
    count: Arc<AtomicU64>,
}

impl Receiver {
    /// On any port of the loopback, until the process ends.
    pub fn start() -> anyhow::Result<Receiver> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
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
        Ok(Receiver { address, count })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// How many it has taken.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
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
