//! Coordinator, participant, the books of both and bad luck: every order in which things can happen, looked at.
//!
//! A world is the durable state of both banks and every message that was ever sent. A message stays: it may be
//! delivered never, once, again, late, or after later ones, so loss, doubles, delays and disorder are all in it. Each
//! side does an act and is killed before or after it notes what came of it; the books refuse a decision for a while
//! (no business day is open); the customer cancels, time is up, people decide on either side. The search is
//! exhaustive, so an invariant that holds here holds.
//!
//! That the search can find something is a test as well: machines with the classic mistakes are caught.

use super::participant::{self, Keeping};
use super::{Standing, Verdict, coordinator};
use crate::payments::saga::{Act, Because, Next, Observation, Resolution, Saga, State, Step, Trouble};
use crate::payments::search;

const TRIES_MAX: u32 = 2;

type Coordinator = fn(&Saga, Observation, u32) -> Next;
type Participant = fn(&Keeping, participant::Observation, u32) -> participant::Next;

/// The machines under test.
#[derive(Clone, Copy)]
struct Machines {
    coordinator: Coordinator,
    participant: Participant,
}

const RIGHT: Machines = Machines { coordinator: coordinator::next, participant: participant::next };

/// What the books of one side hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Side {
    prepared: bool,
    refused: bool,
    committed: bool,
    aborted: bool,
    /// The present attempt at a decision was refused, and the refusal is recorded.
    attempt_refused: bool,
}

impl Side {
    fn is_open(&self) -> bool {
        self.prepared && !self.committed && !self.aborted
    }
}

/// Questions that were sent, as bits.
const PREPARE: u8 = 1;
const COMMIT: u8 = 2;
const ABORT: u8 = 4;
const DECISION: u8 = 8;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct World {
    saga: Saga,
    ours: Side,
    promise: Option<Keeping>,
    theirs: Side,
    questions: u8,
    /// Answers to the coordinator, and to the participant, as bits of [`Standing`].
    answers: [u8; 2],
    /// Kinds of cases that were opened on either side, as bits.
    cases: [u8; 2],
    /// The coordinator's person said that the other bank knows.
    vouched: bool,
    luck: Luck,
}

/// What may still go wrong.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Luck {
    /// Decisions that the books of either side refuse for now.
    refusals: u8,
    /// Cancels, and times that are up.
    ends: u8,
    /// Decisions of the participant's operator.
    heuristics: u8,
    /// Decisions of the coordinator's people.
    people: u8,
}

impl World {
    fn new(luck: Luck) -> World {
        World {
            saga: Saga::NEW,
            ours: Side::default(),
            promise: None,
            theirs: Side::default(),
            questions: 0,
            answers: [0; 2],
            cases: [0; 2],
            vouched: false,
            luck,
        }
    }

    /// The coordinator notes an observation, durably.
    fn note(mut self, machines: Machines, saw: Observation) -> World {
        let mut next = (machines.coordinator)(&self.saga, saw, TRIES_MAX);
        next.saga.tries = next.saga.tries.min(TRIES_MAX);
        if next.saga.attempt != self.saga.attempt || next.saga.state != self.saga.state {
            self.ours.attempt_refused = false;
        }
        self.saga = next.saga;
        self.cases[0] |= next.trouble.map_or(0, |trouble| 1 << trouble as u8);
        self
    }

    /// The participant notes one.
    fn mark(mut self, machines: Machines, saw: participant::Observation) -> World {
        let Some(before) = self.promise else { return self };
        let mut next = (machines.participant)(&before, saw, TRIES_MAX);
        next.keeping.tries = next.keeping.tries.min(TRIES_MAX);
        if next.keeping.attempt != before.attempt || next.keeping.state != before.state {
            self.theirs.attempt_refused = false;
        }
        self.promise = Some(next.keeping);
        self.cases[1] |= next.trouble.map_or(0, |trouble| 1 << trouble as u8);
        self
    }

