//! Holds: placed, and ended once.

use super::{World, check};
use crate::account::Side;

#[test]
fn a_hold_reserves_what_is_available() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        hold alice 40.00 BDT as H         => hold: alice held 40.00
        see alice                         => 100.00, available 60.00, reserved 40.00
        transfer alice bob 60.01 BDT      => refused insufficient_funds on alice, available 60.00, needed 60.01
        hold alice 60.01 BDT              => refused insufficient_funds on alice, available 60.00, needed 60.01
        hold alice 60.00 BDT              => hold: alice held 60.00
        see alice                         => 100.00, available 0.00, reserved 100.00
        # Money that comes in is free at once.
        fund alice 1.00
        transfer alice bob 1.00 BDT       => transfer: alice 100.00, bob 1.00
        ",
    );
}

#[test]
fn a_hold_may_use_the_overdraft() {
    check(
        "
        open alice liability BDT overdraft 50.00
        open bob liability BDT
        hold alice 50.01 BDT              => refused insufficient_funds on alice, available 50.00, needed 50.01
        hold alice 50.00 BDT as H         => hold: alice held 50.00
        capture H to bob                  => capture: alice released 50.00, alice -50.00, bob 50.00
        ",
    );
}

#[test]
fn a_capture_of_the_whole_posts_it() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        hold alice 40.00 BDT as H
        capture H to bob                  => capture: alice released 40.00, alice 60.00, bob 40.00
        see alice                         => 60.00
        ",
    );
}

#[test]
fn a_partial_capture_frees_the_rest() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        hold alice 40.00 BDT to bob as H
        hold alice 7.00 BDT
        capture H 15.00                   => \
             capture: alice released 40.00, bob unpromised 40.00, alice 85.00, bob 15.00
        # Exactly what was held is free again; the other hold stands.
        see alice                         => 85.00, available 78.00, reserved 7.00
        see bob                           => 15.00
        capture H 1.00                    => refused hold_ended, hold_id H
        ",
    );
}

#[test]
fn no_more_is_captured_than_was_held() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        hold alice 40.00 BDT to bob as H
        capture H 40.01                   => refused capture_exceeds_hold on alice, held 40.00, amount 40.01
        capture H 0.00                    => refused amount_not_positive on alice
        capture H -1.00                   => refused amount_not_positive on alice
        see alice                         => 100.00, available 60.00, reserved 40.00
        capture H 40.00                   => \
             capture: alice released 40.00, bob unpromised 40.00, alice 60.00, bob 40.00
        ",
    );
}

#[test]
fn a_void_gives_all_of_it_back() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        hold alice 40.00 BDT to bob as H  => hold: alice held 40.00, bob promised 40.00
        void H                            => voided: alice released 40.00, bob unpromised 40.00
        see alice                         => 100.00
        see bob                           => 0.00
        ",
    );
}

#[test]
fn a_hold_has_one_end() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        hold alice 1.00 BDT to bob as CAPTURED
        hold alice 2.00 BDT to bob as VOIDED
        hold alice 3.00 BDT to bob for 5us as EXPIRED
        capture CAPTURED
        void VOIDED
        wait 5us
        expire EXPIRED                    => expired: alice released 3.00, bob unpromised 3.00
        capture CAPTURED                  => refused hold_ended, hold_id CAPTURED
        void CAPTURED                     => refused hold_ended, hold_id CAPTURED
        expire CAPTURED                   => refused hold_ended, hold_id CAPTURED
        capture VOIDED                    => refused hold_ended, hold_id VOIDED
        void VOIDED                       => refused hold_ended, hold_id VOIDED
        expire VOIDED                     => refused hold_ended, hold_id VOIDED
        capture EXPIRED                   => refused hold_ended, hold_id EXPIRED
        void EXPIRED                      => refused hold_ended, hold_id EXPIRED
        expire EXPIRED                    => refused hold_ended, hold_id EXPIRED
        see alice                         => 99.00
        see bob                           => 1.00
        ",
    );
}

#[test]
fn only_a_hold_is_captured_or_voided() {
    check(
        "
        open alice liability BDT overdraft 9.00
        open bob liability BDT
        transfer alice bob 1.00 BDT as T
        capture NOTHING                   => refused hold_not_found, hold_id 777777
        void NOTHING                      => refused hold_not_found, hold_id 777777
        expire NOTHING                    => refused hold_not_found, hold_id 777777
        capture T to bob                  => refused hold_not_found, hold_id T
        void T                            => refused hold_not_found, hold_id T
        ",
    );
}

#[test]
fn a_hold_is_not_captured_from_its_time_on() {
    check(
        "
        open alice liability BDT overdraft 9.00
        open bob liability BDT
        hold alice 1.00 BDT to bob for 10us as A
        hold alice 2.00 BDT to bob for 10us as B
        hold alice 3.00 BDT to bob for 10us as C
        wait 9us
        capture A                         => \
             capture: alice released 1.00, bob unpromised 1.00, alice -1.00, bob 1.00
        wait 1us
        capture B                         => refused hold_expired, hold_id B
        # It may still be given up by hand before the sequencer gets to it.
        void B                            => voided: alice released 2.00, bob unpromised 2.00
        expire C                          => expired: alice released 3.00, bob unpromised 3.00
        ",
    );
}

#[test]
fn a_hold_expires_in_the_future_and_within_400_days() {
    check(
        "
        open alice liability BDT overdraft 9.00
        hold alice 1.00 BDT for 400d      => hold: alice held 1.00
        hold alice 1.00 BDT for 34560000000001us => refused hold_too_long on alice
        hold alice 1.00 BDT for 1us       => hold: alice held 1.00
        hold alice 1.00 BDT for 0us       => refused hold_too_long on alice
        hold alice 1.00 BDT for -1us      => refused hold_too_long on alice
        ",
    );
}

