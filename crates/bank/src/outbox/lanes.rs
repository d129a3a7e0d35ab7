//! Which event may go out next: pure, no clock, no I/O.
//!
//! A **lane** is a customer's account. Events of one lane go out one after the other; lanes do not wait for each
//! other. An event that touches two lanes waits for both, and both wait for it. One that touches none waits for
//! nobody.
//!
//! ```text
//!  take ─► waiting (behind another in a lane) ─► ready ─► in flight ─► done
//!                                                  ▲          │ failed
//!                                                  └── due ◄── parked: its lanes stand still, all others go on
//! ```
//! What must be durable is small: the **mark** (everything at or below it is done or parked) and the parked
//! events with how often they were tried. What lies above the mark is read again from the books.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use smallvec::SmallVec;

/// The lanes of an event: account ids.
pub type LaneIds = SmallVec<[u64; 2]>;

/// An event that is parked: the mark may pass it, and its lanes wait for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parked {
    /// Which one.
    pub sequence: u64,
    /// How often it failed; 0 for one that only waits behind another.
    pub attempts: u32,
    /// When it may be tried again, microseconds since 1970.
    pub due_us: i64,
}

/// What must be durable for a restart to lose nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Durable {
    /// Everything at or below it is done or parked.
    pub mark: u64,
    /// In order.
    pub parked: Vec<Parked>,
}

/// The events that one subscription has still to deliver, as far as they were read.
#[derive(Debug, Default)]
pub struct Lanes {
    /// Everything at or below it was taken in.
    read: u64,
    undone: BTreeMap<u64, Undone>,
    lanes: HashMap<u64, Lane>,
    /// Free, never tried.
    ready: BTreeSet<u64>,
    /// Free, tried before: by the time at which they may be tried again.
    timed: BTreeSet<(i64, u64)>,
    in_flight: usize,
}

#[derive(Debug)]
struct Undone {
    lanes: LaneIds,
    attempts: u32,
    due_us: i64,
    in_flight: bool,
    /// The mark has passed it once, so it stays parked until it is done.
    kept: bool,
}

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<u64>,
    busy: bool,
}

impl Lanes {
    /// Nothing to do up to `mark`.
    #[must_use]
    pub fn new(mark: u64) -> Lanes {
        Lanes { read: mark, ..Lanes::default() }
    }

    /// An event that was parked before a restart, or is to go out once more. One that is still to be
    /// delivered anyway is left as it is.
    pub fn keep(&mut self, parked: Parked, lanes: LaneIds) {
        if !self.undone.contains_key(&parked.sequence) {
            self.insert(parked.sequence, lanes, parked.attempts, parked.due_us, true);
        }
    }

    /// The next event that was read.
    pub fn take(&mut self, sequence: u64, lanes: LaneIds) {
        assert!(sequence > self.read, "events are taken in order");
        self.read = sequence;
        self.insert(sequence, lanes, 0, 0, false);
    }

    /// Whatever else lies at or below `through` is not wanted.
    pub fn pass(&mut self, through: u64) {
        self.read = self.read.max(through);
    }

    /// The event that goes out next, and how often it failed before. It is in flight from here on.
    pub fn next(&mut self, now_us: i64) -> Option<(u64, u32)> {
        // What was tried before goes first, or a stream of new events would never let it.
        let due = self.timed.first().copied().filter(|(due, _)| *due <= now_us);
        let sequence = match due {
            Some(due) => {
                self.timed.remove(&due);
                due.1
            }
            None => return self.next_new(),
        };
        Some(self.out(sequence))
    }

    /// The oldest event that could go out and was never tried. It is in flight from here on.
    pub fn next_new(&mut self) -> Option<(u64, u32)> {
        let sequence = self.ready.pop_first()?;
        Some(self.out(sequence))
    }

    fn out(&mut self, sequence: u64) -> (u64, u32) {
        let event = self.undone.get_mut(&sequence).expect("what is free is undone");
        event.in_flight = true;
        self.in_flight += 1;
        for id in &event.lanes {
            self.lanes.get_mut(id).expect("an undone event is in its lanes").busy = true;
        }
        (sequence, event.attempts)
    }

    /// An event in flight was delivered, or is given up.
    pub fn done(&mut self, sequence: u64) {
        let event = self.undone.remove(&sequence).expect("what was in flight is undone");
        assert!(event.in_flight, "only what went out is done");
        self.in_flight -= 1;
        for id in &event.lanes {
            let lane = self.lanes.get_mut(id).expect("an undone event is in its lanes");
            lane.busy = false;
            let place = lane.queue.iter().position(|waiting| *waiting == sequence);
            lane.queue.remove(place.expect("it is in each of its lanes"));
            if lane.queue.is_empty() {
                self.lanes.remove(id);
            }
        }
        self.release(&event.lanes);
    }