    /// Every world that can follow.
    fn after(&self, machines: Machines, to: &mut Vec<World>) {
        self.coordinator(machines, to);
        self.participant(machines, to);
        for standing in Standing::ALL {
            let bit = 1 << standing as u8;
            if self.answers[0] & bit != 0 {
                to.push(self.note(machines, Observation::Peer(standing)));
            }
            if self.answers[1] & bit != 0 {
                to.push(self.mark(
                    machines,
                    match standing {
                        Standing::Committed => participant::Observation::Told(Verdict::Commit),
                        Standing::Aborted => participant::Observation::Told(Verdict::Abort),
                        Standing::NotFound => participant::Observation::NotKnown,
                        _ => participant::Observation::Undecided,
                    },
                ));
            }
        }
        self.people(machines, to);
    }

    fn coordinator(&self, machines: Machines, to: &mut Vec<World>) {
        let ask = |question| World { questions: self.questions | question, ..*self };
        match coordinator::act(&self.saga) {
            Act::Await => to.push(self.note(machines, Observation::Window)),
            Act::Post(step) => self.post(machines, step, to),
            Act::Prepare => {
                to.push(ask(PREPARE));
                to.push(self.note(machines, Observation::Silence));
            }
            Act::Tell => {
                let commit = coordinator::decision(self.saga.state) == Some(Verdict::Commit);
                to.push(ask(if commit { COMMIT } else { ABORT }));
                to.push(self.note(machines, Observation::Silence));
            }
            _ => {}
        }
    }

    /// The coordinator's books decide a step, once for each key; then it is noted, or the bank is killed before.
    fn post(&self, machines: Machines, step: Step, to: &mut Vec<World>) {
        let mut outcome = |world: World, saw| {
            to.push(world);
            to.push(world.note(machines, saw));
        };
        let attempt = self.saga.attempt;
        let refused = Observation::Refused { step, attempt, because: Because::Other };
        let side = self.ours;
        let (done, doing) = match step {
            Step::Fund => (side.prepared, Side { prepared: true, ..side }),
            Step::Settle => (side.committed, Side { committed: true, ..side }),
            _ => (side.aborted, Side { aborted: true, ..side }),
        };
        if done {
            return outcome(*self, Observation::Posted(step));
        }
        if side.attempt_refused || (step == Step::Fund && side.refused) {
            return outcome(*self, refused);
        }
        if step == Step::Fund || side.is_open() {
            outcome(World { ours: doing, ..*self }, Observation::Posted(step));
        }
        if step == Step::Fund {
            outcome(World { ours: Side { refused: true, ..side }, ..*self }, refused);
        } else if self.luck.refusals > 0 {
            let luck = Luck { refusals: self.luck.refusals - 1, ..self.luck };
            outcome(World { ours: Side { attempt_refused: true, ..side }, luck, ..*self }, refused);
        }
    }

    fn participant(&self, machines: Machines, to: &mut Vec<World>) {
        if let Some(keeping) = self.promise {
            match keeping.act() {
                participant::Act::Post(step) => self.keep(machines, step, to),
                participant::Act::Ask => {
                    to.push(World { questions: self.questions | DECISION, ..*self });
                    to.push(self.mark(machines, participant::Observation::Silence));
                }
                participant::Act::Rest => {}
            }
        }
        for question in [PREPARE, COMMIT, ABORT, DECISION] {
            if self.questions & question != 0 {
                self.answer(machines, question, to);
            }
        }
    }

    fn keep(&self, machines: Machines, step: participant::Step, to: &mut Vec<World>) {
        let mut outcome = |world: World, saw| {
            to.push(world);
            to.push(world.mark(machines, saw));
        };
        let attempt = self.promise.map_or(0, |promise| promise.attempt);
        let refused = participant::Observation::Refused { step, attempt };
        let side = self.theirs;
        let (done, doing) = match step {
            participant::Step::Prepare => (side.prepared, Side { prepared: true, ..side }),
            participant::Step::Commit => (side.committed, Side { committed: true, ..side }),
            participant::Step::Abort => (side.aborted, Side { aborted: true, ..side }),
        };
        let prepares = step == participant::Step::Prepare;
        if done {
            return outcome(*self, participant::Observation::Posted(step));
        }
        if side.attempt_refused || (prepares && side.refused) {
            return outcome(*self, refused);
        }
        if prepares || side.is_open() {
            outcome(World { theirs: doing, ..*self }, participant::Observation::Posted(step));
        }
        if prepares {
            outcome(World { theirs: Side { refused: true, ..side }, ..*self }, refused);
        } else if self.luck.refusals > 0 {
            let luck = Luck { refusals: self.luck.refusals - 1, ..self.luck };
            outcome(World { theirs: Side { attempt_refused: true, ..side }, luck, ..*self }, refused);
        }
    }

