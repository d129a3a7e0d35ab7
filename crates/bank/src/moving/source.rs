//! The books that are read: every event from the first, with the chain computed anew.

use journal::disk::OsDisk;
use journal::{Folder, Head, Identity, Options};
use ledger::{Event, codec};
use sqlx::Row as _;
use tokio::runtime::Runtime;

use super::{Error, Home, is_unfinished};
use crate::store::mysql::moment::{self, Moment};
use crate::verify::LookOnly;

/// Events of one question.
const PAGE: u64 = 4_096;

/// Given each event with the chain after it.
pub(super) type Each<'a> = &'a mut dyn FnMut(Event, Head) -> Result<(), Error>;

/// A bank to read from.
pub(super) struct Source {
    home: Home,
    way: Way,
    identity: Identity,
}

enum Way {
    /// A folder, and the lock on it as long as it is not one that this process fills.
    Folder { _lock: Option<Folder<OsDisk>> },
    /// One moment of a database.
    Database(Box<Moment>),
}

impl Source {
    /// Opens the bank, and keeps services away from a folder.
    pub(super) fn open(home: &Home, runtime: &Runtime) -> Result<Source, Error> {
        Source::begin(home, runtime, true)
    }

    /// Opens what was just copied.
    pub(super) fn of_copy(home: &Home, runtime: &Runtime) -> Result<Source, Error> {
        Source::begin(home, runtime, false)
    }

    fn begin(home: &Home, runtime: &Runtime, lock: bool) -> Result<Source, Error> {
        let (way, identity) = match home {
            Home::Folder(dir) => {
                if lock && is_unfinished(dir) {
                    return Err(Error::Unfinished { place: home.to_string() });
                }
                let folder = Folder::open(OsDisk, dir, Options::default())?;
                let identity = folder.identity();
                (Way::Folder { _lock: lock.then_some(folder) }, identity)
            }
            Home::Database(settings) => {
                let mut moment = runtime.block_on(Moment::open(settings))?;
                let unfinished = "SELECT 1 FROM copied_from WHERE one = 1 AND finished_us IS NULL";
                if lock && !runtime.block_on(moment.rows(unfinished.into()))?.is_empty() {
                    return Err(Error::Unfinished { place: home.to_string() });
                }
                let identity = moment.identity;
                (Way::Database(Box::new(moment)), identity)
            }
        };
        Ok(Source { home: home.clone(), way, identity })
    }

    /// Whose books they are.
    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// Where the chain begins.
    pub(super) fn start(&self) -> Head {
        Head::start(&self.identity)
    }

    /// Refuses books that do not stand there: a service works on them. A folder's lock keeps services away.
    pub(super) fn stands_at(&self, head: Head) -> Result<(), Error> {
        match &self.way {
            Way::Database(moment) if moment.head != head => {
                Err(Error::WentOn { place: self.home.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// Walks all events, in order.
    pub(super) fn walk(&mut self, runtime: &Runtime, each: Each<'_>) -> Result<Head, Error> {
        let start = self.start();
        match (&mut self.way, &self.home) {
            (Way::Folder { .. }, Home::Folder(dir)) => folder(dir, start, each),
            (Way::Database(moment), home) => database(runtime, moment, home, start, each),
            _ => unreachable!("the way was made for this home"),
        }
    }
}

fn folder(dir: &std::path::Path, start: Head, each: Each<'_>) -> Result<Head, Error> {
    let place = || dir.display().to_string();
    let mut head = start;
    let mut ended = Ok(());
    let mut record = |record: journal::Record<'_>| {
        if ended.is_err() {
            return;
        }
        head = head.next(record.hashed());
        ended = match codec::decode(record.bytes()) {
            Ok(event) => each(event, head),
            Err(error) => {
                let damage = format!("sequence {}: {error}", record.sequence());
                Err(Error::Damaged { place: place(), damage })
            }
        };
    };
    let walked = journal::verify(&LookOnly, dir, &mut record, &mut |_, _| ())?;
    if let Some(damage) = walked.damage {
        return Err(Error::Damaged { place: place(), damage: damage.to_string() });
    }
    ended.map(|()| head)
}

fn database(
    runtime: &Runtime,
    moment: &mut Moment,
    home: &Home,
    start: Head,
    each: Each<'_>,
) -> Result<Head, Error> {
    let damaged = |damage: String| Error::Damaged { place: home.to_string(), damage };
    let mut head = start;
    while head.sequence < moment.head.sequence {
        let last = moment.head.sequence.min(head.sequence + PAGE);
        let question = format!(
            "SELECT record FROM events WHERE sequence > {} AND sequence <= {last} ORDER BY sequence",
            head.sequence
        );
        for row in runtime.block_on(moment.rows(question))? {
            let record: Vec<u8> = row.try_get(0).map_err(|error| damaged(error.to_string()))?;
            head = head.next(&record);
            let event = moment::event(record, head.sequence).map_err(damaged)?;
            each(event, head)?;
        }
        if head.sequence != last {
            return Err(damaged(format!("event {} is missing", head.sequence + 1)));
        }
    }
    if head != moment.head {
        return Err(damaged(format!("the chain does not come out at event {}", head.sequence)));
    }
    Ok(head)
}
