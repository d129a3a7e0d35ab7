//! The saga together with a rail, our books and bad luck: every order in which things can happen, looked at.
//!
//! A world is the durable state of both sides and what is under way between them. From each world all steps are
//! taken: the driver does an act and is killed before or after it notes what came of it, the rail works off a
//! request once or twice, answers get lost, arrive twice, late or in another order, accounts close, our books
//! refuse, people decide. The search is exhaustive, so an invariant that holds here holds.
//!
//! That the search can find something is a test as well: machines with the classic mistakes are caught.

use super::{Act, Answer, Because, Next, Observation, Resolution, Saga, State, Step, Trouble, next};
use crate::payments::search;

const TRIES_MAX: u32 = 2;

type Machine = fn(&Saga, Observation, u32) -> Next;

/// What the rail has done with the reference. It keeps that for good.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum AtRail {
    Nothing,
    Accepted,
    Settled,
    Rejected,
    Cancelled,
}

/// A small set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Set(u8);

impl Set {
    fn has(self, index: usize) -> bool {
        self.0 & 1 << index != 0
    }
    fn with(self, index: usize) -> Set {
        Set(self.0 | 1 << index)
    }
    fn without(self, index: usize) -> Set {
        Set(self.0 & !(1 << index))
    }
    fn each(self) -> impl Iterator<Item = usize> {
        (0..8).filter(move |index| self.has(*index))
    }
}

const SUBMIT: usize = 0;
const ENQUIRE: usize = 1;
const CANCEL: usize = 2;

const ANSWERS: [Observation; 6] = [
    Observation::Rail(Answer::Accepted),
    Observation::Rail(Answer::Settled),
    Observation::Rail(Answer::Rejected),
    Observation::Rail(Answer::Cancelled),
    Observation::Rail(Answer::NotFound),
    Observation::Denied,
];

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct World {
    saga: Saga,
    rail: AtRail,
    /// Requests and answers under way; one in a set may be taken out or left there for another time.
    requests: Set,
    answers: Set,
    /// Steps in our books.
    posted: Set,
    /// Steps whose present attempt our books have refused and recorded.
    refused: Set,
    /// Kinds of cases that were opened.
    cases: Set,
    closed: bool,
    /// What a person said about the outcome, if one did.
    vouched: Option<Resolution>,
    /// What may still happen.
    refusals: u8,
    decisions: u8,
    cancels: u8,
    lies: u8,
}

/// How bad the luck may be.
#[derive(Clone, Copy)]
struct Luck {
    refusals: u8,
    decisions: u8,
    cancels: u8,
    lies: u8,
}

impl World {
    fn new(luck: Luck) -> World {
        World {
            saga: Saga::NEW,
            rail: AtRail::Nothing,
            requests: Set::default(),
            answers: Set::default(),
            posted: Set::default(),
            refused: Set::default(),
            cases: Set::default(),
            closed: false,
            vouched: None,
            refusals: luck.refusals,
            decisions: luck.decisions,
            cancels: luck.cancels,
            lies: luck.lies,
        }
    }

    fn done(&self, step: Step) -> bool {
        self.posted.has(step as usize)
    }

    /// The observation is noted, durably.
    fn note(mut self, machine: Machine, saw: Observation) -> World {
        let step = machine(&self.saga, saw, TRIES_MAX);
        if step.saga.attempt != self.saga.attempt || step.saga.state != self.saga.state {
            self.refused = Set::default();
        }
        self.saga = step.saga;
        if let Some(trouble) = step.trouble {
            self.cases = self.cases.with(trouble as usize);
        }
        self
    }

    /// Every world that can follow.
    fn after(&self, machine: Machine, to: &mut Vec<World>) {
        self.driver(machine, to);
        self.rail(to);
        for index in self.answers.each() {
            let heard = self.note(machine, ANSWERS[index]);
            to.push(heard);
            to.push(World { answers: heard.answers.without(index), ..heard });
            to.push(World { answers: self.answers.without(index), ..*self });
        }
        for index in self.requests.each() {
            to.push(World { requests: self.requests.without(index), ..*self });
        }
        self.people(machine, to);
        if !self.closed && self.done(Step::Fund) {
            to.push(World { closed: true, ..*self });
        }
        if self.lies > 0 {
            let liar = World { lies: self.lies - 1, ..*self };
            to.extend((0..5).map(|index| World { answers: liar.answers.with(index), ..liar }));
        }
    }

