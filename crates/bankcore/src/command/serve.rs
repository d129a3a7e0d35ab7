//! `bankcore serve`: opens the bank and listens.
//!
//! ```text
//!  certificate ─► look at the folder ─► bind ─► make or open the bank ─► demonstration ─► listen ─► "ready"
//!                                                                                  │ signal: finish, confirm, close
//! ```
//! What can be wrong outside of the folder is found out before it is touched: a certificate that cannot be used, a
//! port that is taken. So the address is known when `demo.json` is written. Who connects early waits.

mod rails;
mod signals;
mod welcome;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bank::http::listen::Tls;
use bank::http::{self, App, listen};
use bank::identity::KeyStore;
use bank::intake::Intake;
use bank::sequencer::{Clock as _, SystemClock, Wanted};
use bank::service::{self, Service};
use clap::Args;
use ledger::AccountId;
use tokio::net::UnixStream;

use crate::config::{Config, ServeArgs};
use crate::demo;
use crate::folder::{self, Found};
use crate::{closing, logging, settings};

/// How often is looked whether others have changed keys: other services on the same database, or somebody by hand.
const FOLLOW: Duration = Duration::from_secs(1);

/// How many looks there are between two writings of the keys' last use.
const REFRESH: u32 = 60;

/// How often is looked whether the server answers yet.
const LOOK: Duration = Duration::from_millis(10);

/// Open the bank in a data folder, made if the folder is empty, and listen
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore serve --demo\n  bankcore serve --data bank --listen 127.0.0.1:9000\n  \
    bankcore serve --data bank --listen 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem\n\n\
    Ctrl-C or SIGTERM finishes what is under way and closes the bank; a second one stops at once. Nothing that was \
    answered is lost either way."
)]
pub struct ServeCommand {
    #[command(flatten)]
    settings: ServeArgs,
}

/// Serves until a signal.
///
/// # Errors
/// Why nothing was served.
pub fn run(args: &ServeCommand) -> anyhow::Result<()> {
    let config = Config::load(&args.settings)?;
    logging::server(&config);
    if config.tls.is_some() {
        // rustls chooses none by itself; if one is installed already it is this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(&config))
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let stop = signals::stop()?;
    let tls = settings::tls(config)?;
    let found = folder::look(&config.data, config.demo, config.store.is_some())?;
    let listener = listen::bind(config.listen)?;
    let address = listener.local_addr().context("the address cannot be read back; choose another one")?;
    let url = url(config, address);
    let service = open(config, found).await?;
    welcome::opened(&service, found)?;
    let demo = if config.demo { Some(demo::prepare(&service, &config.data, &url).await?) } else { None };
    let welcome = welcome::text(&service, config, &url, demo.as_ref()).await?;

    let service = Arc::new(service);
    if let Err(error) = rails::set_up(&service, config).await {
        closing::close(service).await;
        return Err(error);
    }
    service.outbox.start().await.context("events cannot be delivered")?;
    let refresh = tokio::spawn(refresh(Arc::clone(&service.keys)));
    let driver = tokio::spawn(Arc::clone(&service.payments).drive(service.holder));
    let served = listen(config, (listener, tls), &service, stop, &welcome).await;
    refresh.abort();
    driver.abort();
    if let Err(error) = service.keys.refresh(SystemClock::new().wall()).await {
        tracing::warn!(%error, "when keys were last used was not written");
    }
    closing::close(service).await;
    served
}

async fn open(config: &Config, found: Found) -> anyhow::Result<Service> {
    let settings = settings::service(config);
    if found == Found::Nothing {
        folder::make(&config.data)?;
    }
    if let Some(database) = settings::database(config) {
        if found == Found::Nothing && config.demo {
            folder::mark_demo(&config.data)?;
        }
        let service = service::open_database(&config.data, &database, &settings).await?;
        let wanted = Wanted::default();
        let (accounts, _) = service.books.accounts(AccountId(0), 1, wanted).await?;
        if found == Found::Nothing && config.demo && !accounts.is_empty() {
            closing::close(Arc::new(service)).await;
            anyhow::bail!("the database holds a bank already; leave --demo out, or name an empty database");
        }
        return Ok(service);
    }
    Ok(match found {
        Found::Bank => service::open(&config.data, &settings).await?,
        Found::Nothing if config.demo => {
            folder::mark_demo(&config.data)?;
            service::create(&config.data, &settings).await?
        }
        Found::Nothing => service::create(&config.data, &settings).await?,
    })
}

async fn listen(
    config: &Config,
    (listener, tls): (TcpListener, Option<Tls>),
    service: &Arc<Service>,
    stop: impl Future<Output = ()> + Send + 'static,
    welcome: &str,
) -> anyhow::Result<()> {
    let app = App::new(Arc::clone(service), settings::http(config));
    let intake = Intake::start(http::queue_router(Arc::clone(&app)), &settings::intake(config));
    let socket = folder::socket(&config.data);
    let serving = listen::serve(app, listener, tls, Some(socket.clone()), stop);
    tokio::pin!(serving);
    let served = tokio::select! {
        served = &mut serving => served,
        () = answers(&socket) => {
            crate::output::print(welcome)?;
            serving.await
        }
    };
    intake.stop().await;
    Ok(served?)
}

/// Waits until the server accepts: the socket is made last.
async fn answers(socket: &Path) {
    while UnixStream::connect(socket).await.is_err() {
        tokio::time::sleep(LOOK).await;
    }
}

async fn refresh(keys: Arc<KeyStore>) {
    let mut ticks = tokio::time::interval(FOLLOW);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut failing = false;
    for look in 1u32.. {
        ticks.tick().await;
        let done = match look % REFRESH {
            0 => keys.refresh(SystemClock::new().wall()).await,
            _ => keys.follow().await,
        };
        // Told once, not every second.
        match done {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(%error, "what others changed of the keys is not seen; it is tried again");
            }
            Err(_) => {}
        }
    }
}

/// An address that can be used on this machine.
fn url(config: &Config, address: SocketAddr) -> String {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    if address.ip().is_unspecified() {
        return format!("{scheme}://localhost:{}", address.port());
    }
    format!("{scheme}://{address}")
}
