//! Two-phase commit: what was prepared is kept until its coordinator decides, and can then always be posted.

use super::check;

#[test]
fn a_commit_posts_what_was_prepared() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        prepare alice bob 40.00 BDT as P  => hold: alice held 40.00, bob promised 40.00
        see alice                         => 100.00, available 60.00, reserved 40.00
        commit P                          => \
             capture: alice released 40.00, bob unpromised 40.00, alice 60.00, bob 40.00
        commit P                          => refused hold_ended, hold_id P
        abort P                           => refused hold_ended, hold_id P
        ",
    );
}

#[test]
fn an_abort_gives_all_of_it_back() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        prepare alice bob 40.00 BDT as P
        abort P                           => voided: alice released 40.00, bob unpromised 40.00
        see alice                         => 100.00
        see bob                           => 0.00
        commit P                          => refused hold_ended, hold_id P
        ",
    );
}

#[test]
fn a_freeze_stops_a_prepare_and_no_decision() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        prepare alice bob 40.00 BDT as YES
        prepare alice bob 1.00 BDT as NO
        change alice status frozen
        change bob status frozen
        prepare alice bob 1.00 BDT        => refused account_frozen on alice
        commit YES                        => \
             capture: alice released 40.00, bob unpromised 40.00, alice 60.00, bob 40.00
        abort NO                          => voided: alice released 1.00, bob unpromised 1.00
        ",
    );
}

#[test]
fn nobody_but_the_coordinator_ends_it() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        prepare alice bob 40.00 BDT as P
        wait 40000000000000us
        capture P                         => refused hold_prepared, hold_id P
        void P                            => refused hold_prepared, hold_id P
        # And a decision is for what was prepared only.
        hold alice 1.00 BDT to bob as H
        commit H                          => refused hold_not_found, hold_id H
        abort H                           => refused hold_not_found, hold_id H
        commit P                          => \
             capture: alice released 40.00, bob unpromised 40.00, alice 60.00, bob 40.00
        ",
    );
}

#[test]
fn what_is_prepared_keeps_funds_room_and_accounts() {
    check(
        "
        open alice liability BDT overdraft 50.00
        open bob liability BDT
        fund bob 92233720368547658.07
        prepare alice bob 50.00 BDT as P
        transfer alice bob 0.01 BDT       => refused insufficient_funds on alice, available 0.00, needed 0.01
        change alice limit 49.99          => refused limit_below_use on alice, in_use 50.00, limit 49.99
        change alice status closed        => refused account_has_holds on alice, held 50.00
        change bob status closed          => refused account_not_empty on bob, balance 92233720368547658.07
        commit P                          => capture: alice released 50.00, bob unpromised 50.00, \
             alice -50.00, bob 92233720368547708.07
        ",
    );
}

#[test]
fn both_phases_wait_for_a_business_day() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        prepare alice bob 40.00 BDT as P
        prepare alice bob 1.00 BDT as Q
        close-day 2026-01-05
        prepare alice bob 1.00 BDT        => refused no_open_day
        commit P                          => refused no_open_day
        abort Q                           => voided: alice released 1.00, bob unpromised 1.00
        open-day 2026-01-06
        commit P                          => \
             capture: alice released 40.00, bob unpromised 40.00, alice 60.00, bob 40.00
        ",
    );
}

#[test]
fn a_prepare_names_two_accounts_that_can_pay_each_other() {
    check(
        "
        open alice liability BDT
        open euro liability EUR
        open cash asset BDT
        fund alice 100.00
        prepare alice alice 1.00 BDT      => refused same_account on alice
        prepare alice cash 1.00 BDT       => refused wrong_account_type on cash
        prepare alice euro 1.00 BDT       => refused currency_mismatch on euro
        prepare alice nobody 1.00 BDT     => refused account_not_found on nobody
        prepare alice euro 0.00 BDT       => refused amount_not_positive on alice
        ",
    );
}
