//! Why nothing can be served.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why nothing can be served. Each is one line with a remedy.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}; {}", bind_remedy(.error))]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The listener does not work.
    #[error("the listener failed: {0}; start again, and look into the system log if it happens again")]
    Listener(io::Error),
    /// A file of the TLS settings cannot be used.
    #[error("{}: {detail}; name a file in PEM that holds the {what}", .path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// Certificate and key do not work together.
    #[error("{} and its key cannot be used: {detail}; check that they belong together", .cert.display())]
    Tls {
        /// The certificate.
        cert: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The socket cannot be made.
    #[error("cannot make the socket {}: {error}; check that its folder is writable and its path shorter than 100 bytes", .path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

fn bind_remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "stop the other program that listens there, or choose another port",
        io::ErrorKind::PermissionDenied => "choose a port from 1024 up, or grant the right to use this one",
        io::ErrorKind::AddrNotAvailable => "choose an address of this machine",
        _ => "choose another address",
    }
}