#[test]
fn a_hold_without_a_time_lives_seven_days() {
    check(
        "
        open alice liability BDT overdraft 9.00
        open bob liability BDT
        hold alice 1.00 BDT to bob as A
        hold alice 1.00 BDT to bob as B
        wait 604799999999us
        capture A
        wait 1us
        capture B                         => refused hold_expired, hold_id B
        ",
    );
}

#[test]
fn the_next_hold_to_expire_is_known() {
    let mut world = World::new();
    world.run(
        "
        open-day 2026-01-05
        open alice liability BDT overdraft 9.00
        hold alice 1.00 BDT for 30us as C
        hold alice 1.00 BDT for 10us as A
        hold alice 1.00 BDT for 20us as B
        ",
    );
    let now = world.state.time();
    assert_eq!(world.state.next_due(), Some(now + 10));
    assert_eq!(world.state.due(now + 9), None);
    assert_eq!(world.state.due(now + 10).map(|hold| hold.0), Some(world.state.head().0 - 1));
    world.run("void A");
    assert_eq!(world.state.next_due(), Some(now + 20));
    world.run("void B");
    world.run("void C");
    assert_eq!(world.state.next_due(), None);
}

#[test]
fn a_capture_pays_whom_the_hold_promised() {
    check(
        "
        open alice liability BDT overdraft 9.00
        open bob liability BDT
        open carol liability BDT
        open drawer asset BDT
        hold alice 1.00 BDT to bob as PROMISED
        hold alice 1.00 BDT as OPEN
        capture PROMISED to carol         => refused destination_differs, hold_id PROMISED
        capture PROMISED to bob           => \
             capture: alice released 1.00, bob unpromised 1.00, alice -1.00, bob 1.00
        capture OPEN                      => refused destination_required, hold_id OPEN
        capture OPEN to alice             => refused same_account on alice
        capture OPEN to nobody            => refused account_not_found on nobody
        # An asset would not grow by a credit: the money would come from both.
        capture OPEN to drawer            => refused wrong_account_type on drawer
        capture OPEN to carol             => capture: alice released 1.00, alice -2.00, carol 1.00
        ",
    );
}

#[test]
fn a_hold_names_two_accounts_that_can_pay_each_other() {
    check(
        "
        open alice liability BDT overdraft 9.00
        open drawer asset BDT
        open vault asset BDT
        fund drawer 5.00
        hold alice 1.00 BDT to alice      => refused same_account on alice
        hold alice 1.00 BDT to nobody     => refused account_not_found on nobody
        hold nobody 1.00 BDT              => refused account_not_found on nobody
        hold alice 1.00 BDT to drawer     => refused wrong_account_type on drawer
        # Cash is reserved like any other money.
        hold drawer 2.00 BDT to vault as H => hold: drawer held 2.00, vault promised 2.00
        see drawer                        => 5.00, available 3.00, reserved 2.00
        capture H                         => \
             capture: drawer released 2.00, vault unpromised 2.00, drawer 3.00, vault 2.00
        ",
    );
}

#[test]
fn a_destination_named_at_capture_is_checked_like_any_other() {
    check(
        "
        open alice liability BDT overdraft 9.00
        open closed liability BDT
        open frozen liability BDT
        open pending liability BDT pending
        open euros liability EUR
        change closed status closed
        change frozen status frozen
        hold alice 1.00 BDT as H
        capture H to closed               => refused account_closed on closed
        capture H to frozen               => refused account_frozen on frozen
        capture H to pending              => refused account_pending on pending
        capture H to euros                => refused currency_mismatch on euros
        see alice                         => 0.00, available 8.00, reserved 1.00
        ",
    );
}

#[test]
fn a_promise_is_not_money_yet() {
    check(
        "
        open alice liability BDT overdraft 9.00
        open bob liability BDT
        hold alice 5.00 BDT to bob as H
        see bob                           => 0.00, promised 5.00
        transfer bob alice 0.01 BDT       => refused insufficient_funds on bob, available 0.00, needed 0.01
        capture H
        transfer bob alice 5.00 BDT       => transfer: bob 0.00, alice 0.00
        ",
    );
}

#[test]
fn a_promise_keeps_its_room_under_the_ceiling() {
    check(
        "
        open alice liability BDT overdraft 9.00
        open bob liability BDT
        open rich liability BDT
        fund rich 92233720368547753.07
        hold alice 5.00 BDT to rich as H  => hold: alice held 5.00, rich promised 5.00
        # The account stands five below the end, and the five are promised.
        transfer alice rich 0.01 BDT      => \
             refused balance_overflow on rich, balance 92233720368547753.07, amount 0.01
        hold alice 0.01 BDT to rich       => \
             refused balance_overflow on rich, balance 92233720368547753.07, amount 0.01
        capture H                         => capture: alice released 5.00, rich unpromised 5.00, \
             alice -5.00, rich 92233720368547758.07
        ",
    );
}

#[test]
fn totals_of_holds_only_grow() {
    let mut world = World::new();
    world.run(
        "
        open-day 2026-01-05
        open alice liability BDT overdraft 90.00
        open bob liability BDT
        hold alice 40.00 BDT to bob as A
        hold alice 2.00 BDT as B
        capture A 1.00
        ",
    );
    let (alice, bob) = (world.account("alice"), world.account("bob"));
    assert_eq!((alice.held_ever(Side::Debit), alice.released_ever(Side::Debit)), (4_200, 4_000));
    assert_eq!((bob.held_ever(Side::Credit), bob.released_ever(Side::Credit)), (4_000, 4_000));
    assert_eq!(alice.held(Side::Credit), 0);
}