    /// A question arrives, for the first time or once more. What it changes is durable before the answer is sent.
    fn answer(&self, machines: Machines, question: u8, to: &mut Vec<World>) {
        if question == DECISION {
            let standing = match coordinator::decision(self.saga.state) {
                None => Standing::Undecided,
                Some(Verdict::Commit) => Standing::Committed,
                Some(Verdict::Abort) => Standing::Aborted,
            };
            let mut world = *self;
            world.answers[1] |= 1 << standing as u8;
            return to.push(world);
        }
        let mut world = *self;
        match (question, self.promise) {
            (PREPARE, None) => world.promise = Some(Keeping::NEW),
            (ABORT, None) => world.promise = Some(Keeping::NEVER),
            (COMMIT, None) => {
                world.answers[0] |= 1 << Standing::NotFound as u8;
                return to.push(world);
            }
            (COMMIT, _) => world = self.mark(machines, participant::Observation::Told(Verdict::Commit)),
            (ABORT, _) => world = self.mark(machines, participant::Observation::Told(Verdict::Abort)),
            _ => {}
        }
        to.push(world);
        if let Some(standing) = world.promise.and_then(|promise| promise.standing()) {
            world.answers[0] |= 1 << standing as u8;
            to.push(world);
        }
    }

    fn people(&self, machines: Machines, to: &mut Vec<World>) {
        let Luck { ends, heuristics, people, .. } = self.luck;
        if ends > 0 {
            let unlucky = World { luck: Luck { ends: ends - 1, ..self.luck }, ..*self };
            to.push(unlucky.note(machines, Observation::CancelAsked));
            to.push(unlucky.note(machines, Observation::TimeUp));
        }
        if heuristics > 0 {
            let unlucky = World { luck: Luck { heuristics: heuristics - 1, ..self.luck }, ..*self };
            for verdict in [Verdict::Commit, Verdict::Abort] {
                to.push(unlucky.mark(machines, participant::Observation::Operator(verdict)));
            }
        }
        if people > 0 {
            for resolution in Resolution::ALL {
                let luck = Luck { people: people - 1, ..self.luck };
                let world = World { luck, ..*self }.note(machines, Observation::Operator(resolution));
                let vouched = world.saga != self.saga;
                to.push(World { vouched: self.vouched || vouched, ..world });
            }
        }
    }

    fn heuristic(&self) -> bool {
        self.promise.is_some_and(|promise| promise.heuristic)
    }

    /// Both have come to an end.
    fn is_over(&self) -> bool {
        self.saga.state.is_end()
            && self.promise.is_none_or(|promise| promise.state.is_end())
            && !self.ours.is_open()
            && !self.theirs.is_open()
    }

