//! How much of a transaction has been taken back since it was posted.

use ledger::Event;

use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::wire::Transaction;
use crate::sequencer::{Fault, Reversed};

/// Transactions as the caller may see them, each with its status as it is now: one question for all of them.
/// Events that are no transactions are left out.
pub(in crate::http) async fn standing(
    app: &App,
    caller: &Caller,
    events: &[Event],
) -> Result<Vec<Transaction>, Fault> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let ids = events.iter().map(|event| event.sequence).collect();
    let reversed = app.service.books.reversed(ids).await?;
    let each = events.iter().zip(&reversed);
    Ok(each
        .filter_map(|(event, reversed)| {
            let status = status(event, reversed);
            Transaction::of(event, caller).map(|transaction| Transaction { status, ..transaction })
        })
        .collect())
}

fn status(event: &Event, reversed: &Reversed) -> &'static str {
    if reversed.is_empty() {
        return "posted";
    }
    let taken = |index: usize| {
        let entry = reversed.iter().find(|(entry, _)| usize::from(*entry) == index);
        entry.map_or(0, |(_, amount)| *amount)
    };
    let all = event.posted().enumerate().all(|(index, entry)| taken(index) == entry.amount);
    if all { "reversed" } else { "partially_reversed" }
}
