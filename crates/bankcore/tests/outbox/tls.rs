//! Webhooks over TLS: to an endpoint whose certificate the machine trusts, for the name that was registered, and to
//! nobody else.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::common::{Server, demo_file, get, json};
use super::receiver::Receiver;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// An endpoint with a certificate for this name.
fn endpoint(authority: &Authority, name: &str) -> Receiver {
    let key = KeyPair::generate().unwrap();
    let signed = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.der().clone()], key.serialize_der().try_into().unwrap());
    Receiver::start_with(Arc::new(config.unwrap()))
}

/// Registers it under the name localhost; its id.
fn registered(data: &Path, name: &str, receiver: &Receiver) -> String {
    let url = format!("https://localhost:{}/", receiver.port());
    let made = json(data, &["webhook", "create", "--name", name, "--url", &url, "--after", "0"]);
    made["id"].as_str().unwrap().to_owned()
}

/// Waits for a first attempt that failed; what it was answered.
fn refused(server: &Server, key: &str, id: &str) -> String {
    let began = Instant::now();
    loop {
        let list = get(&server.address, &format!("/api/v1/webhooks/{id}/deliveries"), key).body;
        if let Some(tried) = list["items"].as_array().unwrap().first() {
            return tried["answer"].as_str().unwrap().to_owned();
        }
        assert!(began.elapsed() < PATIENCE, "{list}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn events_go_over_tls_to_whom_the_certificate_names_and_to_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (trusted, unknown) = (authority("ours"), authority("somebody's"));
    let file = folder.path().join("authorities.pem");
    std::fs::write(&file, trusted.as_ref().pem()).unwrap();
    let words = format!("SSL_CERT_FILE={}", file.display());
    let data = folder.path().join("bank");
    let flags = ["--demo", "--webhook-allow", "127.0.0.1,::1"];
    let server = Server::start_under(&["env", &words], &data, &flags);
    let key = demo_file(&data)["keys"]["admin"].as_str().unwrap().to_owned();

    let right = endpoint(&trusted, "localhost");
    let elsewhere = endpoint(&trusted, "elsewhere.example");
    let forged = endpoint(&unknown, "localhost");
    registered(&data, "right", &right);
    let (wrong_name, wrong_authority) =
        (registered(&data, "elsewhere", &elsewhere), registered(&data, "forged", &forged));

    let began = Instant::now();
    while right.got().is_empty() {
        assert!(began.elapsed() < PATIENCE, "events arrive over TLS");
        std::thread::sleep(Duration::from_millis(50));
    }
    let said = refused(&server, &key, &wrong_name);
    assert!(said.starts_with("no connection") && said.contains("not valid for name"), "{said}");
    let said = refused(&server, &key, &wrong_authority);
    assert!(said.starts_with("no connection") && said.contains("UnknownIssuer"), "{said}");
    assert!(elsewhere.got().is_empty() && forged.got().is_empty(), "nothing was sent to them");
    assert!(server.stop());
}