    fn driver(&self, machine: Machine, to: &mut Vec<World>) {
        let asks = |index| World { requests: self.requests.with(index), ..*self };
        match self.saga.act() {
            Act::Rest => {}
            Act::Await => to.push(self.note(machine, Observation::Window)),
            Act::Post(step) => self.post(machine, step, to),
            Act::Send => to.push(asks(SUBMIT)),
            Act::Enquire => to.push(asks(ENQUIRE)),
            Act::Cancel => to.push(asks(CANCEL)),
            Act::Prepare | Act::Tell => unreachable!("of two-phase payments only"),
        }
        if matches!(self.saga.act(), Act::Send | Act::Enquire | Act::Cancel) {
            to.push(self.note(machine, Observation::Silence));
        }
    }

    /// Our books decide a step, once for each key; then the driver notes it, or is killed before it can.
    fn post(&self, machine: Machine, step: Step, to: &mut Vec<World>) {
        let mut outcome = |world: World, saw| {
            to.push(world);
            to.push(world.note(machine, saw));
        };
        let attempt = self.saga.attempt;
        let refused = |because| Observation::Refused { step, attempt, because };
        let because = match step {
            Step::Reverse if self.closed => Because::Closed,
            _ => Because::Other,
        };
        if self.done(step) {
            return outcome(*self, Observation::Posted(step));
        }
        if self.refused.has(step as usize) {
            return outcome(*self, refused(because));
        }
        if because == Because::Other {
            outcome(World { posted: self.posted.with(step as usize), ..*self }, Observation::Posted(step));
        }
        if because != Because::Other || self.refusals > 0 {
            let left = self.refusals.saturating_sub(u8::from(because == Because::Other));
            let refusing = World { refused: self.refused.with(step as usize), refusals: left, ..*self };
            outcome(refusing, refused(because));
        }
    }

    fn rail(&self, to: &mut Vec<World>) {
        let answer = |index: usize, rail: AtRail, requests: Set, to: &mut Vec<World>| {
            let lost = World { rail, requests, ..*self };
            to.push(lost);
            to.push(World { answers: lost.answers.with(index), ..lost });
        };
        let standing = |rail: AtRail| match rail {
            AtRail::Nothing => 4,
            AtRail::Accepted => 0,
            AtRail::Settled => 1,
            AtRail::Rejected => 2,
            AtRail::Cancelled => 3,
        };
        for index in self.requests.each() {
            // Once more from the network, or done with.
            for requests in [self.requests, self.requests.without(index)] {
                let becomes: &[AtRail] = match (index, self.rail) {
                    (SUBMIT, AtRail::Nothing) => &[AtRail::Accepted, AtRail::Settled, AtRail::Rejected],
                    (CANCEL, AtRail::Nothing) => &[AtRail::Cancelled],
                    (CANCEL, AtRail::Accepted) => {
                        answer(5, AtRail::Accepted, requests, to);
                        &[AtRail::Cancelled]
                    }
                    _ => &[self.rail],
                };
                for rail in becomes {
                    answer(standing(*rail), *rail, requests, to);
                }
            }
        }
        if self.rail == AtRail::Accepted {
            answer(1, AtRail::Settled, self.requests, to);
            answer(2, AtRail::Rejected, self.requests, to);
        }
    }

