//! The audit trail tied to the books: a business day's event carries the newest audit hash.
//!
//! The bank database can be edited by whoever owns it, hashes included; the chain of events cannot, once its head is known
//! elsewhere. So a trail that was rewritten or cut before the newest business day is found out (`verify`).

use std::sync::Arc;

use ledger::{Command, Note, Request};

use crate::database::{Database, audit};

/// Adds the anchor to a request that opens or closes a business day; called when its fingerprint is taken, since a
/// retry may come after more was recorded and is the same intent.
pub(crate) async fn anchor(database: &Database, request: &mut Request) {
    if !matches!(request.command, Command::OpenDay { .. } | Command::CloseDay { .. }) {
        return;
    }
    match audit::newest(database).await {
        Ok(None) => {}
        Ok(Some(anchor)) => {
            let mut note = request.note.take().map_or_else(Note::default, |note| Note::clone(&note));
            note.description = Some(anchor.to_string().into());
            request.note = Some(Arc::new(note));
        }
        // The day must turn all the same; the next one carries the hash.
        Err(error) => tracing::warn!(%error, "this business day's event does not carry the audit hash"),
    }
}
