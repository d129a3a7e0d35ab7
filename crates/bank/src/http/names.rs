//! The names that events carry, for the interface.

use ledger::Event;

use super::app::App;
use crate::books::Names;
use crate::sequencer::Fault;

impl App {
    /// The names that these events carry.
    pub(super) async fn names_in(&self, events: &[Event]) -> Result<Names, Fault> {
        self.service.names.of(&self.service.books, events).await
    }
}