    fn check(&self) -> Result<(), String> {
        let fail = |what: &str| Err(what.to_owned());
        let (ours, theirs) = (self.ours, self.theirs);
        for side in [ours, theirs] {
            if (side.committed && side.aborted) || ((side.committed || side.aborted) && !side.prepared) {
                return fail("a leg that nothing had prepared, or one that ended twice");
            }
        }
        let decided = coordinator::decision(self.saga.state);
        if ours.committed && decided != Some(Verdict::Commit) {
            return fail("our leg was committed and it is not decided so");
        }
        if theirs.committed && decided != Some(Verdict::Commit) && !self.heuristic() {
            return fail("their leg was committed and it is not decided so");
        }
        if decided == Some(Verdict::Commit) && !theirs.prepared {
            return fail("a commit was decided without the other's prepare");
        }
        let mixed = (ours.committed && (theirs.aborted || theirs.refused))
            || (theirs.committed && (ours.aborted || ours.refused));
        if mixed && !self.heuristic() {
            return fail("one side committed, the other aborted");
        }
        if mixed && self.is_over() && self.promise.is_some_and(|promise| promise.told.is_some()) {
            if self.cases[1] & 1 << participant::Trouble::Heuristic as u8 == 0 {
                return fail("nobody at the participant was told");
            }
            let told = self.cases[0] & 1 << Trouble::Heuristic as u8 != 0;
            if !told && !self.vouched && self.saga.state != State::Refused {
                return fail("nobody at the coordinator was told");
            }
        }
        let ends = match self.saga.state {
            State::Settled => ours.committed,
            State::Reversed => ours.aborted,
            State::Refused => !ours.prepared,
            _ => true,
        };
        let theirs_end = match self.promise.map(|promise| promise.state) {
            Some(participant::State::Committed) => theirs.committed,
            Some(participant::State::Aborted) => !theirs.is_open(),
            Some(participant::State::Refused) => !theirs.prepared,
            _ => true,
        };
        if !ends || !theirs_end {
            return fail("an end that the books do not know");
        }
        Ok(())
    }

    /// Of one step from `self` to `to`.
    fn check_step(&self, to: &World) -> Result<(), String> {
        let before = coordinator::decision(self.saga.state);
        if before.is_some() && coordinator::decision(to.saga.state) != before {
            return Err("the coordinator changed its decision".into());
        }
        if self.saga.state.is_end() && to.saga.state != self.saga.state {
            return Err("an end that was left again".into());
        }
        let (Some(before), Some(after)) = (self.promise, to.promise) else { return Ok(()) };
        if before.decision.is_some() && after.decision != before.decision {
            return Err("the participant changed its decision".into());
        }
        if before.state.is_end() && after.state != before.state {
            return Err("an end that was left again".into());
        }
        let by_refusal = self.theirs.attempt_refused || self.luck.refusals != to.luck.refusals;
        if after.attempt > before.attempt && !by_refusal {
            return Err("the attempt was raised without a recorded refusal".into());
        }
        Ok(())
    }
}

/// Looks at every world; answers how many there are.
fn explore(machines: Machines, luck: Luck) -> Result<usize, String> {
    search::explore(
        World::new(luck),
        |world, following| world.after(machines, following),
        World::check,
        World::check_step,
        World::is_over,
        |world| format!("no way to an end from {:?} with {:?}", world.saga, world.promise),
    )
}

const BAD: Luck = Luck { refusals: 2, ends: 1, heuristics: 0, people: 0 };

/// Without anybody who decides for the machines: both commit or neither, and both come to an end.
#[test]
fn no_order_of_events_commits_one_side_only_or_leaves_one_in_doubt() {
    let worlds = explore(RIGHT, BAD).unwrap();
    println!("{worlds} worlds");
    assert!(worlds > 5_000, "only {worlds} worlds: the model leaves something out");
}

#[test]
fn an_operator_who_decides_alone_is_told_of_on_both_sides() {
    let worlds = explore(RIGHT, Luck { refusals: 1, ends: 1, heuristics: 1, people: 0 }).unwrap();
    println!("{worlds} worlds");
    assert!(worlds > 5_000, "only {worlds} worlds: the model leaves something out");
}

#[test]
fn people_of_the_coordinator_change_nothing_about_that() {
    let worlds = explore(RIGHT, Luck { refusals: 1, ends: 1, heuristics: 1, people: 2 }).unwrap();
    println!("{worlds} worlds");
    assert!(worlds > 20_000, "only {worlds} worlds: the model leaves something out");
}

/// The mistakes of the trade. Each must be found, or the search proves nothing.
mod mistakes {
    use super::*;

    fn explored(machines: Machines, luck: Luck) -> String {
        explore(machines, luck).expect_err("the mistake is found")
    }

    fn coordinated(coordinator: Coordinator) -> String {
        explored(Machines { coordinator, ..RIGHT }, BAD)
    }

    fn kept(participant: Participant, luck: Luck) -> String {
        explored(Machines { participant, ..RIGHT }, luck)
    }

