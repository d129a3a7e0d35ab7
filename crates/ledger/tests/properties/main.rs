//! What holds whatever anybody asks for, in whatever order.

mod generator;
mod late;
mod lifecycle;
mod model;
mod reach;
mod run;

use std::collections::BTreeMap;

use ledger::codec::state::NotASnapshot;
use ledger::codec::{decode, encode};
use ledger::rules::decide;
use ledger::totals::Total;
use ledger::{
    Account, Code, Command, Currency, Date, Event, NameId, Refusal, Request, Sequence, Side, State, Undo,
    invariants,
};
use proptest::prelude::*;

use generator::{group, steps};
use model::Model;
use run::{Asked, Run};

/// The model after the openings with which every run starts.
fn model() -> Model {
    let mut model = Model::default();
    let start = Run::start();
    for (request, sequence) in start.openings().iter().zip(2..) {
        assert!(model.decide(request, Sequence(sequence), start.time));
    }
    model
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// The rules and the auditor say yes to the same commands, and then stand at the same numbers.
    #[test]
    fn the_books_are_what_the_auditor_makes_of_the_commands(steps in steps()) {
        let mut model = model();
        Run::start().steps(&steps, |_, decided, after| {
            let Some(after) = after else { return };
            let (sequence, time) = (decided.context.sequence, decided.context.time);
            let accepted = match &decided.asked {
                Asked::One(request) => model.decide(request, sequence, time),
                Asked::Group(header, members) => model.decide_group(header, members, sequence, time),
            };
            assert_eq!(decided.outcome.is_ok(), accepted, "{decided:?}");
            if after.claims.contains_key(&decided.key()) {
                model.refused(decided.key());
            }
            model.agrees_with(&after.state);
        });
    }

    /// What a coordinator was promised can be kept, whatever happened to the accounts since: with a business day open,
    /// every prepared hold can be committed, one after the other, and any of them given up instead.
    #[test]
    fn what_is_prepared_can_be_committed_and_given_up(steps in steps(), kept in any::<u64>()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let ask = |run: &mut Run, command| {
            let decided = run.decide(Asked::One(Request::new(command, NameId(1))));
            run.finish(&decided);
            decided.outcome.map(|_| ())
        };
        if run.state.day().open.is_none() {
            let newest = run.state.day().newest.expect("every run begins with a day");
            prop_assert_eq!(ask(&mut run, Command::OpenDay { date: Date(newest.0 + 1) }), Ok(()));
        }
        let prepared: Vec<_> =
            run.state.holds().filter(|(_, hold)| hold.is_prepared()).map(|(id, _)| id).collect();
        for (hold, number) in prepared.into_iter().zip(0..) {
            let commit = kept >> (number % 64) & 1 == 1;
            let command = if commit { Command::Commit { hold } } else { Command::Abort { hold } };
            prop_assert_eq!(ask(&mut run, command), Ok(()), "hold {}", hold);
        }
    }

    /// A store that must not commit after all stands where it stood.
    #[test]
    fn what_is_taken_back_was_never_there(steps in steps(), kept in 0usize..40) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let kept = kept.min(run.events.len());
        let mut state = State::new();
        run.events[..kept].iter().for_each(|event| state.apply(event));
        let before = state.clone();
        let mut undo = Undo::new();
        run.events[kept..].iter().for_each(|event| state.apply_undoable(event, &mut undo));
        assert_eq!(state, run.state);
        state.take_back(&mut undo);
        assert_eq!(state, before);
        // And it can go on from there.
        run.events[kept..].iter().for_each(|event| state.apply(event));
        assert_eq!(state, run.state);
    }

    /// A trial balance costs a look at a few lines, however many accounts there are.
    #[test]
    fn the_totals_are_what_the_accounts_add_up_to(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let total = |of: &dyn Fn(&Account) -> i128, total: &Total| {
            let same = |account: &&Account| {
                (account.currency(), account.account_type) == (total.currency, total.account_type)
            };
            run.state.accounts().map(|(_, account)| account).filter(same).map(of).sum::<i128>()
        };
        let mut accounts = 0;
        for line in run.state.totals() {
            for side in [Side::Debit, Side::Credit] {
                assert_eq!(line.posted(side) as i128, total(&|account| account.posted(side) as i128, line));
            }
            assert_eq!(line.reserved(), total(&Account::reserved, line));
            assert_eq!(line.accounts as i128, total(&|_| 1, line));
            accounts += line.accounts;
        }
        assert_eq!(accounts, run.state.account_count());
    }

    #[test]
    fn in_every_currency_debits_equal_credits_at_every_sequence(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let mut state = State::new();
        for event in &run.events {
            state.apply(event);
            let mut sums: BTreeMap<Currency, [u128; 2]> = BTreeMap::new();
            for (_, account) in state.accounts() {
                let sum = sums.entry(account.currency()).or_default();
                sum[0] += account.posted(Side::Debit);
                sum[1] += account.posted(Side::Credit);
            }
            prop_assert!(sums.values().all(|[debits, credits]| debits == credits), "at {}", event.sequence);
            prop_assert_eq!(invariants::check(&state), vec![], "at {}", event.sequence);
        }
    }

    #[test]
    fn totals_and_versions_only_grow(steps in steps()) {
        Run::start().steps(&steps, |before, _, after| {
            let Some(after) = after else { return };
            for ((id, old), (_, new)) in before.state.accounts().zip(after.state.accounts()) {
                for side in [Side::Debit, Side::Credit] {
                    assert!(new.posted(side) >= old.posted(side), "account {id}");
                    assert!(new.held_ever(side) >= old.held_ever(side), "account {id}");
                    assert!(new.released_ever(side) >= old.released_ever(side), "account {id}");
                }
                assert!(new.version >= old.version && new.last >= old.last, "account {id}");
                assert_eq!(new.version == old.version, new == old, "a version for each change of account {id}");
            }
        });
    }

    #[test]
    fn time_and_booking_dates_never_go_back(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        for (earlier, later) in run.events.iter().zip(&run.events[1..]) {
            prop_assert_eq!(later.sequence, earlier.sequence.next());
            prop_assert!(later.time >= earlier.time && later.booking >= earlier.booking, "{:?}", later);
        }
    }

    /// Derived data may be damaged; it is then refused or wrong, but reading it ends.
    #[test]
    fn a_damaged_snapshot_never_panics(
        steps in steps(),
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let mut bytes = Vec::new();
        run.state.save(&mut |piece| bytes.extend_from_slice(piece));
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let _ = load(&bytes);
    }

    #[test]
    fn no_account_is_below_its_floor_or_above_64_bits(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let mut state = State::new();
        for event in &run.events {
            state.apply(event);
            for (id, account) in state.accounts() {
                prop_assert!(account.available_balance() >= 0, "account {} at {}", id, event.sequence);
                let full = account.ledger_balance() + account.held(account.normal_side());
                prop_assert!(full <= i64::MAX.into(), "account {} at {}", id, event.sequence);
            }
        }
    }

    #[test]
    fn what_is_held_is_the_sum_of_the_open_holds(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        for (id, account) in run.state.accounts() {
            for side in [Side::Debit, Side::Credit] {
                let holds = run.state.holds().map(|(_, hold)| match (hold.account == id, hold.to == Some(id)) {
                    (true, _) if hold.side == side => i128::from(hold.amount),
                    (_, true) if hold.side != side => i128::from(hold.amount),
                    _ => 0,
                });
                prop_assert_eq!(account.held(side), holds.sum::<i128>(), "account {}", id);
            }
        }
    }

    /// Deciding looks and does not touch; a refusal that is recorded takes a sequence and nothing else.
    #[test]
    fn a_refusal_changes_nothing(steps in steps()) {
        let mut untouched = None;
        Run::start().steps(&steps, |before, decided, after| {
            let Some(after) = after else {
                untouched = Some(before.state.clone());
                return;
            };
            assert_eq!(Some(&before.state), untouched.as_ref(), "deciding is only looking");
            if decided.outcome.is_err() {
                assert!(before.state.accounts().eq(after.state.accounts()));
                assert!(before.state.holds().eq(after.state.holds()));
                assert_eq!(before.state.day(), after.state.day());
                let recorded = after.events.len() - before.events.len();
                assert_eq!(after.state.head().0 - before.state.head().0, recorded as u64);
                assert_eq!(after.claims.len() - before.claims.len(), recorded, "of a group only the group's key");
                if recorded == 0 {
                    assert_eq!(before.state, after.state);
                }
            }
        });
    }

    #[test]
    fn the_same_request_on_the_same_books_has_the_same_answer(steps in steps()) {
        Run::start().steps(&steps, |before, decided, after| {
            if after.is_some() {
                return;
            }
            // Not the same memory: the books as a replay has them.
            let mut replayed = State::new();
            before.events.iter().for_each(|event| replayed.apply(event));
            let other = Run { state: replayed, claims: before.claims.clone(), events: vec![], time: before.time };
            let asked = match &decided.asked {
                Asked::One(request) => Asked::One(request.clone()),
                Asked::Group(header, members) => Asked::Group(header.clone(), members.clone()),
            };
            assert_eq!(other.decide(asked).outcome, decided.outcome);
        });
    }

    #[test]
    fn replay_of_the_records_is_the_live_state(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let mut replayed = State::new();
        for event in &run.events {
            let mut record = Vec::new();
            encode(event, &mut record);
            let decoded = decode(&record).expect("what was encoded");
            prop_assert_eq!(&decoded, event);
            replayed.apply(&decoded);
        }
        prop_assert_eq!(replayed, run.state);
    }

    #[test]
    fn a_snapshot_reads_back_as_the_state(steps in steps(), cut in any::<prop::sample::Index>()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let mut bytes = Vec::new();
        run.state.save(&mut |piece| bytes.extend_from_slice(piece));
        prop_assert_eq!(load(&bytes), Ok(run.state));
        let cut = cut.index(bytes.len());
        prop_assert_eq!(load(&bytes[..cut]), Err(NotASnapshot), "cut at {}", cut);
    }

    /// A group is what its members are one by one, or nothing.
    #[test]
    fn a_group_is_all_of_its_members_or_none(steps in steps(), last in group()) {
        let mut run = Run::start();
        let mut all = steps;
        all.push(last);
        run.steps(&all, |before, decided, after| {
            let (Asked::Group(_, members), None) = (&decided.asked, after) else { return };
            match &decided.outcome {
                Ok(events) => {
                    let alone = one_by_one(before, &events[0], members);
                    for (event, alone) in events[1..].iter().zip(&alone) {
                        let alone = Event { in_group: true, ..alone.clone().expect("accepted in the group") };
                        assert_eq!(&alone, event);
                    }
                    assert_eq!(events.len(), alone.len() + 1);
                }
                Err(refusal) => refused_alone_too(before, members, refusal),
            }
        });
    }
}

