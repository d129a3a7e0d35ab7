//! The calendar: closes and opens business days at midnight UTC, by commands like any other.

use std::time::Duration;

use ledger::{Command, Date, Digest, NameId, Request};

use super::anchor;
use crate::books::{Books, Decided};
use crate::database::Database;
use crate::sequencer::{Clock, Fault, SystemClock};

/// How often is looked whether the date has changed.
const EVERY: Duration = Duration::from_secs(1);

/// Turns the day whenever the date changes.
pub(super) async fn keep(books: Books, database: Database) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match turn(&books, &database).await {
            Ok(()) => {}
            Err(Fault::Stopped) => return,
            Err(fault) => {
                tracing::warn!(%fault, "the business day was not turned; it is tried again");
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        }
    }
}

/// Opens today if no day has been opened today yet.
pub(super) async fn turn(books: &Books, database: &Database) -> Result<(), Fault> {
    let today = Date::of_micros(SystemClock::new().wall());
    let day = books.day().await?;
    if day.newest.is_some_and(|newest| newest >= today) {
        return Ok(());
    }
    if let Some(open) = day.open {
        submit(books, database, b"close", open, Command::CloseDay { date: open }).await?;
    }
    submit(books, database, b"open", today, Command::OpenDay { date: today }).await
}

/// The key makes it harmless to try again after an unknown outcome. A refusal means that an operator was
/// faster; the next look sees what is so.
async fn submit(
    books: &Books,
    database: &Database,
    what: &[u8],
    date: Date,
    command: Command,
) -> Result<(), Fault> {
    let key = Digest::of_internal_key("calendar", &[what, &date.0.to_be_bytes()].concat());
    let mut request = Request::new(command, NameId(0)).with_key(key);
    anchor(database, &mut request).await;
    let decided = books.submit(request).await?;
    let step = String::from_utf8_lossy(what);
    match decided {
        Decided::Accepted { .. } => tracing::info!(%date, %step, "business day"),
        other => tracing::warn!(%date, %step, ?other, "the business day was not turned by the calendar"),
    }
    Ok(())
}
