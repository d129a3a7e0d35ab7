//! The lanes as a specification: a subscriber that fails, a service that crashes, at any moment.

use proptest::prelude::*;
use smallvec::smallvec;

use super::*;

fn taken(events: &[(u64, &[u64])]) -> Lanes {
    let mut lanes = Lanes::new(0);
    for (sequence, ids) in events {
        lanes.take(*sequence, LaneIds::from_slice(ids));
    }
    lanes
}

fn out(lanes: &mut Lanes, now_us: i64) -> Vec<u64> {
    std::iter::from_fn(|| lanes.next(now_us)).map(|(sequence, _)| sequence).collect()
}

#[test]
fn lanes_go_out_beside_each_other_and_each_in_order() {
    let mut lanes = taken(&[(1, &[7]), (2, &[7]), (3, &[8]), (4, &[])]);
    assert_eq!(out(&mut lanes, 0), [1, 3, 4], "2 waits for 1");
    lanes.done(3);
    assert!(out(&mut lanes, 0).is_empty());
    lanes.done(1);
    assert_eq!(out(&mut lanes, 0), [2]);
}

#[test]
fn an_event_of_two_lanes_waits_for_both_and_both_wait_for_it() {
    let mut lanes = taken(&[(1, &[7]), (2, &[8]), (3, &[7, 8]), (4, &[8]), (5, &[7])]);
    assert_eq!(out(&mut lanes, 0), [1, 2]);
    lanes.done(1);
    assert!(out(&mut lanes, 0).is_empty());
    lanes.done(2);
    assert_eq!(out(&mut lanes, 0), [3]);
    lanes.done(3);
    assert_eq!(out(&mut lanes, 0), [4, 5]);
}

#[test]
fn one_that_is_brought_forward_leaves_the_time_of_the_others() {
    let mut lanes = taken(&[(1, &[7]), (2, &[7]), (3, &[8])]);
    assert_eq!(out(&mut lanes, 0), [1, 3]);
    lanes.failed(1, 1, 500);
    lanes.failed(3, 1, 500);
    lanes.bring_forward(3, 100);
    lanes.bring_forward(1, 900);
    assert_eq!(out(&mut lanes, 499), [3], "later is not sooner");
    assert_eq!(out(&mut lanes, 500), [1]);
    lanes.bring_forward(1, 100);
    lanes.bring_forward(9, 100);
    lanes.failed(1, 2, 700);
    assert_eq!(lanes.due(), Some(700), "one that is out, or not held, is let alone");
}

/// A queue that is bound to some kinds of events only: the sink is down after ten that nobody takes, and back with the
/// next one that somebody does. Each time all that was parked was tried again, so that four days of tries took a minute.
#[test]
fn what_failed_often_keeps_its_time_when_the_subscriber_is_back() {
    let mut lanes = taken(&[(1, &[7]), (2, &[8]), (3, &[9])]);
    assert_eq!(out(&mut lanes, 0), [1, 2, 3]);
    lanes.failed(1, 3, 500);
    lanes.failed(2, 4, 500);
    lanes.failed(3, 1, 50);
    lanes.hasten(3, 100);
    assert_eq!(out(&mut lanes, 100), [3, 1]);
    assert_eq!(lanes.due(), Some(500));
    assert_eq!(out(&mut lanes, 500), [2]);
}

#[test]
fn a_failed_event_parks_its_lanes_only_and_the_mark_passes_it() {
    let mut lanes = taken(&[(1, &[7]), (2, &[7, 8]), (3, &[8]), (4, &[9])]);
    assert_eq!(out(&mut lanes, 0), [1, 4]);
    lanes.failed(1, 1, 500);
    lanes.done(4);
    assert!(out(&mut lanes, 499).is_empty(), "2 waits for 1, and 3 for 2");
    let parked = |sequence, attempts, due_us| Parked { sequence, attempts, due_us };
    let durable = lanes.durable();
    assert_eq!(
        durable,
        Durable { mark: 4, parked: vec![parked(1, 1, 500), parked(2, 0, 0), parked(3, 0, 0)] }
    );

    let mut again = Lanes::new(durable.mark);
    for (parked, ids) in durable.parked.iter().zip([&[7][..], &[7, 8], &[8]]) {
        again.keep(*parked, LaneIds::from_slice(ids));
    }
    assert_eq!(again.due(), Some(500));
    for sequence in 1..=3 {
        assert_eq!(out(&mut again, 500), [sequence]);
        again.done(sequence);
    }
    assert_eq!(again.durable(), Durable { mark: 4, parked: vec![] });
}

#[test]
fn the_mark_stands_before_what_is_out() {
    let mut lanes = taken(&[(1, &[7]), (2, &[8]), (3, &[9])]);
    assert_eq!(out(&mut lanes, 0), [1, 2, 3]);
    lanes.done(1);
    lanes.done(3);
    assert_eq!(lanes.durable().mark, 1);
    lanes.done(2);
    assert_eq!(lanes.durable().mark, 3);
    lanes.pass(10);
    assert_eq!(lanes.durable().mark, 10);
}

