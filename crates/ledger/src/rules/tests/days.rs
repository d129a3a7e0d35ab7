//! Business days and value dates.

use super::{World, check, check_before_the_first_day};
use crate::command::{Command, Movement, Request};
use crate::date::Date;
use crate::event::Body;
use crate::ids::NameId;
use crate::refusal::Code;
use crate::rules::{Context, decide, record_refusal};

#[test]
fn nothing_is_posted_without_an_open_day() {
    check_before_the_first_day(
        "
        open drawer asset BDT
        open alice liability BDT overdraft 9.00
        open bob liability BDT
        deposit drawer alice 1.00 BDT     => refused no_open_day
        transfer alice bob 1.00 BDT       => refused no_open_day
        post debit drawer 1.00 BDT, credit alice 1.00 BDT => refused no_open_day
        hold alice 1.00 BDT               => refused no_open_day
        close-day 2026-01-05              => refused day_not_open, day 2026-01-05
        open-day 2026-01-05               => day opened 2026-01-05
        transfer alice bob 1.00 BDT as T  => transfer: alice -1.00, bob 1.00
        hold alice 1.00 BDT as H
        hold alice 1.00 BDT as V
        close-day 2026-01-05              => day closed 2026-01-05
        reverse T                         => refused no_open_day
        capture H to bob                  => refused no_open_day
        # Accounts are looked after on any day, and reserved funds are given back.
        open carol liability BDT
        change carol status frozen
        void V                            => voided: alice released 1.00
        ",
    );
}

#[test]
fn one_day_is_open_at_a_time_and_days_go_forward() {
    check(
        "
        open-day 2026-01-06               => refused day_already_open, open_day 2026-01-05
        open-day 2026-01-05               => refused day_already_open, open_day 2026-01-05
        close-day 2026-01-06              => refused day_not_open, day 2026-01-06
        close-day 2026-01-05              => day closed 2026-01-05
        close-day 2026-01-05              => refused day_not_open, day 2026-01-05
        open-day 2026-01-05               => refused day_not_after, newest_day 2026-01-05, day 2026-01-05
        open-day 2026-01-04               => refused day_not_after, newest_day 2026-01-05, day 2026-01-04
        # Days may be left out: banks have holidays.
        open-day 2026-01-09               => day opened 2026-01-09
        ",
    );
}

#[test]
fn a_value_date_lies_within_a_year_and_a_day() {
    check(
        "
        open alice liability BDT overdraft 50.00
        open bob liability BDT
        transfer alice bob 1.00 BDT value 2025-01-04 as T => transfer: alice -1.00, bob 1.00
        transfer alice bob 1.00 BDT value 2025-01-03 => \
             refused value_date_out_of_range, booking_date 2026-01-05, value_date 2025-01-03
        transfer alice bob 1.00 BDT value 2027-01-06 => transfer: alice -2.00, bob 2.00
        transfer alice bob 1.00 BDT value 2027-01-07 => \
             refused value_date_out_of_range, booking_date 2026-01-05, value_date 2027-01-07
        reverse T value 2025-01-03        => \
             refused value_date_out_of_range, booking_date 2026-01-05, value_date 2025-01-03
        hold alice 1.00 BDT to bob as H
        capture H value 2027-01-07        => \
             refused value_date_out_of_range, booking_date 2026-01-05, value_date 2027-01-07
        capture H value 2026-01-04        => \
             capture: alice released 1.00, bob unpromised 1.00, alice -3.00, bob 3.00
        transfer alice bob 1.00 BDT value 9999-12-31 => \
             refused value_date_out_of_range, booking_date 2026-01-05, value_date 9999-12-31
        ",
    );
}

/// A hold, an opening or a freeze took a value date, kept it, and nothing ever came of it.
#[test]
fn only_a_transaction_has_a_value_date() {
    check(
        "
        open alice liability BDT overdraft 50.00
        open bob liability BDT value 2026-01-04         => refused value_date_not_taken
        change alice status frozen value 2026-01-05     => refused value_date_not_taken
        hold alice 1.00 BDT value 2026-01-04            => refused value_date_not_taken
        hold alice 1.00 BDT as H
        void H value 2026-01-04                         => refused value_date_not_taken
        close-day 2026-01-05 value 2026-01-04           => refused value_date_not_taken
        open-day 2026-01-06 value 2026-01-06            => refused value_date_not_taken
        intern actor acme value 2026-01-04              => refused value_date_not_taken
        ",
    );
}

