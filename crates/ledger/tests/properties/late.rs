//! The balance by value date: what the late list and the history by booking date make together is the sum of
//! all entries that count by then, on every day, however far back.

use std::collections::BTreeSet;

use ledger::command::Movement;
use ledger::late::{booked_around, counts, is_settled};
use ledger::{AccountId, Command, Date, Event, NameId, Request, Side, State};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::generator::{bdt, steps};
use crate::load;
use crate::run::{Asked, Run};

/// The bound of value dates on both sides, as the page says it.
const BOUND: i32 = 366;

/// What an account's entries make on its normal side, as far as `is` counts them.
fn sum(events: &[Event], id: AccountId, normal: Side, is: impl Fn(&Event) -> i128) -> i128 {
    let entries = events.iter().flat_map(|event| event.posted().map(move |entry| (event, entry)));
    entries
        .filter(|(_, entry)| entry.account == id)
        .map(|(event, entry)| {
            let amount = i128::from(entry.amount) * is(event);
            if entry.side == normal { amount } else { -amount }
        })
        .sum()
}

/// All days on which anything changes, and those beside them: between two of them nothing does.
fn days(events: &[Event]) -> BTreeSet<Date> {
    let own = events.iter().flat_map(|event| [event.booking, event.value]);
    let edges = own.flat_map(|date| [date.0, date.0 - BOUND, date.0 + BOUND]);
    edges.flat_map(|day| [day - 1, day, day + 1]).map(Date).collect()
}

fn every_day_comes_out(events: &[Event], state: &State) {
    let newest = state.day().newest.expect("every run opens a day");
    for (id, account) in state.accounts() {
        for date in days(events) {
            let sum = |is: &dyn Fn(&Event) -> i128| sum(events, id, account.normal_side(), is);
            let by_value = sum(&|event| i128::from(event.value <= date));
            let by_booking = sum(&|event| i128::from(event.booking <= date));
            let (first, last) = booked_around(date);
            let near = |event: &Event| first <= event.booking && event.booking <= last;
            let from_history =
                sum(&|event| if near(event) { counts(event.booking, event.value, date) } else { 0 });
            assert_eq!(by_booking + from_history, by_value, "account {id} on {date}, from its history");
            match state.late(id, date) {
                Some(late) => {
                    assert_eq!(by_booking + late, by_value, "account {id} on {date}, from the list")
                }
                None => assert!(date.0 < newest.0 - BOUND, "{date} can still change"),
            }
        }
    }
}

/// What happens: so many days pass, then a transfer from account 5, which has funds without end, to 3 or 4, of so
/// much, with a value date so many days away.
type Late = (i32, u64, i64, Option<i32>);

fn years() -> impl Strategy<Value = Vec<Late>> {
    let pass = prop_oneof![6 => Just(0), 3 => 1i32..4, 2 => 100i32..400, 1 => 700i32..800];
    let value = prop_oneof![
        2 => Just(None),
        2 => (-3i32..4).prop_map(Some),
        3 => (-BOUND..=BOUND).prop_map(Some),
        1 => prop::sample::select(vec![-BOUND, BOUND]).prop_map(Some),
    ];
    vec((pass, 3u64..5, 1i64..100, value), 1..40)
}

fn submit(run: &mut Run, command: Command, value: Option<Date>) {
    let mut request = Request::new(command, NameId(1));
    request.value = value;
    let decided = run.decide(Asked::One(request));
    assert!(decided.outcome.is_ok(), "{decided:?}");
    run.finish(&decided);
}

fn happens(run: &mut Run, (pass, to, amount, value): Late) {
    let day = run.state.day().open.expect("one is always open");
    if pass > 0 {
        submit(run, Command::CloseDay { date: day }, None);
        submit(run, Command::OpenDay { date: Date(day.0 + pass) }, None);
    }
    let movement = Movement { from: AccountId(5), to: AccountId(to), amount, currency: bdt() };
    submit(run, Command::Transfer(movement), value.map(|days| Date(day.0 + pass + days)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn a_balance_by_value_date_is_the_sum_of_what_counts_by_then(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        every_day_comes_out(&run.events, &run.state);
    }

    /// Over years, so that the list forgets; and a snapshot at any time brings it back.
    #[test]
    fn what_the_list_forgets_is_settled(years in years(), at in any::<prop::sample::Index>()) {
        let mut run = Run::start();
        let snapshot = at.index(years.len());
        let mut loaded = None;
        for (index, late) in years.into_iter().enumerate() {
            happens(&mut run, late);
            every_day_comes_out(&run.events, &run.state);
            if index == snapshot {
                let mut bytes = Vec::new();
                run.state.save(&mut |piece| bytes.extend_from_slice(piece));
                loaded = Some((load(&bytes).expect("just saved"), run.events.len()));
            }
        }
        let (mut state, from) = loaded.expect("one of them");
        run.events[from..].iter().for_each(|event| state.apply(event));
        prop_assert_eq!(state, run.state);
    }

    /// What is told of a settled day is told for ever, so that it can be read from the journal at leisure.
    #[test]
    fn a_settled_day_never_changes(years in years()) {
        let mut run = Run::start();
        let all = {
            let mut run = Run::start();
            years.iter().for_each(|late| happens(&mut run, *late));
            run.events
        };
        for late in years {
            happens(&mut run, late);
            let newest = run.state.day().newest.expect("open");
            for date in days(&run.events).into_iter().filter(|date| is_settled(*date, newest)) {
                for id in 3..6 {
                    let by_then = |events: &[Event]| {
                        sum(events, AccountId(id), Side::Credit, |event| i128::from(event.value <= date))
                    };
                    prop_assert_eq!(by_then(&run.events), by_then(&all), "account {} on {}", id, date);
                }
            }
        }
    }

    /// However long the bank lives, an account keeps two bounds' worth of days.
    #[test]
    fn nothing_grows_for_ever(value in prop::sample::select(vec![-BOUND, -1, 1, BOUND]), step in 50i32..400) {
        let size = |rounds: i32| {
            let mut run = Run::start();
            (0..rounds).for_each(|_| happens(&mut run, (step, 3, 1, Some(value))));
            let mut bytes = 0;
            run.state.save(&mut |piece| bytes += piece.len());
            bytes
        };
        let full = 2 * BOUND / step + 2;
        prop_assert_eq!(size(full), size(full + 30));
    }
}
