//! The books as of one moment: everything is read in one view of the database, while services and procedures go on.

use std::time::Duration;

use journal::{Head, Identity};
use ledger::Event;
use sqlx::mysql::{MySqlConnection, MySqlRow};

use super::failure::OpenError;
use super::follow::{self, Failure};
use super::schema;
use super::session::{self, Settings, sql, within};

/// One question may take this long: some of them look at a whole table.
const PATIENCE: Duration = Duration::from_secs(600);

/// Only looks. The server keeps the moment for as long as this is there.
pub(crate) struct Moment {
    connection: MySqlConnection,
    /// Whose books they are.
    pub(crate) identity: Identity,
    /// Where they stand, as the head says.
    pub(crate) head: Head,
}

impl Moment {
    /// Begins it.
    pub(crate) async fn open(settings: &Settings) -> Result<Moment, OpenError> {
        let fault = |error: sqlx::Error| OpenError::from_driver(&error);
        let mut connection =
            session::connect(&settings.options()?, settings.patience).await.map_err(fault)?;
        schema::check(&mut connection).await?;
        for statement in [
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        ] {
            within(settings.patience, sqlx::raw_sql(statement).execute(&mut connection))
                .await
                .map_err(fault)?;
        }
        let tip = follow::tip(&mut connection, false).await.map_err(|failure| failure.fault())?;
        let tip = tip.ok_or(OpenError::NoBank)?;
        let identity = Identity { bank: tip.bank, timeline: tip.timeline };
        Ok(Moment { connection, identity, head: tip.head })
    }

    /// The rows that answer a question.
    pub(crate) async fn rows(&mut self, question: String) -> Result<Vec<MySqlRow>, OpenError> {
        within(PATIENCE, sql(question).fetch_all(&mut self.connection))
            .await
            .map_err(|error| OpenError::from_driver(&error))
    }
}

/// An event from the bytes that the chain covers. Its skip pointers are not among them.
pub(crate) fn event(hashed: Vec<u8>, sequence: u64) -> Result<Event, String> {
    follow::event(hashed, sequence).map_err(|failure| match failure {
        Failure::Damaged(why) => why,
        Failure::Sql(error) => error.to_string(),
    })
}
