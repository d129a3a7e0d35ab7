//! Creating and opening a bank in a data folder.

use std::path::Path;
use std::sync::Arc;

use journal::Identity;
use journal::disk::OsDisk;
use ledger::{Refusal, rules};

use super::calendar;
use super::{BusinessDays, Service};
use crate::books::Books;
use crate::database::{self, Database, DatabaseError};
use crate::identity::{KeyStore, Quota};
use crate::sequencer::{self, Clock, Fault, QueueLimits, RefusalBudget, SystemClock};
use crate::store::journal::{self as store, OpenError, Opened};
use crate::store::{Reads, Store};

/// How a bank is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the bank is called; written when its books are opened, and never changed.
    pub name: Box<str>,
    /// How the books are kept.
    pub store: store::Settings,
    /// How much may wait before the rules.
    pub queue: QueueLimits,
    /// A leap of the wall clock beyond this stops writes, microseconds.
    pub clock_jump_us: i64,
    /// Requests a second and at once, for each principal; rate 0: no limit.
    pub quota: (u32, u32),
    /// Recorded refusals a second and at once, for each principal.
    pub refusals: (u32, u32),
    /// Who opens and closes business days.
    pub business_days: BusinessDays,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            name: "bank".into(),
            store: store::Settings::default(),
            queue: QueueLimits::default(),
            clock_jump_us: 300 * 1_000_000,
            quota: (100_000, 200_000),
            refusals: (1_000, 10_000),
            business_days: BusinessDays::Calendar,
        }
    }
}

/// Why a bank cannot be created or opened. Each is one line with a remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bank cannot be called so.
    #[error("the name of the bank does not fit. {refusal} {}", .refusal.code.remedy())]
    Name {
        /// What the rules say.
        refusal: Refusal,
    },
    /// The books.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The bank database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The books opened and then could not be used.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}; raise the limit on processes, then start again")]
    Thread(std::io::Error),
    /// The system gives no randomness.
    #[error("the system gives no randomness ({0}); check /dev/urandom")]
    Randomness(getrandom::Error),
}

/// Does the folder hold a bank?
#[must_use]
pub fn is_bank(dir: &Path) -> bool {
    journal::Folder::is_journal(&OsDisk, dir)
}

/// Opens a new bank in an empty or missing folder.
///
/// # Errors
/// [`Error`]; what a crash left half-made is finished by the next call.
pub async fn create(dir: &Path, settings: &Settings) -> Result<Service, Error> {
    // Before the folder is touched.
    rules::bank_name(&settings.name).map_err(|refusal| Error::Name { refusal })?;
    let settings = seeded(settings)?;
    let identity = Identity { bank: random()?, timeline: 1 };
    let (folder, kept) = (dir.to_path_buf(), settings.store.clone());
    let opened = blocking(move || store::create(OsDisk, &folder, identity, &kept)).await?;
    start(dir, &settings, opened).await
}

/// Opens the bank in a folder.
///
/// # Errors
/// [`Error`]; nothing was answered.
pub async fn open(dir: &Path, settings: &Settings) -> Result<Service, Error> {
    let settings = seeded(settings)?;
    let (folder, kept) = (dir.to_path_buf(), settings.store.clone());
    let opened = blocking(move || store::open(OsDisk, &folder, &kept)).await?;
    start(dir, &settings, opened).await
}

async fn start(dir: &Path, settings: &Settings, opened: Opened<OsDisk>) -> Result<Service, Error> {
    let Opened { mut writing, reading, background, recovery, identity, discarded } = opened;
    let fresh = writing.next().0 <= 2;
    if writing.next().0 == 1 {
        let time = SystemClock::new().wall();
        sequencer::open_bank(&mut writing, identity.bank, identity.timeline, &settings.name, time)
            .map_err(|refusal| Error::Name { refusal })?;
        writing.hand_over(Vec::new());
    }
    let name: Box<str> = writing.state().bank_name().into();
    let (sequencer, queue) = sequencer::queue(settings.queue);
    let rules = sequencer::Settings {
        clock: SystemClock::new(),
        clock_jump_us: settings.clock_jump_us,
        refusals: RefusalBudget::new(settings.refusals.0, settings.refusals.1),
        batch_max: ledger::limits::GROUP_MAX + 1,
        bytes_max: (settings.store.journal.frame_bytes_max - (64 << 10)) as usize,
    };
    let rules = std::thread::Builder::new()
        .name("rules".into())
        .spawn(move || {
            sequencer::run(&mut writing, &queue, rules);
        })
        .map_err(Error::Thread)?;
    let books = Books::new(sequencer, Arc::clone(&reading) as Arc<dyn Reads>);
    // Answered only after everything before it is durable: a fresh bank is one from here on.
    books.day().await?;

    let path = dir.join(database::FILE_NAME);
    let now = SystemClock::new().wall();
    let database = if fresh && !path.exists() {
        Database::create(&path, identity.bank, now).await?
    } else {
        Database::open(&path, identity.bank).await?
    };
    let keys = Arc::new(KeyStore::open(database.clone()).await?);
    let calendar = match settings.business_days {
        BusinessDays::Calendar => {
            calendar::turn(&books, &database).await?;
            Some(tokio::spawn(calendar::keep(books.clone(), database.clone())))
        }
        BusinessDays::Manual => None,
    };
    Ok(Service {
        books,
        keys,
        database,
        quota: Arc::new(Quota::new(settings.quota.0, settings.quota.1)),
        identity,
        name,
        recovery,
        discarded,
        calendar,
        rules: Some(rules),
        background: Some(background),
    })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

fn seeded(settings: &Settings) -> Result<Settings, Error> {
    let mut settings = settings.clone();
    let bytes: [u8; 16] = random()?;
    let number = u128::from_be_bytes(bytes);
    settings.store.seed = [number as u64, (number >> 64) as u64];
    Ok(settings)
}

fn random() -> Result<[u8; 16], Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::Randomness)?;
    Ok(bytes)
}