#[test]
fn what_is_sent_again_goes_before_what_has_not_gone_out() {
    let mut lanes = Lanes::new(10);
    lanes.take(11, smallvec![7]);
    lanes.keep(Parked { sequence: 4, attempts: 0, due_us: 1 }, smallvec![7]);
    assert_eq!(out(&mut lanes, 1), [4]);
    assert_eq!(lanes.durable().mark, 11, "4 is kept in the list, and 11 behind it");
    lanes.done(4);
    assert_eq!(out(&mut lanes, 1), [11]);
}

#[test]
fn one_that_failed_is_not_starved_by_new_ones() {
    let mut lanes = taken(&[(1, &[1]), (2, &[2]), (3, &[3])]);
    assert_eq!(lanes.next(0), Some((1, 0)));
    lanes.failed(1, 1, 5);
    assert_eq!(lanes.next(4), Some((2, 0)));
    assert_eq!(lanes.next(5), Some((1, 1)));
}

/// What may happen to a subscription.
#[derive(Clone, Debug)]
enum Step {
    Read,
    Send,
    Succeed(usize),
    Fail(usize),
    Write,
    Crash,
    Wait,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Read),
        6 => Just(Step::Send),
        4 => (0..8_usize).prop_map(Step::Succeed),
        3 => (0..8_usize).prop_map(Step::Fail),
        2 => Just(Step::Write),
        1 => Just(Step::Crash),
        2 => Just(Step::Wait),
    ];
    prop::collection::vec(step, 0..300)
}

fn books() -> impl Strategy<Value = Vec<LaneIds>> {
    prop::collection::vec(prop::collection::btree_set(0..5_u64, 0..4), 1..60)
        .prop_map(|events| events.into_iter().map(|ids| ids.into_iter().collect()).collect())
}

/// A subscription over given books; event n has the lanes `books[n - 1]`.
struct Run {
    books: Vec<LaneIds>,
    lanes: Lanes,
    written: Durable,
    out: Vec<(u64, u32)>,
    delivered: Vec<bool>,
    now_us: i64,
}

impl Run {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Read => {
                let next = self.lanes.read() + 1;
                if next <= self.books.len() as u64 {
                    self.lanes.take(next, self.books[next as usize - 1].clone());
                }
            }
            Step::Send => {
                if let Some((sequence, attempts)) = self.lanes.next(self.now_us) {
                    self.never_overtakes(sequence);
                    self.out.push((sequence, attempts));
                }
            }
            Step::Succeed(which) if !self.out.is_empty() => {
                let (sequence, _) = self.out.swap_remove(which % self.out.len());
                self.delivered[sequence as usize - 1] = true;
                self.lanes.done(sequence);
            }
            Step::Fail(which) if !self.out.is_empty() => {
                let (sequence, attempts) = self.out.swap_remove(which % self.out.len());
                self.lanes.failed(sequence, attempts + 1, self.now_us + 3);
            }
            Step::Succeed(_) | Step::Fail(_) => {}
            Step::Write => self.write(),
            Step::Crash => {
                self.out.clear();
                self.lanes = Lanes::new(self.written.mark);
                for parked in &self.written.parked {
                    self.lanes.keep(*parked, self.books[parked.sequence as usize - 1].clone());
                }
            }
            Step::Wait => self.now_us += 1,
        }
    }

    fn write(&mut self) {
        let durable = self.lanes.durable();
        assert!(durable.mark >= self.written.mark, "the mark never goes back");
        for sequence in 1..=durable.mark {
            let parked = durable.parked.iter().any(|parked| parked.sequence == sequence);
            assert!(parked || self.delivered[sequence as usize - 1], "{sequence} would be lost: {durable:?}");
        }
        assert!(durable.parked.is_sorted_by_key(|parked| parked.sequence));
        self.lanes.passed(&durable);
        self.written = durable;
    }

    fn never_overtakes(&self, sequence: u64) {
        let lanes = &self.books[sequence as usize - 1];
        for earlier in 1..sequence {
            let shared = self.books[earlier as usize - 1].iter().any(|id| lanes.contains(id));
            assert!(!shared || self.delivered[earlier as usize - 1], "{sequence} overtakes {earlier}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_event_arrives_and_none_overtakes_another_in_its_lane(books in books(), steps in steps()) {
        let delivered = vec![false; books.len()];
        let (lanes, written) = (Lanes::new(0), Durable::default());
        let mut run = Run { books, lanes, written, out: Vec::new(), delivered, now_us: 0 };
        for step in &steps {
            run.step(step);
        }
        // From here on the subscriber is well.
        let mut turns = 0;
        while run.lanes.undone() > 0 || run.lanes.read() < run.books.len() as u64 {
            for step in [Step::Read, Step::Send, Step::Succeed(0), Step::Wait] {
                run.step(&step);
            }
            turns += 1;
            prop_assert!(turns < 10_000, "it comes to an end: {:?}", run.lanes);
        }
        run.write();
        prop_assert!(run.delivered.iter().all(|delivered| *delivered));
        prop_assert_eq!(run.written, Durable { mark: run.books.len() as u64, parked: vec![] });
    }
}