/// The value date of a refused request stood in the header of its refusal, whatever it was.
#[test]
fn a_refusal_counts_from_the_day_on_which_it_was_booked() {
    let mut world = World::new();
    world.run(
        "
        open-day 2026-01-05
        open alice liability BDT
        open bob liability BDT
        ",
    );
    let (from, to, currency) = (world.id("alice"), world.id("bob"), world.account("bob").currency());
    let transfer = Command::Transfer(Movement { from, to, amount: 1, currency });
    let mut request = Request::new(transfer, NameId(1));
    request.value = Some(Date(0));
    let context = Context { sequence: world.state.head().next(), time: world.state.time() };
    let view = world.state.view(|_| None);
    let refusal = decide(&view, &request, context).expect_err("far from 1970");
    let kept = record_refusal(&view, &request, context, refusal);
    assert_eq!((kept.booking.to_string(), kept.value), ("2026-01-05".into(), kept.booking));
}

/// Until the first day is opened all is booked on the clock's day. A first day before that one was accepted,
/// and whatever followed was booked before what there was: a history by booking date had a fold in it.
#[test]
fn the_first_day_is_not_before_what_is_booked_already() {
    check_before_the_first_day(
        "
        open alice liability BDT overdraft 50.00
        open-day 2026-01-04 => refused first_day_too_early, earliest_day 2026-01-05, day 2026-01-04
        wait 2d
        open-day 2026-01-05 => refused first_day_too_early, earliest_day 2026-01-07, day 2026-01-05
        # The opening itself is booked on the clock's day, too.
        open-day 2026-01-06 => refused first_day_too_early, earliest_day 2026-01-07, day 2026-01-06
        open-day 2026-01-07 => day opened 2026-01-07
        ",
    );
}

#[test]
fn an_event_is_booked_on_the_open_day_whatever_the_clock_says() {
    let mut world = World::new();
    world.run(
        "
        open-day 2026-01-05
        open alice liability BDT overdraft 9.00
        open bob liability BDT
        wait 3d
        transfer alice bob 1.00 BDT
        ",
    );
    let transfer = world.events.last().expect("posted");
    assert_eq!(transfer.booking.to_string(), "2026-01-05");
    assert_eq!(transfer.value, transfer.booking);
    world.run("transfer alice bob 1.00 BDT value 2026-01-02");
    let transfer = world.events.last().expect("posted");
    assert_eq!(
        (transfer.booking.to_string(), transfer.value.to_string()),
        ("2026-01-05".into(), "2026-01-02".into())
    );
    world.run("close-day 2026-01-05");
    world.run("change bob status frozen");
    let change = world.events.last().expect("changed");
    assert!(matches!(change.body, Body::AccountChanged { .. }));
    assert_eq!(change.booking.to_string(), "2026-01-05", "without an open day, the last one");
    world.run("open-day 2026-01-09");
    let opened = world.events.last().expect("opened");
    assert_eq!(opened.booking.to_string(), "2026-01-05", "a day is opened on the one before");
    assert_eq!(
        world.events[0].booking.to_string(),
        "2026-01-05",
        "before the first day, the day of the clock"
    );
}

/// A day at the end of the calendar made the comparison with the value date overflow, and its name panic.
#[test]
fn a_day_at_the_end_of_the_calendar_is_a_day() {
    let day = Date(i32::MAX);
    let mut world = World::new();
    world.run(
        "
        open alice liability BDT overdraft 9.00
        open bob liability BDT
        ",
    );
    let request = Request::new(Command::OpenDay { date: day }, NameId(1));
    let context = Context { sequence: world.state.head().next(), time: world.state.time() };
    let event = decide(&world.state.view(|_| None), &request, context).expect("a later day may be the first");
    world.state.apply(&event);
    assert!(!format!("{event:?}").is_empty());
    world.run("transfer alice bob 1.00 BDT");
    let movement = Movement {
        from: world.id("alice"),
        to: world.id("bob"),
        amount: 1,
        currency: world.account("bob").currency(),
    };
    let mut request = Request::new(Command::Transfer(movement), NameId(1));
    request.value = Some(Date(0));
    let context = Context { sequence: world.state.head().next(), time: world.state.time() };
    let refusal = decide(&world.state.view(|_| None), &request, context).expect_err("far from 1970");
    assert_eq!(refusal.code, Code::ValueDateOutOfRange);
    assert!(!refusal.to_string().is_empty());
}
