//! What a person sees of the books in a database: its users, the schema as a script, and the plans of its questions.

mod plans;
mod script;
mod users;

use bank::store::mysql::Fresh;
use journal::Identity;
use sim::server::Database;
use sim::time::START;

/// What a new bank is.
fn fresh() -> Fresh {
    Fresh { identity: Identity { bank: [7; 16], timeline: 1 }, name: "Simulated Bank".into(), time: START }
}

/// The name of a database, for clients.
fn name(database: &Database) -> &str {
    database.url.rsplit('/').next().expect("a URL names its database")
}

/// Something that has to wait.
fn wait<T>(question: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(question)
}
