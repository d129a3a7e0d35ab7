//! Payments that somebody in this process works on: one at a time each.

use std::collections::HashSet;

use parking_lot::Mutex;
use uuid::Uuid;

/// The payments under work.
#[derive(Default)]
pub(super) struct Busy(Mutex<HashSet<Uuid>>);

/// A payment under work; let go when this is dropped.
pub(super) struct Occupied<'a> {
    busy: &'a Busy,
    id: Uuid,
}

impl Busy {
    /// Takes a payment, unless somebody works on it.
    pub(super) fn occupy(&self, id: Uuid) -> Option<Occupied<'_>> {
        let free = self.0.lock().insert(id);
        // Made only if it was free: dropping one lets the payment go.
        free.then(|| Occupied { busy: self, id })
    }

    /// Whether somebody works on it.
    pub(super) fn has(&self, id: Uuid) -> bool {
        self.0.lock().contains(&id)
    }
}

impl Drop for Occupied<'_> {
    fn drop(&mut self) {
        self.busy.0.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever came second once waited for himself, and let the first one's payment go.
    #[test]
    fn who_comes_second_gets_nothing_and_takes_nothing_away() {
        let (busy, id) = (Busy::default(), Uuid::from_u128(1));
        let first = busy.occupy(id);
        assert!(first.is_some());
        assert!(busy.occupy(id).is_none());
        assert!(busy.has(id), "still the first one's");
        assert!(busy.occupy(Uuid::from_u128(2)).is_some());
        drop(first);
        assert!(busy.occupy(id).is_some());
    }
}
