//! TLS by rustls, with ring.

use std::path::Path;
use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::ServeError;

/// Certificate and key, read and found to belong together.
#[derive(Clone, Debug)]
pub struct Tls(pub(super) RustlsConfig);

impl Tls {
    /// Reads a certificate (with the chain after it) and its private key, files in PEM.
    ///
    /// # Errors
    /// [`ServeError::Pem`] or [`ServeError::Tls`].
    pub fn read(cert: &Path, key: &Path) -> Result<Tls, ServeError> {
        config(cert, key).map(|config| Tls(RustlsConfig::from_config(Arc::new(config))))
    }
}

fn config(cert: &Path, key: &Path) -> Result<ServerConfig, ServeError> {
    let unusable = |detail: String| ServeError::Tls { cert: cert.to_owned(), detail };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain(cert)?, private(key)?)
        .map_err(|error| unusable(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, ServeError> {
    let bad = |detail: String| ServeError::Pem { path: path.to_owned(), what: "certificate", detail };
    let found = CertificateDer::pem_file_iter(path).map_err(|error| bad(error.to_string()))?;
    let chain: Vec<_> = found.collect::<Result<_, _>>().map_err(|error| bad(error.to_string()))?;
    if chain.is_empty() {
        return Err(bad("it holds no certificate".to_owned()));
    }
    Ok(chain)
}

fn private(path: &Path) -> Result<PrivateKeyDer<'static>, ServeError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| ServeError::Pem {
        path: path.to_owned(),
        what: "private key",
        detail: error.to_string(),
    })
}
