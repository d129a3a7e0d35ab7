//! Log lines: to stderr, as text for people or as JSON for machines.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// The log of a server.
pub fn server(config: &Config) {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(&config.log))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}

/// The log of a command that opens the bank itself: only what the operator must know.
pub fn command() {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter("warn"))
        .without_time()
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // Several commands in one process (a test) share the first one's log.
    let _ = log.try_init();
}

/// Our own lines at `level`; those of libraries only from warnings on.
fn filter(level: &str) -> EnvFilter {
    let others = match level {
        "off" | "error" | "warn" => level,
        _ => "warn",
    };
    // The client of RabbitMQ logs a message that came back with all that is in it: customers' accounts and balances.
    let silent = "lapin::returned_messages=off";
    EnvFilter::new(format!("{others},{silent},bankcore={level},bank={level},journal={level},ledger={level}"))
}
