//! Reversals: the mirror, whole or in part, and never more than the original.

use super::{World, check};
use crate::event::Body;

#[test]
fn a_reversal_mirrors_the_original() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        open bob liability BDT
        deposit drawer alice 100.00 BDT as D
        transfer alice bob 30.00 BDT as T
        reverse T as R                    => reversal: alice 100.00, bob 0.00
        reverse D                         => reversal: drawer 0.00, alice 0.00
        reverse T                         => refused already_reversed, transaction_id T
        reverse R                         => refused not_reversible, transaction_id R
        ",
    );
}

#[test]
fn a_reversal_passes_a_freeze_but_not_the_floor() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        transfer alice bob 30.00 BDT as T
        change alice status frozen
        change bob status frozen
        reverse T 10.00                   => reversal: alice 80.00, bob 20.00
        change bob status active
        withdraw bob drawer 20.00 BDT     => refused insufficient_funds on drawer, available 0.00, needed 20.00
        fund drawer 50.00
        withdraw bob drawer 15.00 BDT     => withdrawal: bob 5.00, drawer 35.00
        # Bob has spent it. Nobody is driven below zero unseen.
        reverse T                         => refused insufficient_funds on bob, available 5.00, needed 20.00
        reverse T 5.00                    => reversal: alice 85.00, bob 0.00
        ",
    );
}

#[test]
fn a_reversal_leaves_held_money_alone() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        transfer alice bob 30.00 BDT as T
        hold bob 20.00 BDT as H
        reverse T                         => refused insufficient_funds on bob, available 10.00, needed 30.00
        void H
        reverse T                         => reversal: alice 100.00, bob 0.00
        ",
    );
}

#[test]
fn a_reversal_does_not_pass_the_ceiling() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 92233720368547758.07
        transfer alice bob 1.00 BDT as T
        open drawer asset BDT
        deposit drawer alice 0.01 BDT
        reverse T                         => \
             refused balance_overflow on alice, balance 92233720368547757.08, amount 1.00
        reverse T 0.99                    => reversal: alice 92233720368547758.07, bob 0.01
        ",
    );
}

#[test]
fn parts_of_two_entries_never_exceed_the_original() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        transfer alice bob 30.00 BDT as T
        fund bob 500.00
        reverse T 30.01                   => \
             refused reversal_exceeds_original on alice, remaining 30.00, amount 30.01
        reverse T 0.00                    => refused amount_not_positive on alice
        reverse T -1.00                   => refused amount_not_positive on alice
        reverse T 10.00                   => reversal: alice 80.00, bob 520.00
        reverse T 20.01                   => \
             refused reversal_exceeds_original on alice, remaining 20.00, amount 20.01
        reverse T 19.99                   => reversal: alice 99.99, bob 500.01
        reverse T                         => reversal: alice 100.00, bob 500.00
        reverse T 0.01                    => refused already_reversed, transaction_id T
        reverse T                         => refused already_reversed, transaction_id T
        reverse T entries 0 0.01 1 0.01   => refused already_reversed, transaction_id T
        ",
    );
}

const SALARIES: &str = "
    open payroll liability BDT
    open alice liability BDT
    open bob liability BDT
    open carol liability BDT
    fund payroll 100.00
    post debit payroll 60.00 BDT, credit alice 10.00 BDT, credit bob 20.00 BDT, credit carol 30.00 BDT as T
";

fn check_salaries(table: &str) {
    check(&(SALARIES.to_owned() + table));
}

#[test]
fn a_part_of_many_entries_names_them() {
    check_salaries(
        "
        reverse T 10.00                   => refused entries_required, entries 4
        reverse T entries                 => refused entries_required, entries 4
        reverse T entries 1 10.00         => refused entries_required, entries 4
        reverse T entries 0 10.00 1 5.00 1 5.00 => refused entries_required, entries 4
        reverse T entries 0 10.00 4 10.00 => refused entries_required, entries 4
        reverse T entries 0 10.00 1 10.00 => reversal: payroll 50.00, alice 0.00
        reverse T entries 1 0.01 0 0.01   => refused already_reversed, transaction_id T
        ",
    );
}

