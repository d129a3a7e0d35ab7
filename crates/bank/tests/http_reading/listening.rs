//! Listening: over TCP, over TLS, over the socket in the data folder; and what a bad peer can do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bank::http::listen::{self, ServeError, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::bank::*;

struct Serving {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

fn serve(bank: &Bank, tls: Option<Tls>, socket: Option<PathBuf>) -> Serving {
    let listener = listen::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async { drop(stopped.await) };
    let task = tokio::spawn(listen::serve(Arc::clone(&bank.app), listener, tls, socket, shutdown));
    Serving { address, stop, task }
}

async fn ask(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    timeout(Duration::from_secs(10), stream.read_to_string(&mut text)).await.unwrap().unwrap();
    text
}

const HEALTH: &str = "GET /api/v1/health HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn over_tcp_and_over_the_socket() {
    let bank = Bank::open().await;
    let path = bank.folder.path().join("bankcore.sock");
    std::fs::write(&path, "left over from before").unwrap();
    let serving = serve(&bank, None, Some(path.clone()));
    let answer = ask(TcpStream::connect(serving.address).await.unwrap(), HEALTH).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let mut tries = 0;
    let socket = loop {
        match UnixStream::connect(&path).await {
            Ok(socket) => break socket,
            Err(error) => assert!(
                {
                    tries += 1;
                    tries < 100
                },
                "{error}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let keys = "GET /api/v1/keys HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n";
    assert!(ask(socket, keys).await.starts_with("HTTP/1.1 200"), "the operator needs no key");
    let outside = ask(TcpStream::connect(serving.address).await.unwrap(), keys).await;
    assert!(outside.starts_with("HTTP/1.1 401"), "{outside}");

    let head = "GET /api/v1/events/stream HTTP/1.1\r\nhost: b\r\n";
    let mut stream = TcpStream::connect(serving.address).await.unwrap();
    stream
        .write_all(format!("{head}authorization: Bearer {}\r\n\r\n", bank.auditor).as_bytes())
        .await
        .unwrap();
    let mut begun = [0; 12];
    stream.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    serving.stop.send(()).unwrap();
    let ended =
        timeout(Duration::from_secs(8), serving.task).await.expect("an open stream does not keep it up");
    ended.unwrap().unwrap();
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_says_nothing_is_given_up() {
    let bank = Bank::open().await;
    let serving = serve(&bank, None, None);
    let mut silent = TcpStream::connect(serving.address).await.unwrap();
    let mut slow = TcpStream::connect(serving.address).await.unwrap();
    slow.write_all(b"GET /api/v1/health HTTP/1.1\r\nhost: b\r\nx-slow: ").await.unwrap();
    let begun = std::time::Instant::now();
    let end = async |stream: &mut TcpStream| {
        let mut rest = Vec::new();
        let _ = timeout(Duration::from_secs(15), stream.read_to_end(&mut rest)).await.expect("closed");
    };
    tokio::join!(end(&mut silent), end(&mut slow));
    assert!(begun.elapsed() > Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls() {
    let bank = Bank::open().await;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (bank.folder.path().join("cert.pem"), bank.folder.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let serving = serve(&bank, Some(Tls::read(&cert, &key).unwrap()), None);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = serving.address;
    let answer = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        let name = "localhost".try_into().unwrap();
        let mut connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let mut tls = rustls::Stream::new(&mut connection, &mut stream);
        tls.write_all(HEALTH.as_bytes()).unwrap();
        let mut text = String::new();
        tls.read_to_string(&mut text).unwrap();
        text
    });
    assert!(answer.await.unwrap().starts_with("HTTP/1.1 200"));

    // Whoever speaks plain HTTP to it is told off in a record of TLS, and the connection ends.
    let mut plain = TcpStream::connect(address).await.unwrap();
    plain.write_all(HEALTH.as_bytes()).await.unwrap();
    let mut end = Vec::new();
    timeout(Duration::from_secs(5), plain.read_to_end(&mut end)).await.expect("closed at once").unwrap();
    assert_eq!(end.first(), Some(&21), "an alert: {end:?}");
}

#[tokio::test]
async fn an_address_in_use_is_said_so() {
    let first = listen::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let error = listen::bind(first.local_addr().unwrap()).unwrap_err().to_string();
    assert!(error.ends_with("stop the other program that listens there, or choose another port"), "{error}");
}