    fn people(&self, machine: Machine, to: &mut Vec<World>) {
        if self.cancels > 0 {
            to.push(World { cancels: self.cancels - 1, ..*self }.note(machine, Observation::CancelAsked));
        }
        if self.decisions == 0 {
            return;
        }
        for resolution in Resolution::ALL {
            let mut world = World { decisions: self.decisions - 1, ..*self };
            let noted = world.note(machine, Observation::Operator(resolution));
            if noted.saga == self.saga {
                continue;
            }
            if matches!(resolution, Resolution::Paid | Resolution::NotPaid) {
                world.vouched = Some(resolution);
            }
            to.push(world.note(machine, Observation::Operator(resolution)));
        }
    }

    /// Nothing more is to be done, or a person has it.
    fn is_settled(&self) -> bool {
        self.saga.held || self.saga.state.is_end()
    }

    fn check(&self, honest: bool) -> Result<(), String> {
        let fail = |what: &str| Err(what.to_owned());
        let [fund, settle, reverse, suspend] =
            [Step::Fund, Step::Settle, Step::Reverse, Step::Suspend].map(|step| self.done(step));
        let out = [settle, reverse, suspend].into_iter().filter(|out| *out).count();
        if out > 1 || (out == 1 && !fund) {
            return fail("money in two places");
        }
        if self.saga.tries > TRIES_MAX {
            return fail("more tries than the bound");
        }
        let back = reverse || suspend;
        let at_the_end = match self.saga.state {
            State::Refused => !fund,
            State::Settled => settle,
            State::Reversed => reverse,
            State::Suspended => suspend && self.cases.has(Trouble::InSuspense as usize),
            _ => true,
        };
        if !at_the_end {
            return fail("an end that the books do not know");
        }
        if self.saga.state.is_out() && (!fund || out > 0) {
            return fail("out without the money in clearing");
        }
        let vouched_unpaid = self.vouched == Some(Resolution::NotPaid);
        let vouched_paid = self.vouched == Some(Resolution::Paid);
        if honest && back && !vouched_unpaid {
            let may_pay = match self.rail {
                AtRail::Accepted | AtRail::Settled => true,
                AtRail::Nothing => self.requests.has(SUBMIT),
                AtRail::Rejected | AtRail::Cancelled => false,
            };
            if may_pay {
                return fail("reversed while the rail may still pay");
            }
        }
        if honest && settle && !vouched_paid && self.rail != AtRail::Settled {
            return fail("settled and not paid");
        }
        Ok(())
    }

    /// Of one step from `self` to `to`.
    fn check_step(&self, to: &World) -> Result<(), String> {
        if to.saga.attempt > self.saga.attempt && self.saga.state == to.saga.state {
            let step = self.saga.state.step().ok_or("an attempt at nothing")?;
            if !to.refused.has(step as usize)
                && !self.refused.has(step as usize)
                && self.refusals == to.refusals
            {
                return Err("the attempt was raised without a recorded refusal".into());
            }
        }
        if self.saga.state.is_end() && to.saga.state != self.saga.state {
            return Err("an end that was left again".into());
        }
        Ok(())
    }
}

/// Looks at every world.
fn explore(machine: Machine, luck: Luck) -> Result<usize, String> {
    let honest = luck.lies == 0;
    search::explore(
        World::new(luck),
        |world, following| world.after(machine, following),
        |world| world.check(honest),
        World::check_step,
        World::is_settled,
        |world| format!("no way to an end or a case from {:?}", world.saga),
    )
}

const BAD: Luck = Luck { refusals: 2, decisions: 0, cancels: 1, lies: 0 };

#[test]
fn with_an_honest_rail_no_order_of_events_loses_a_leg_or_pays_twice() {
    let worlds = explore(next, BAD).unwrap();
    println!("{worlds} worlds");
    assert!(worlds > 5_000, "only {worlds} worlds: the model leaves something out");
}

#[test]
fn people_who_decide_in_between_change_nothing_about_that() {
    let worlds = explore(next, Luck { refusals: 1, decisions: 2, cancels: 0, lies: 0 }).unwrap();
    println!("{worlds} worlds");
    assert!(worlds > 20_000, "only {worlds} worlds: the model leaves something out");
}