/// The members decided after the group's header, each on the books that the one before left.
fn one_by_one(before: &Run, header: &Event, members: &[ledger::Request]) -> Vec<Result<Event, Refusal>> {
    let mut state = before.state.clone();
    let mut claims = before.claims.clone();
    state.apply(header);
    let mut outcomes = Vec::new();
    for member in members {
        let view = state.view(|digest| claims.get(digest).copied());
        let context = ledger::Context { sequence: state.head().next(), time: before.time };
        let outcome = decide(&view, member, context);
        if let Ok(event) = &outcome {
            state.apply(event);
            event.claims(|digest, claimed| {
                claims.insert(digest, claimed);
            });
        }
        outcomes.push(outcome);
    }
    outcomes
}

/// The member that refused the group would have been refused alone, for the same reason.
fn refused_alone_too(before: &Run, members: &[ledger::Request], refusal: &Refusal) {
    if matches!(refusal.code, Code::TooManyMembers | Code::NotInGroup | Code::KeyTakenInBatch) {
        return;
    }
    let index = usize::from(refusal.member.expect("a member was refused"));
    // The header takes a sequence, so a stand-in takes it here.
    let group = Asked::Group(members[0].clone(), members[..index].to_vec());
    if index == 0 {
        let view = before.state.view(|digest| before.claims.get(digest).copied());
        let sequence = before.context().sequence.next();
        let alone = decide(&view, &members[0], ledger::Context { sequence, time: before.time });
        assert_eq!(alone, Err(Refusal { member: None, ..*refusal }));
        return;
    }
    let Asked::Group(mut header, earlier) = group else { unreachable!() };
    header.key = ledger::Digest::NONE;
    let events = before.decide(Asked::Group(header, earlier)).outcome.expect("those before it were accepted");
    let outcomes = one_by_one(before, &events[0], &members[..=index]);
    assert!(outcomes[..index].iter().all(Result::is_ok));
    assert_eq!(outcomes[index], Err(Refusal { member: None, ..*refusal }));
}

fn load(mut bytes: &[u8]) -> Result<State, NotASnapshot> {
    State::load(&mut |piece: &mut [u8]| {
        let (head, tail) = bytes.split_at_checked(piece.len()).ok_or(NotASnapshot)?;
        piece.copy_from_slice(head);
        bytes = tail;
        Ok(())
    })
}
