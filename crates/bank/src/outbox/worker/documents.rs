//! What goes out to one subscriber: which events it may hear, and their documents, kept within a bound until they are sent.

use std::collections::HashMap;
use std::sync::Arc;

use ledger::Event;

use super::super::Shared;
use super::super::message::Message;
use super::super::notifier::Notifier;
use super::super::stretch::{EventRead, Stretch};
use super::super::subscription::Subscription;
use super::super::view;
use crate::http::wire::event_kind;
use crate::identity::Credential;
use crate::sequencer::Fault;

/// Bytes of documents that are kept.
const BYTES_MAX: usize = 4 << 20;

pub(super) struct Documents {
    shared: Arc<Shared>,
    holder: Credential,
    subscription: Subscription,
    notifier: Notifier,
    kept: HashMap<u64, Arc<Message>>,
    bytes: usize,
}

impl Documents {
    /// None kept yet.
    pub(super) fn new(shared: Arc<Shared>, subscription: Subscription) -> Documents {
        let (holder, notifier) = (subscription.holder(), Notifier::new(&subscription));
        Documents { shared, holder, subscription, notifier, kept: HashMap::new(), bytes: 0 }
    }

    /// No more are kept: what is not is made again when it is sent.
    pub(super) fn are_full(&self) -> bool {
        self.bytes >= BYTES_MAX
    }

    /// Lets all go.
    pub(super) fn let_go(&mut self) {
        (self.kept, self.bytes) = (HashMap::new(), 0);
    }

    /// The piece of the books with this event.
    pub(super) async fn stretch(&self, sequence: u64) -> Result<Arc<Stretch>, Fault> {
        self.shared.stretches.holding(&self.shared, sequence).await
    }

    /// Is this event one for the subscriber?
    pub(super) fn wants(&self, event: &Event) -> bool {
        self.subscription.filter.wants(event) && view::may_hear(&self.holder, event)
    }

    /// Makes and keeps a document, unless they are full.
    pub(super) async fn keep(&mut self, stretch: &Stretch, read: &EventRead) -> Result<(), Fault> {
        if !self.are_full() {
            let message = self.make(stretch, read).await?;
            self.bytes += message.body.len();
            self.kept.insert(read.event.sequence.0, message);
        }
        Ok(())
    }

    /// The document of an event; made again if it was let go. None if it is not wanted any more.
    pub(super) async fn take(&mut self, sequence: u64) -> Result<Option<Arc<Message>>, Fault> {
        if let Some(message) = self.kept.remove(&sequence) {
            self.bytes -= message.body.len();
            return Ok(Some(message));
        }
        let stretch = self.stretch(sequence).await?;
        match stretch.at(sequence) {
            Some(read) if self.wants(&read.event) => self.make(&stretch, read).await.map(Some),
            _ => Ok(None),
        }
    }

    /// An event as it goes out to this subscriber.
    async fn make(&mut self, stretch: &Stretch, read: &EventRead) -> Result<Arc<Message>, Fault> {
        let (event, lanes) = (&read.event, &read.lanes);
        if view::whole(&self.holder) && self.notifier.is_silent(event_kind(event)) {
            return Ok(stretch.whole(read, &self.shared));
        }
        let shown = view::shown(&self.holder, event, stretch.shown(event, &self.shared));
        let text = self.notifier.text(&self.shared, event, &shown, lanes).await?;
        Ok(Arc::new(Message::of(event, &shown, &self.shared.source, lanes, text.as_deref())))
    }
}
