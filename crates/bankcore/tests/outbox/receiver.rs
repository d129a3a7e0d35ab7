//! An endpoint without a runtime, plain or over TLS: a thread a connection, everything is taken and kept.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

pub struct Receiver {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    pub fn start() -> Receiver {
        Receiver::start_as(Some)
    }

    /// One that speaks TLS.
    pub fn start_with(tls: Arc<rustls::ServerConfig>) -> Receiver {
        Receiver::start_as(move |stream| {
            let connection = rustls::ServerConnection::new(Arc::clone(&tls)).ok()?;
            Some(rustls::StreamOwned::new(connection, stream))
        })
    }

    fn start_as<S: Read + Write + Send + 'static>(
        speak: impl Fn(TcpStream) -> Option<S> + Send + 'static,
    ) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&got);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten().filter_map(speak) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        Receiver { address, got }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn got(&self) -> Vec<Value> {
        self.got.lock().unwrap().clone()
    }
}

fn serve(mut stream: impl Read + Write, got: &Mutex<Vec<Value>>) {
    let mut buffer = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        if let Some((head, end)) = whole(&buffer) {
            got.lock().unwrap().push(serde_json::from_slice(&buffer[head..end]).unwrap());
            buffer.drain(..end);
            if stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").is_err() {
                return;
            }
            continue;
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(count) => buffer.extend_from_slice(&piece[..count]),
        }
    }
}

/// Where the body of the first request begins and ends, if it is there as a whole.
fn whole(buffer: &[u8]) -> Option<(usize, usize)> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).ok()?.to_lowercase();
    let length =
        text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())?;
    (buffer.len() >= head + length).then_some((head, head + length))
}
