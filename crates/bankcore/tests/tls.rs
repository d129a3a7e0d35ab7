//! TLS on the real binary: with a certificate it is spoken, and what is wrong with one is said before anything is
//! touched.

mod common;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{Server, refusal, run};

struct Pair {
    made: rcgen::CertifiedKey<rcgen::KeyPair>,
    cert: PathBuf,
    key: PathBuf,
}

/// A certificate for localhost that nobody else signed.
fn pair(dir: &Path, name: &str) -> Pair {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (dir.join(format!("{name}.cert.pem")), dir.join(format!("{name}.key.pem")));
    fs::write(&cert, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    Pair { made, cert, key }
}

fn client(pair: &Pair) -> rustls::ClientConnection {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(pair.made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    rustls::ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap()
}

const READY: &str = "GET /api/v1/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[test]
fn with_a_certificate_tls_is_spoken_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let pair = pair(folder.path(), "right");
    let flags = ["--tls-cert", pair.cert.to_str().unwrap(), "--tls-key", pair.key.to_str().unwrap()];
    let server = Server::start(&folder.path().join("bank"), &flags);
    assert!(server.said.last().unwrap().contains("https://"), "{:?}", server.said);

    let mut connection = client(&pair);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    tls.write_all(READY.as_bytes()).unwrap();
    let mut answer = String::new();
    tls.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("strict-transport-security"), "{answer}");

    // Plain HTTP gets an alert of TLS, no word of HTTP, and the end of the connection.
    let mut plain = TcpStream::connect(&server.address).unwrap();
    plain.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
    plain.write_all(READY.as_bytes()).unwrap();
    let mut end = Vec::new();
    plain.read_to_end(&mut end).expect("closed, not left waiting");
    assert_eq!(end.first(), Some(&21), "{end:?}");
    assert!(server.stop());
}

/// The files were read only after the folder had been made and the bank opened in it: a typing mistake left a
/// bank behind, under the name that a second start would not change any more.
#[test]
fn a_certificate_that_cannot_be_used_touches_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (right, other) = (pair(folder.path(), "right"), pair(folder.path(), "other"));
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (empty, garbage) = (file("empty.pem", ""), file("garbage.pem", "not a certificate"));
    let missing = folder.path().join("missing.pem");
    let bank = folder.path().join("bank");
    for (cert, key, says) in [
        (&missing, &right.key, "missing.pem"),
        (&right.cert, &missing, "missing.pem"),
        (&empty, &right.key, "holds the certificate"),
        (&garbage, &right.key, "holds the certificate"),
        (&right.key, &right.key, "holds the certificate"),
        (&right.cert, &right.cert, "holds the private key"),
        (&right.cert, &garbage, "holds the private key"),
        (&right.cert, &other.key, "check that they belong together"),
    ] {
        let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
        let words = ["serve", "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key];
        let error = refusal(&run(&bank, &words));
        assert!(error.contains(says), "{cert} {key}: {error}");
        assert!(!bank.exists());
    }
    let error = refusal(&run(&bank, &["serve", "--listen", "127.0.0.1:0", "--tls-cert", "c.pem"]));
    assert!(error.contains("tls_key"), "{error}");
    assert!(!bank.exists());
}
