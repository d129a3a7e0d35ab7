//! Books that come from another store: events and the rows that they call for, in large batches, and the head last.
//!
//! Until there is a head there is no bank here: services refuse, and so do the procedures, which lock it. So a copy
//! needs no locks of accounts; what was copied stays when it breaks off, and the next attempt goes on after it.

use std::time::Duration;

use journal::{Batch, Head, Identity};
use ledger::{Event, State};
use sqlx::Row as _;
use sqlx::mysql::MySqlConnection;

use super::failure::OpenError;
use super::session::{self, Server, Settings, sql, within};
use super::{batch, follow, hex, schema};

/// One batch may take this long: it is far larger than those of a service.
const PATIENCE: Duration = Duration::from_secs(300);

/// A database that is being filled. Nobody else fills it meanwhile.
pub(crate) struct Import {
    connection: MySqlConnection,
    identity: Identity,
    /// The newest event that is there already.
    pub(crate) there: u64,
}

/// What keeps books from coming in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// There is a bank already.
    #[error("there is a bank already")]
    NotEmpty,
    /// Another bank's copy was begun.
    #[error("a copy of another bank was begun here")]
    OtherBank,
    /// Somebody else is at it.
    #[error("another process fills it")]
    InUse,
    /// The server.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<sqlx::Error> for ImportError {
    fn from(error: sqlx::Error) -> ImportError {
        ImportError::Open(OpenError::from_driver(&error))
    }
}

impl Import {
    /// Begins a copy of these books, or goes on with one. Makes the tables if there are none.
    pub(crate) async fn begin(
        settings: &Settings,
        identity: Identity,
        now_us: i64,
    ) -> Result<Import, ImportError> {
        schema::prepare(settings).await?;
        let mut connection = session::connect(&settings.options()?, settings.patience).await?;
        schema::check(&mut connection).await?;
        // What is proved here may be all that is left of the bank tomorrow.
        let (_, weak) = Server::ask(&mut connection).await?;
        if let Some(weak) = weak.filter(|_| !settings.accept_weak_durability) {
            return Err(weak.into());
        }
        // The server may take a moment to see that a process is gone.
        let alone: Option<i64> =
            sqlx::query_scalar("SELECT GET_LOCK(LEFT(CONCAT('bankcore ', DATABASE()), 64), 5)")
                .fetch_one(&mut connection)
                .await?;
        if alone != Some(1) {
            return Err(ImportError::InUse);
        }
        let begun: Option<(Vec<u8>, u32, Option<i64>)> =
            sqlx::query_as("SELECT bank_id, timeline, finished_us FROM copied_from WHERE one = 1")
                .fetch_optional(&mut connection)
                .await?;
        match begun {
            Some((_, _, Some(_))) => return Err(ImportError::NotEmpty),
            Some((bank, timeline, None)) if (&bank[..], timeline) != (&identity.bank, identity.timeline) => {
                return Err(ImportError::OtherBank);
            }
            Some(_) => {}
            None => note(&mut connection, identity, now_us).await?,
        }
        let there: u64 =
            sqlx::query_scalar("SELECT CAST(COALESCE(MAX(sequence), 0) AS UNSIGNED) FROM events")
                .fetch_one(&mut connection)
                .await?;
        Ok(Import { connection, identity, there })
    }

    /// The bytes of events that are there already.
    pub(crate) async fn records(&mut self, first: u64, last: u64) -> Result<Vec<Vec<u8>>, ImportError> {
        let question =
            format!("SELECT record FROM events WHERE sequence BETWEEN {first} AND {last} ORDER BY sequence");
        let rows = within(PATIENCE, sql(question).fetch_all(&mut self.connection)).await?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }

    /// Writes a batch, durably, and answers the chain after it. `state` has folded it in.
    pub(crate) async fn write(
        &mut self,
        events: &[Event],
        records: &Batch,
        before: Head,
        state: &State,
    ) -> Result<Head, ImportError> {
        let (packets, head) = batch::rows(events, records, before, state);
        let connection = &mut self.connection;
        let written = async {
            sqlx::raw_sql("START TRANSACTION").execute(&mut *connection).await?;
            for packet in packets.into_packets() {
                sql(packet).execute(&mut *connection).await?;
            }
            sqlx::raw_sql("COMMIT").execute(&mut *connection).await
        };
        within(PATIENCE, written).await?;
        Ok(head)
    }

    /// The events are all there: the head says so. Still no service opens the bank, and no procedure moves it.
    pub(crate) async fn settle(&mut self, head: Head, state: &State) -> Result<(), ImportError> {
        if self.there > head.sequence {
            return Err(ImportError::OtherBank);
        }
        let tip = follow::tip(&mut self.connection, false).await.map_err(|e| OpenError::from(e.fault()))?;
        match tip {
            None => {
                let text = batch::first_head(&self.identity, head, state);
                within(PATIENCE, sql(text).execute(&mut self.connection)).await?;
                Ok(())
            }
            Some(tip) if tip.head == head => Ok(()),
            // An earlier call came as far as this, and the source went on since.
            Some(_) => Err(ImportError::OtherBank),
        }
    }

    /// All of it is there and proved: from here on it is a bank like any other.
    pub(crate) async fn finish(mut self, now_us: i64) -> Result<(), ImportError> {
        let text = format!("UPDATE copied_from SET finished_us = {now_us} WHERE one = 1");
        sql(text).execute(&mut self.connection).await?;
        Ok(())
    }
}

/// Writes down what is copied into the empty database.
async fn note(connection: &mut MySqlConnection, identity: Identity, now_us: i64) -> Result<(), ImportError> {
    let (head, events): (i64, i64) =
        sqlx::query_as("SELECT (SELECT COUNT(*) FROM ledger_head), (SELECT COUNT(*) FROM events)")
            .fetch_one(&mut *connection)
            .await?;
    if head + events > 0 {
        return Err(ImportError::NotEmpty);
    }
    let mut text = String::from("INSERT INTO copied_from (one,bank_id,timeline,begun_us) VALUES (1,");
    hex::push(&mut text, &identity.bank);
    text.push_str(&format!(",{},{now_us})", identity.timeline));
    sql(text).execute(connection).await?;
    Ok(())
}

/// Refuses books of which only a part is here.
pub(super) async fn check_whole(connection: &mut MySqlConnection) -> Result<(), OpenError> {
    let unfinished = "SELECT COUNT(*) FROM copied_from WHERE one = 1 AND finished_us IS NULL";
    let unfinished: i64 = sqlx::query_scalar(unfinished)
        .fetch_one(connection)
        .await
        .map_err(|error| OpenError::from_driver(&error))?;
    if unfinished > 0 { Err(OpenError::Unfinished) } else { Ok(()) }
}
