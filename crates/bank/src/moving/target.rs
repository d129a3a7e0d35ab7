//! The home that is filled.

use journal::{Batch, Head, Identity};
use ledger::{Event, State, codec};
use tokio::runtime::Runtime;

use super::folder::Filling;
use super::{Error, Home};
use crate::database::{Database, DatabaseError};
use crate::store::mysql::Settings;
use crate::store::mysql::import::Import;

/// A home that is no bank yet.
pub(super) enum Target {
    Folder(Box<Filling>),
    Database { import: Box<Import>, settings: Settings, identity: Identity },
}

impl Target {
    /// Begins a copy of this bank, or goes on with one.
    pub(super) fn begin(
        home: &Home,
        identity: Identity,
        now_us: i64,
        runtime: &Runtime,
    ) -> Result<Target, Error> {
        match home {
            Home::Folder(dir) => {
                // The journal's threads are its own; the bank database needs the runtime's.
                let _inside = runtime.enter();
                Ok(Target::Folder(Box::new(Filling::begin(dir, identity)?)))
            }
            Home::Database(settings) => {
                let import = runtime.block_on(Import::begin(settings, identity, now_us));
                let import = Box::new(import.map_err(|error| Error::of_import(home, error))?);
                Ok(Target::Database { import, settings: settings.clone(), identity })
            }
        }
    }

    /// Writes what is not there yet, and compares what is; answers the chain after all of it. `state` has folded it in.
    pub(super) fn write(
        &mut self,
        events: &[Event],
        records: &Batch,
        before: Head,
        state: &State,
        runtime: &Runtime,
    ) -> Result<Head, Error> {
        match self {
            Target::Folder(filling) => filling.write(events, records, before),
            Target::Database { import, settings, .. } => {
                let failed = |error| Error::of_import(settings.name(), error);
                let known =
                    usize::try_from(import.there.saturating_sub(before.sequence)).unwrap_or(usize::MAX);
                let known = known.min(events.len());
                let (first, last) = (before.sequence + 1, before.sequence + known as u64);
                let there = match known {
                    0 => Vec::new(),
                    _ => runtime.block_on(import.records(first, last)).map_err(failed)?,
                };
                let mut head = before;
                for (index, record) in records.records().take(known).enumerate() {
                    if there.get(index).is_none_or(|there| there != record.hashed()) {
                        return Err(Error::OtherCopy { place: settings.name() });
                    }
                    head = head.next(record.hashed());
                }
                let rest = &events[known..];
                if rest.is_empty() {
                    return Ok(head);
                }
                let mut fresh = Batch::new();
                for event in rest {
                    fresh.push(|bytes| codec::encode(event, bytes));
                }
                runtime.block_on(import.write(rest, &fresh, head, state)).map_err(failed)
            }
        }
    }

    /// The books are all there: what is beside them follows, and they are closed or get their head.
    pub(super) fn settle(
        &mut self,
        head: Head,
        state: &State,
        people: &Database,
        now_us: i64,
        runtime: &Runtime,
    ) -> Result<(), Error> {
        runtime.block_on(async {
            match self {
                Target::Folder(filling) => filling.settle(head, people, now_us).await,
                Target::Database { import, settings, identity } => {
                    let beside = Database::beside(settings, identity.bank).await?;
                    match beside.take_over(people).await {
                        Ok(()) => {}
                        // It was copied by an earlier call, and went on in the source since.
                        Err(DatabaseError::TwoTrails { .. }) => {
                            return Err(Error::OtherCopy { place: settings.name() });
                        }
                        Err(error) => return Err(error.into()),
                    }
                    beside.close().await;
                    let settled = import.settle(head, state).await;
                    settled.map_err(|error| Error::of_import(settings.name(), error))
                }
            }
        })
    }

    /// All of it is there and proved.
    pub(super) fn finish(self, now_us: i64, runtime: &Runtime) -> Result<(), Error> {
        match self {
            Target::Folder(filling) => filling.finish(),
            Target::Database { import, settings, .. } => runtime
                .block_on(import.finish(now_us))
                .map_err(|error| Error::of_import(settings.name(), error)),
        }
    }
}
