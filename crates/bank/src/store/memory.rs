//! The memory store: the oracle for tests. Everything is "durable" at once and gone with the process.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use ledger::event::Claimed;
use ledger::{AccountId, Digest, Event, Sequence, State, View, codec};
use parking_lot::RwLock;

use super::{Answered, Head, Reads, Store, Watch, answer};
use crate::books::{Facts, FactsTable};
use crate::sequencer::{Answer, Fault, Prior, Query, Receipt};
use crate::store::reads::fold;

/// The writing side.
pub struct MemoryStore {
    state: State,
    claims: HashMap<Digest, Claimed>,
    batch: journal::Batch,
    shared: Arc<Shared>,
}

/// The reading side.
pub struct MemoryReads {
    shared: Arc<Shared>,
    watch: Watch,
}

struct Shared {
    past: RwLock<Past>,
    facts: FactsTable,
    durable: tokio::sync::watch::Sender<u64>,
}

#[derive(Default)]
struct Past {
    events: Vec<Event>,
    references: BTreeSet<(Digest, Sequence)>,
}

/// An empty store, both sides.
#[must_use]
pub fn open() -> (MemoryStore, MemoryReads) {
    let (durable, watch) = tokio::sync::watch::channel(0);
    let shared = Arc::new(Shared { past: RwLock::default(), facts: FactsTable::default(), durable });
    let store = MemoryStore {
        state: State::new(),
        claims: HashMap::new(),
        batch: journal::Batch::new(),
        shared: Arc::clone(&shared),
    };
    (store, MemoryReads { shared, watch })
}

impl Store for MemoryStore {
    fn ready(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn view<'a>(&'a self, _prior: &'a Prior) -> impl View + 'a {
        self.state.view(|digest: &Digest| self.claims.get(digest).copied())
    }

    fn next(&self) -> Sequence {
        self.state.head().next()
    }

    fn time(&self) -> i64 {
        self.state.time()
    }

    fn due(&self, time: i64) -> Option<Sequence> {
        self.state.due(time)
    }

    fn next_due(&self) -> Option<i64> {
        self.state.next_due()
    }

    fn accept(&mut self, event: &Event) -> u32 {
        self.state.apply(event);
        self.shared.facts.learn(event);
        event.claims(|digest, claimed| {
            let before = self.claims.insert(digest, claimed);
            assert!(before.is_none(), "a claim is made once");
        });
        let mut past = self.shared.past.write();
        if let Some(reference) = event.reference() {
            past.references.insert((Digest::of_reference(reference), event.sequence));
        }
        past.events.push(event.clone());
        self.batch.push(|bytes| codec::encode(event, bytes))
    }

    fn answer(&self, query: &Query, _prior: &Prior) -> Answer {
        answer::answer(&self.state, query, |digest| self.claims.get(digest).copied())
    }

    fn hand_over(&mut self, answers: Vec<Answered>) {
        let frame = Arc::new(std::mem::take(&mut self.batch));
        let as_of = self.state.head();
        self.shared.durable.send_replace(as_of.0);
        for Answered { outcomes, reply } in answers {
            reply(Ok(Receipt { outcomes, frame: Arc::clone(&frame), as_of }));
        }
    }
}

impl Reads for MemoryReads {
    fn prepare(&self, _digests: &[Digest]) -> Result<Prior, Fault> {
        Ok(Prior::default())
    }

    fn facts(&self, id: AccountId) -> Option<Facts> {
        self.shared.facts.get(id)
    }

    fn head(&self) -> Head {
        Head { sequence: Sequence(*self.watch.borrow()), hash: [0; 32] }
    }

    fn watch(&self) -> Watch {
        self.watch.clone()
    }

    fn event(&self, sequence: Sequence) -> Result<Option<Event>, Fault> {
        if sequence > self.head().sequence {
            return Ok(None);
        }
        let index = sequence.0.checked_sub(1);
        Ok(index.and_then(|index| self.shared.past.read().events.get(index as usize).cloned()))
    }

    fn scan(&self, from: Sequence, each: &mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<(), Fault> {
        for sequence in from.0.max(1)..=self.head().sequence.0 {
            let event = self.event(Sequence(sequence))?.expect("below the head");
            if each(event).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn by_reference(&self, reference: &str, before: Sequence, limit: usize) -> Result<Vec<Sequence>, Fault> {
        let digest = Digest::of_reference(reference);
        let past = self.shared.past.read();
        let below = past.references.range((digest, Sequence(0))..(digest, before)).rev();
        Ok(below.take(limit).map(|(_, sequence)| *sequence).collect())
    }

    fn state_at(&self, sequence: Sequence) -> Result<State, Fault> {
        self.head().reaches(sequence)?;
        fold(self, State::new(), sequence)
    }

    fn figures(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}
