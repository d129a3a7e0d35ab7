//! The names behind the ledger's numbers: principals, actors, origins. They never change, so they are kept.

use std::collections::HashMap;
use std::sync::Arc;

use ledger::event::Body;
use ledger::{Event, NameId};
use parking_lot::RwLock;

use super::Books;
use crate::sequencer::Fault;

/// Names kept at most; beyond that they are asked for again.
const KEPT_MAX: usize = 50_000;

/// Names that were asked for.
#[derive(Default)]
pub struct KeptNames(RwLock<HashMap<NameId, Arc<str>>>);

/// The names that some events carry.
#[derive(Default)]
pub struct Names(HashMap<NameId, Arc<str>>);

impl Names {
    /// The name behind a number; none for nobody.
    #[must_use]
    pub fn get(&self, id: NameId) -> Option<&str> {
        self.0.get(&id).map(|name| &**name)
    }
}

impl KeptNames {
    /// The names that these events carry: one question for all that are not known yet.
    ///
    /// # Errors
    /// As [`Books::names`].
    pub async fn of(&self, books: &Books, events: &[Event]) -> Result<Names, Fault> {
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        {
            let kept = self.0.read();
            for id in events.iter().flat_map(carried).filter(|id| id.0 != 0) {
                match kept.get(&id) {
                    Some(name) => {
                        found.insert(id, Arc::clone(name));
                    }
                    None => missing.push(id),
                }
            }
        }
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            let names = books.names(missing.clone().into()).await?;
            let mut kept = self.0.write();
            if kept.len() + names.len() > KEPT_MAX {
                kept.clear();
            }
            for (id, name) in missing.into_iter().zip(names) {
                let Some(name) = name else { continue };
                let name: Arc<str> = name.into();
                kept.insert(id, Arc::clone(&name));
                found.insert(id, name);
            }
        }
        Ok(Names(found))
    }
}

fn carried(event: &Event) -> impl Iterator<Item = NameId> + '_ {
    let note = event.note.as_deref();
    let owner = match &event.body {
        Body::AccountOpened(opening) => Some(opening.owner),
        _ => None,
    };
    let rare = [note.and_then(|note| note.on_behalf_of), note.and_then(|note| note.approver), owner];
    [event.principal, event.actor, event.origin].into_iter().chain(rare.into_iter().flatten())
}
