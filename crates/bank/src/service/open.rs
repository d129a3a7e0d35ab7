//! Creating and opening a bank in a data folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::disk::OsDisk;
use journal::keys::Discarded;
use journal::{Identity, Recovery};
use ledger::{Refusal, rules};

use super::{Beside, BusinessDays, Service};
use super::{arrival, calendar};
use crate::books::{Books, KeptNames};
use crate::database::{self, Database, DatabaseError};
use crate::identity::{KeyStore, Quota};
use crate::moving;
use crate::outbox::{self, Outbox};
use crate::payments::{Holder, PaymentError, Payments};
use crate::sequencer::{self, Clock, Fault, QueueLimits, RefusalBudget, SystemClock};
use crate::store::journal::{self as store, OpenError, Opened};
use crate::store::mysql;
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
    /// Where events are delivered to, beside the webhooks.
    pub outbox: outbox::Settings,
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
            outbox: outbox::Settings::default(),
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
    /// The books in a database.
    #[error(transparent)]
    MySql(#[from] mysql::OpenError),
    /// Another process works in the folder.
    #[error("another process serves from {0}; stop it, or give this one a folder of its own (--data)")]
    InUse(PathBuf),
    /// The folder is the target of a copy.
    #[error(
        "{0} holds an unfinished copy of a bank; finish it with `bankcore migrate` from the same source, or remove it"
    )]
    Unfinished(PathBuf),
    /// The folder cannot be used.
    #[error("{0}: {1}; check that the folder is there and may be written")]
    Folder(PathBuf, std::io::Error),
    /// The bank database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// What the books know of payments and the bank database does not could not be written there.
    #[error("payments cannot be compared with the books: {0}")]
    Payments(PaymentError),
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
    check_whole(dir)?;
    // Before the folder is touched.
    rules::bank_name(&settings.name).map_err(|refusal| Error::Name { refusal })?;
    let settings = seeded(settings)?;
    let identity = Identity { bank: random()?, timeline: 1 };
    let (folder, kept) = (dir.to_path_buf(), settings.store.clone());
    let opened = blocking(move || store::create(OsDisk, &folder, identity, &kept)).await?;
    start_folder(dir, &settings, opened).await
}

/// Opens the bank in a folder.
///
/// # Errors
/// [`Error`]; nothing was answered.
pub async fn open(dir: &Path, settings: &Settings) -> Result<Service, Error> {
    check_whole(dir)?;
    let settings = seeded(settings)?;
    let (folder, kept) = (dir.to_path_buf(), settings.store.clone());
    let opened = blocking(move || store::open(OsDisk, &folder, &kept)).await?;
    start_folder(dir, &settings, opened).await
}

/// Opens the bank whose books are in a database, and a new one if there are none. API keys and audit trail are beside
/// the books; the folder, which must be there, is only a place for this process: lock and socket.
///
/// # Errors
/// [`Error`]; nothing was answered.
pub async fn open_database(
    dir: &Path,
    database: &mysql::Settings,
    settings: &Settings,
) -> Result<Service, Error> {
    rules::bank_name(&settings.name).map_err(|refusal| Error::Name { refusal })?;
    let lock = lock(dir)?;
    mysql::prepare(database).await?;
    let fresh = mysql::Fresh {
        identity: Identity { bank: random()?, timeline: 1 },
        name: settings.name.clone(),
        time: SystemClock::new().wall(),
    };
    let kept = database.clone();
    let mysql::Opened { writing, reading, background, identity } =
        blocking(move || mysql::open(&kept, &fresh)).await?;
    mark(dir, &lock, database)?;
    let name: Box<str> = writing.state().bank_name().into();
    let recovered = Recovered { identity, name, recovery: None, discarded: Vec::new() };
    let process = Process::Beside(database.clone());
    let background = Some(Beside::Database(background));
    let work = Work { reading, background, lock: Some(lock), process, batch_max: DATABASE_BATCH };
    start(dir, settings, writing, work, recovered).await
}

/// Writes into the lock which database the folder belongs to.
fn mark(dir: &Path, lock: &File, database: &mysql::Settings) -> Result<(), Error> {
    use std::os::unix::fs::FileExt as _;
    let text = format!("The books of this bank are in the database {}.\n", database.name());
    let written = lock.set_len(0).and_then(|()| lock.write_all_at(text.as_bytes(), 0));
    written.map_err(|error| Error::Folder(dir.join(LOCK), error))
}

/// Commands of one batch in a database: beyond this a larger batch is no faster and everyone waits longer.
const DATABASE_BATCH: usize = 1_000;