#[test]
fn a_rail_that_contradicts_itself_moves_no_money_twice() {
    let worlds = explore(next, Luck { refusals: 1, decisions: 0, cancels: 1, lies: 1 }).unwrap();
    println!("{worlds} worlds");
    assert!(worlds > 10_000, "only {worlds} worlds: the model leaves something out");
}

/// After a hold the only way on is a person or a late answer: both lead to an end.
#[test]
fn a_hold_can_always_be_resolved() {
    for state in State::ALL {
        let held = Saga { held: true, tries: TRIES_MAX, ..Saga::at(state) };
        if state.is_end() {
            continue;
        }
        let ways =
            Resolution::ALL.map(|resolution| next(&held, Observation::Operator(resolution), TRIES_MAX));
        assert!(ways.iter().any(|step| !step.saga.held), "{state:?}");
    }
}

/// The mistakes of the trade. Each must be found, or the search proves nothing.
mod mistakes {
    use super::*;

    fn explored(machine: Machine) -> String {
        explore(machine, BAD).expect_err("the mistake is found")
    }

    #[test]
    fn a_timeout_taken_for_a_failure() {
        fn machine(before: &Saga, saw: Observation, tries_max: u32) -> Next {
            match saw {
                Observation::Silence => next(before, Observation::Rail(Answer::Rejected), tries_max),
                other => next(before, other, tries_max),
            }
        }
        assert_eq!(explored(machine), "reversed while the rail may still pay");
    }

    #[test]
    fn not_found_taken_for_a_rejection() {
        fn machine(before: &Saga, saw: Observation, tries_max: u32) -> Next {
            match saw {
                Observation::Rail(Answer::NotFound) => {
                    next(before, Observation::Rail(Answer::Rejected), tries_max)
                }
                other => next(before, other, tries_max),
            }
        }
        assert_eq!(explored(machine), "reversed while the rail may still pay");
    }

    #[test]
    fn a_cancel_that_nobody_confirmed() {
        fn machine(before: &Saga, saw: Observation, tries_max: u32) -> Next {
            match saw {
                Observation::CancelAsked if before.state.is_out() => {
                    next(before, Observation::Rail(Answer::Cancelled), tries_max)
                }
                other => next(before, other, tries_max),
            }
        }
        assert_eq!(explored(machine), "reversed while the rail may still pay");
    }

    #[test]
    fn an_acceptance_taken_for_a_settlement() {
        fn machine(before: &Saga, saw: Observation, tries_max: u32) -> Next {
            match saw {
                Observation::Rail(Answer::Accepted) => {
                    next(before, Observation::Rail(Answer::Settled), tries_max)
                }
                other => next(before, other, tries_max),
            }
        }
        assert_eq!(explored(machine), "settled and not paid");
    }

    #[test]
    fn an_attempt_raised_while_the_outcome_is_unknown() {
        fn machine(before: &Saga, saw: Observation, tries_max: u32) -> Next {
            match saw {
                Observation::Posted(Step::Settle) if before.attempt == 0 => {
                    Next { saga: Saga { attempt: 1, ..*before }, trouble: None }
                }
                other => next(before, other, tries_max),
            }
        }
        assert_eq!(explored(machine), "the attempt was raised without a recorded refusal");
    }

    #[test]
    fn money_in_suspense_that_nobody_is_told_of() {
        fn machine(before: &Saga, saw: Observation, tries_max: u32) -> Next {
            Next { trouble: None, ..next(before, saw, tries_max) }
        }
        assert_eq!(explored(machine), "an end that the books do not know");
    }

    #[test]
    fn a_payment_that_the_rail_never_got_and_nobody_sends_again() {
        fn machine(before: &Saga, saw: Observation, tries_max: u32) -> Next {
            match (before.state, saw) {
                (State::Unknown, Observation::Silence | Observation::Rail(Answer::NotFound)) => {
                    Next { saga: *before, trouble: None }
                }
                _ => next(before, saw, tries_max),
            }
        }
        let luck = Luck { cancels: 0, ..BAD };
        assert!(explore(machine, luck).expect_err("found").starts_with("no way to an end or a case"));
    }
}