#[test]
fn named_parts_balance_and_stay_within_their_entries() {
    check_salaries(
        "
        reverse T entries 0 10.00 1 5.00  => refused unbalanced, debits 5.00, credits 10.00
        reverse T entries 1 5.00 2 5.00   => refused unbalanced, debits 10.00, credits 0.00
        reverse T entries 0 10.01 1 10.01 => \
             refused reversal_exceeds_original on alice, remaining 10.00, amount 10.01
        reverse T entries 0 0.00 1 0.00   => refused amount_not_positive on payroll
        reverse T entries 0 5.00 1 -5.00 2 10.00 => refused amount_not_positive on alice
        reverse T entries 2 15.00 0 15.00 => reversal: bob 5.00, payroll 55.00
        reverse T entries 0 10.00 2 10.00 => \
             refused reversal_exceeds_original on bob, remaining 5.00, amount 10.00
        # The rest is what no part has taken yet, entry by entry.
        reverse T                         => \
             reversal: payroll 100.00, alice 0.00, bob 0.00, carol 0.00
        reverse T                         => refused already_reversed, transaction_id T
        see payroll                       => 100.00
        ",
    );
}

#[test]
fn the_rest_leaves_out_entries_that_were_taken_back_whole() {
    check_salaries(
        "
        reverse T entries 0 30.00 3 30.00 => reversal: payroll 70.00, carol 0.00
        reverse T                         => reversal: payroll 100.00, alice 0.00, bob 0.00
        ",
    );
}

#[test]
fn parts_balance_in_each_currency() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        open nostro asset EUR
        open euros liability EUR
        post debit drawer 120.00 BDT, credit alice 120.00 BDT, \
             debit nostro 1.00 EUR, credit euros 1.00 EUR as T
        reverse T entries 0 1.00 3 1.00   => refused unbalanced, debits 0.00, credits 1.00
        reverse T entries 2 0.50 3 0.50   => reversal: nostro 0.50, euros 0.50
        reverse T                         => reversal: drawer 0.00, alice 0.00, nostro 0.00, euros 0.00
        ",
    );
}

#[test]
fn lines_on_one_account_are_taken_back_one_by_one() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        post debit alice 30.00 BDT, credit bob 10.00 BDT, credit bob 20.00 BDT as T
        reverse T entries 0 10.00 1 10.00 => reversal: alice 80.00, bob 20.00
        reverse T entries 0 1.00 1 1.00   => refused already_reversed, transaction_id T
        reverse T entries 0 20.00 2 20.00 => reversal: alice 100.00, bob 0.00
        ",
    );
}

#[test]
fn a_capture_is_reversed_like_any_transaction() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        hold alice 40.00 BDT to bob as H
        capture H 30.00 as T
        reverse T 30.01                   => \
             refused reversal_exceeds_original on alice, remaining 30.00, amount 30.01
        reverse T                         => reversal: alice 100.00, bob 0.00
        # The hold stays ended: its funds were given back by the capture.
        capture H                         => refused hold_ended, hold_id H
        ",
    );
}

#[test]
fn a_reversal_says_which_entries_it_takes_back() {
    let mut world = World::new();
    world.run("open-day 2026-01-05");
    world.run(SALARIES);
    let original = world.state.head();
    world.run("reverse T entries 2 15.00 0 15.00");
    let Body::Posted { reverses: Some((of, indices)), .. } = &world.events.last().expect("posted").body
    else {
        panic!("a reversal names its original");
    };
    assert_eq!((*of, indices.as_slice()), (original, [2u8, 0].as_slice()));
    assert_eq!([0, 1, 2, 3].map(|entry| world.state.reversed(original, entry)), [1_500, 0, 1_500, 0]);
}
