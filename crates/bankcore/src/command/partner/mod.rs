//! `bankcore partner`: a second institution, for trying and testing.
//!
//! ```text
//!  POST /rail ─► signature ─► faults (rule, probability, seed) ─► decisions ─► books ─► signed answer
//!                                                                     └─► notices: late, twice, in the wrong order
//! ```
//! It speaks the rail protocol as a good institution does: one decision a reference, durable before it is told,
//! credited once. What goes wrong is only ever the way there and back, and what it says; except that with
//! `contradict` it lies. So a test can ask it what it has really credited.

mod args;
mod books;
mod decisions;
mod faults;
mod notices;
mod server;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use bank::http::listen;
use bank::payments::rail::signature::Key;
use parking_lot::Mutex;

pub use args::PartnerArgs;
use books::Books;
use decisions::Decisions;
use faults::Faults;
use notices::Notices;

use crate::demo::DemoFile;
use crate::{logging, output};

/// The institution.
struct Partner {
    keys: Vec<Key>,
    decisions: Decisions,
    books: Books,
    faults: Mutex<Faults>,
    notices: Notices,
}

/// Serves until it is ended.
///
/// # Errors
/// Why nothing was served.
pub fn run(args: &PartnerArgs) -> anyhow::Result<()> {
    logging::command();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(args))
}

async fn serve(args: &PartnerArgs) -> anyhow::Result<()> {
    let demo = args.demo.then(|| DemoFile::read(args.bank.as_ref())).transpose()?.flatten();
    let rail = demo.as_ref().and_then(|demo| demo.rail.as_ref());
    if args.demo && rail.is_none() {
        bail!("{} holds no demonstration with a rail; start bankcore serve --demo first", args.bank);
    }
    let secret = match (&args.secret_file, rail) {
        (Some(file), _) => std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?,
        (None, Some(rail)) => rail.secret.clone(),
        (None, None) => bail!("name the rail's secret with --secret-file, or use --demo"),
    };
    let key_id = rail.map_or(args.key_id.as_str(), |rail| rail.key_id.as_str());
    let key =
        Key::from_text(key_id, &secret).context("the secret is not whsec_ and 24 to 64 bytes in base64")?;
    let notify = args.notices.clone().or_else(|| rail.map(|rail| rail.notices.clone()));
    let faults = Faults::parse(&args.faults, &args.rules, args.seed)?;

    let listener = listen::bind(args.listen)?;
    let address = listener.local_addr()?;
    let folder = (!args.memory).then_some(args.data.as_ref());
    let books = Books::open(folder).await?;
    let decisions = Decisions::open(folder)?;
    let notices = Notices::new(notify, key.clone())?;
    let partner =
        Arc::new(Partner { keys: vec![key], decisions, books, faults: Mutex::new(faults), notices });
    partner.go_on().await?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    output::print(&format!("partner is ready at http://{address}/rail"))?;
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, server::router(Arc::clone(&partner))).with_graceful_shutdown(stop).await?;
    Ok(())
}