    #[test]
    fn silence_taken_for_a_prepare() {
        fn machine(before: &Saga, saw: Observation, tries_max: u32) -> Next {
            match saw {
                Observation::Silence if before.state == State::Submitted => {
                    coordinator::next(before, Observation::Peer(Standing::Prepared), tries_max)
                }
                saw => coordinator::next(before, saw, tries_max),
            }
        }
        assert_eq!(coordinated(machine), "a commit was decided without the other's prepare");
    }

    #[test]
    fn a_cancel_after_the_decision() {
        fn machine(before: &Saga, saw: Observation, tries_max: u32) -> Next {
            match (before.state, saw) {
                (State::Settling, Observation::CancelAsked) if !before.booked => {
                    Next { saga: Saga::at(State::CancelRequested), trouble: None }
                }
                (_, saw) => coordinator::next(before, saw, tries_max),
            }
        }
        assert_eq!(coordinated(machine), "the coordinator changed its decision");
    }

    #[test]
    fn a_prepare_that_time_ends() {
        fn machine(before: &Keeping, saw: participant::Observation, tries_max: u32) -> participant::Next {
            match saw {
                participant::Observation::Silence if before.state == participant::State::Prepared => {
                    participant::next(before, participant::Observation::Told(Verdict::Abort), tries_max)
                }
                saw => participant::next(before, saw, tries_max),
            }
        }
        assert_eq!(kept(machine, BAD), "one side committed, the other aborted");
    }

    #[test]
    fn undecided_taken_for_an_abort() {
        fn machine(before: &Keeping, saw: participant::Observation, tries_max: u32) -> participant::Next {
            match saw {
                participant::Observation::Undecided if before.state == participant::State::Prepared => {
                    participant::next(before, participant::Observation::Told(Verdict::Abort), tries_max)
                }
                saw => participant::next(before, saw, tries_max),
            }
        }
        assert_eq!(kept(machine, BAD), "one side committed, the other aborted");
    }

    /// The abort is forgotten while the books are still deciding about the prepare.
    #[test]
    fn an_abort_that_overtakes_the_prepare_and_is_forgotten() {
        fn machine(before: &Keeping, saw: participant::Observation, tries_max: u32) -> participant::Next {
            let next = participant::next(before, saw, tries_max);
            match saw {
                participant::Observation::Posted(participant::Step::Prepare) => participant::Next {
                    keeping: Keeping {
                        state: participant::State::Aborted,
                        decision: next.keeping.decision.or(Some(Verdict::Abort)),
                        ..next.keeping
                    },
                    ..next
                },
                _ => next,
            }
        }
        assert_eq!(kept(machine, BAD), "an end that the books do not know");
    }

    #[test]
    fn an_operator_who_is_overruled() {
        fn machine(before: &Keeping, saw: participant::Observation, tries_max: u32) -> participant::Next {
            match saw {
                participant::Observation::Told(verdict)
                    if before.heuristic && before.decision != Some(verdict) && !before.state.is_end() =>
                {
                    let prepared =
                        Keeping { state: participant::State::Prepared, heuristic: false, ..*before };
                    participant::next(&prepared, saw, tries_max)
                }
                saw => participant::next(before, saw, tries_max),
            }
        }
        assert_eq!(kept(machine, Luck { heuristics: 1, ..BAD }), "the participant changed its decision");
    }

    #[test]
    fn a_contradiction_that_nobody_is_told_of() {
        fn machine(before: &Keeping, saw: participant::Observation, tries_max: u32) -> participant::Next {
            participant::Next { trouble: None, ..participant::next(before, saw, tries_max) }
        }
        let luck = Luck { heuristics: 1, ..BAD };
        assert_eq!(kept(machine, luck), "nobody at the participant was told");
    }

    #[test]
    fn a_promise_that_waits_for_a_person_and_listens_no_more() {
        fn machine(before: &Keeping, saw: participant::Observation, tries_max: u32) -> participant::Next {
            match saw {
                participant::Observation::Told(_) if before.tries >= tries_max => {
                    participant::Next { keeping: *before, trouble: None }
                }
                saw => participant::next(before, saw, tries_max),
            }
        }
        assert!(kept(machine, BAD).starts_with("no way to an end"));
    }
}