async fn start_folder(dir: &Path, settings: &Settings, opened: Opened<OsDisk>) -> Result<Service, Error> {
    let Opened { mut writing, reading, background, recovery, identity, discarded } = opened;
    let process = match writing.next().0 <= 2 && !dir.join(database::FILE_NAME).exists() {
        true => Process::NewFile,
        false => Process::File,
    };
    if writing.next().0 == 1 {
        let time = SystemClock::new().wall();
        sequencer::open_bank(&mut writing, identity.bank, identity.timeline, &settings.name, time)
            .map_err(|refusal| Error::Name { refusal })?;
        writing.hand_over(Vec::new());
    }
    let name: Box<str> = writing.state().bank_name().into();
    let recovered = Recovered { identity, name, recovery: Some(recovery), discarded };
    let batch_max = ledger::limits::GROUP_MAX + 1;
    let work =
        Work { reading, background: Some(Beside::Journal(background)), lock: None, process, batch_max };
    start(dir, settings, writing, work, recovered).await
}

/// What opening the books found.
struct Recovered {
    identity: Identity,
    name: Box<str>,
    recovery: Option<Recovery>,
    discarded: Vec<Discarded>,
}

/// What works beside the rules.
struct Work {
    reading: Arc<dyn Reads>,
    background: Option<Beside>,
    lock: Option<File>,
    process: Process,
    batch_max: usize,
}

/// Where the bank database is.
enum Process {
    /// In the folder, and still to be made.
    NewFile,
    /// In the folder.
    File,
    /// Beside the books.
    Beside(mysql::Settings),
}

async fn start<S: Store>(
    dir: &Path,
    settings: &Settings,
    mut writing: S,
    Work { reading, background, lock, process, batch_max }: Work,
    Recovered { identity, name, recovery, discarded }: Recovered,
) -> Result<Service, Error> {
    let (sequencer, queue) = sequencer::queue(settings.queue);
    let rules = sequencer::Settings {
        clock: SystemClock::new(),
        clock_jump_us: settings.clock_jump_us,
        refusals: RefusalBudget::new(settings.refusals.0, settings.refusals.1),
        batch_max,
        bytes_max: (settings.store.journal.frame_bytes_max - (64 << 10)) as usize,
    };
    let rules = std::thread::Builder::new()
        .name("rules".into())
        .spawn(move || {
            sequencer::run(&mut writing, &queue, rules);
        })
        .map_err(Error::Thread)?;
    let books = Books::new(sequencer, reading);
    // Answered only after everything before it is durable: a fresh bank is one from here on.
    books.day().await?;

    let path = dir.join(database::FILE_NAME);
    let database = match process {
        Process::NewFile => Database::create(&path, identity.bank, SystemClock::new().wall()).await?,
        Process::File => Database::open(&path, identity.bank).await?,
        Process::Beside(books) => {
            let database = Database::beside(&books, identity.bank).await?;
            arrival::take_in(&path, identity.bank, &database).await?;
            database
        }
    };
    let keys = Arc::new(KeyStore::open(database.clone()).await?);
    let names = Arc::new(KeptNames::default());
    let shared = outbox::Shared::new(books.clone(), database.clone(), Arc::clone(&names), identity);
    let outbox = Arc::new(Outbox::new(shared, settings.outbox.clone()));
    let calendar = match settings.business_days {
        BusinessDays::Calendar => {
            calendar::turn(&books, &database).await?;
            Some(tokio::spawn(calendar::keep(books.clone(), database.clone())))
        }
        BusinessDays::Manual => None,
    };
    let payments = Arc::new(Payments::new(books.clone(), database.clone()));
    payments.recover().await.map_err(Error::Payments)?;
    let holder = lock.as_ref().map(Holder::of).transpose();
    let holder = holder.map_err(|error| Error::Folder(dir.join(LOCK), error))?;
    Ok(Service {
        books,
        names,
        keys,
        outbox,
        payments,
        holder,
        database,
        quota: Arc::new(Quota::new(settings.quota.0, settings.quota.1)),
        identity,
        name,
        recovery,
        discarded,
        calendar,
        rules: Some(rules),
        background,
        _lock: lock,
    })
}

/// Refuses a folder into which a bank is still being copied.
fn check_whole(dir: &Path) -> Result<(), Error> {
    if moving::is_unfinished(dir) { Err(Error::Unfinished(dir.to_path_buf())) } else { Ok(()) }
}

/// The folder is this process's until the file is closed.
fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join(LOCK);
    let fault = |error| Error::Folder(path.clone(), error);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::InUse(dir.to_path_buf())),
        Err(std::fs::TryLockError::Error(error)) => Err(fault(error)),
    }
}

/// Locked while a bank is served whose books are elsewhere, and names where; the journal has a lock of its own.
const LOCK: &str = "lock";

/// Does the folder belong to a bank whose books are in a database?
#[must_use]
pub fn is_of_database(dir: &Path) -> bool {
    std::fs::metadata(dir.join(LOCK)).is_ok_and(|lock| lock.len() > 0)
}

async fn blocking<T: Send + 'static, E: Into<Error> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
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