    /// An event in flight was not delivered; it is parked until `due_us`.
    pub fn failed(&mut self, sequence: u64, attempts: u32, due_us: i64) {
        let event = self.undone.get_mut(&sequence).expect("what was in flight is undone");
        assert!(event.in_flight && attempts > 0, "only what went out has failed");
        (event.in_flight, event.attempts, event.due_us) = (false, attempts, due_us);
        self.in_flight -= 1;
        let lanes = event.lanes.clone();
        for id in &lanes {
            self.lanes.get_mut(id).expect("an undone event is in its lanes").busy = false;
        }
        if lanes.is_empty() {
            self.free(sequence);
        }
        self.release(&lanes);
    }

    /// An event that waits for its time may be tried again at `due_us`, if that is sooner.
    pub fn bring_forward(&mut self, sequence: u64, due_us: i64) {
        let Some(event) = self.undone.get_mut(&sequence).filter(|event| event.due_us > due_us) else {
            return;
        };
        let before = std::mem::replace(&mut event.due_us, due_us);
        if self.timed.remove(&(before, sequence)) {
            self.timed.insert((due_us, sequence));
        }
    }

    /// What failed up to `attempts_max` times may be tried again now; the others keep their time.
    pub fn hasten(&mut self, attempts_max: u32, now_us: i64) {
        let hastened = |event: &Undone| event.attempts <= attempts_max && event.due_us > now_us;
        for (sequence, event) in self.undone.iter_mut().filter(|(_, event)| hastened(event)) {
            if self.timed.remove(&(event.due_us, *sequence)) {
                self.timed.insert((now_us, *sequence));
            }
            event.due_us = now_us;
        }
    }

    /// When the next of those that wait for their time may go out.
    #[must_use]
    pub fn due(&self) -> Option<i64> {
        self.timed.first().map(|(due, _)| *due)
    }

    /// Everything at or below it was taken in.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Events that are not done.
    #[must_use]
    pub fn undone(&self) -> usize {
        self.undone.len()
    }

    /// The oldest event that is not done.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        self.undone.first_key_value().map(|(sequence, _)| *sequence)
    }

    /// Is it still to be delivered?
    #[must_use]
    pub fn holds(&self, sequence: u64) -> bool {
        self.undone.contains_key(&sequence)
    }

    /// Events that could go out now and were never tried.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Events that are out.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// What must be durable now.
    #[must_use]
    pub fn durable(&self) -> Durable {
        let mut parked = Vec::new();
        let mut standing: HashSet<u64> = HashSet::new();
        for (sequence, event) in &self.undone {
            let behind = event.lanes.iter().any(|id| standing.contains(id));
            if event.attempts == 0 && !event.kept && !behind {
                return Durable { mark: sequence - 1, parked };
            }
            standing.extend(&event.lanes);
            parked.push(Parked { sequence: *sequence, attempts: event.attempts, due_us: event.due_us });
        }
        Durable { mark: self.read, parked }
    }

    /// The mark has passed these: they stay parked until they are done.
    pub fn passed(&mut self, durable: &Durable) {
        for parked in &durable.parked {
            if let Some(event) = self.undone.get_mut(&parked.sequence) {
                event.kept = true;
            }
        }
    }

    fn insert(&mut self, sequence: u64, lanes: LaneIds, attempts: u32, due_us: i64, kept: bool) {
        for id in &lanes {
            let queue = &mut self.lanes.entry(*id).or_default().queue;
            let place = queue.partition_point(|waiting| *waiting < sequence);
            // What stood first waits behind it now, unless it is out already.
            if let Some(first) = queue.front().filter(|_| place == 0) {
                self.ready.remove(first);
                self.timed.remove(&(self.undone[first].due_us, *first));
            }
            queue.insert(place, sequence);
        }
        self.undone.insert(sequence, Undone { lanes, attempts, due_us, in_flight: false, kept });
        self.free(sequence);
    }

    /// Looks at what stands first in these lanes.
    fn release(&mut self, lanes: &LaneIds) {
        for id in lanes {
            if let Some(first) = self.lanes.get(id).and_then(|lane| lane.queue.front().copied()) {
                self.free(first);
            }
        }
    }

    /// Lets an event go out if it stands first in all of its lanes and none of them is busy.
    fn free(&mut self, sequence: u64) {
        let event = &self.undone[&sequence];
        let first = |id: &u64| {
            let lane = &self.lanes[id];
            !lane.busy && lane.queue.front() == Some(&sequence)
        };
        if event.in_flight || !event.lanes.iter().all(first) {
            return;
        }
        if event.attempts == 0 && event.due_us == 0 {
            self.ready.insert(sequence);
        } else {
            self.timed.insert((event.due_us, sequence));
        }
    }
}

#[cfg(test)]
mod tests;
