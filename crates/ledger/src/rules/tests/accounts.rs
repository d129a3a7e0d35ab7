//! Opening, status and limits.

use super::check;

#[test]
fn an_account_opens_pending_or_active() {
    check(
        "
        open alice liability BDT          => opened BC0000000001: alice
        open bob liability BDT pending    => opened BC0000000002: bob
        see bob                           => 0.00, pending
        open carol liability BDT frozen   => refused status_not_reachable
        open carol liability BDT closed   => refused status_not_reachable
        open carol liability BDT          => opened BC0000000003: carol
        ",
    );
}

#[test]
fn a_number_belongs_to_one_account_for_ever() {
    check(
        "
        open alice liability BDT number BD-1  => opened BD-1: alice
        open bob liability BDT number BD-1    => refused number_taken
        open bob liability BDT number bd-1    => opened bd-1: bob
        change alice status closed
        open carol liability BDT number BD-1  => refused number_taken
        ",
    );
}

/// So that a made number is always free, and nobody has to look for it among old claims.
#[test]
fn numbers_that_the_bank_makes_are_kept_for_it() {
    check(
        "
        open alice liability BDT number BC0000000002 => refused number_reserved
        open alice liability BDT number BC    => refused number_reserved
        open alice liability BDT number \"\"    => refused number_reserved
        open alice liability BDT number B     => opened B: alice
        open bob liability BDT                => opened BC0000000002: bob
        open carol liability BDT number 0000000004 => opened 0000000004: carol
        open dave liability BDT               => opened BC0000000004: dave
        ",
    );
}

/// Every step of the diagram, and every one that is not in it.
#[test]
fn statuses_go_along_the_diagram() {
    check(
        "
        open a liability BDT pending
        change a status pending           => refused status_not_reachable on a
        change a status frozen            => refused status_not_reachable on a
        change a status active            => changed: a
        change a status pending           => refused status_not_reachable on a
        change a status active            => refused status_not_reachable on a
        change a status frozen            => changed: a
        change a status pending           => refused status_not_reachable on a
        change a status frozen            => refused status_not_reachable on a
        change a status active            => changed: a
        change a status closed            => changed: a
        change a status pending           => refused account_closed on a
        change a status active            => refused account_closed on a
        change a status frozen            => refused account_closed on a
        change a status closed            => refused account_closed on a
        change a limit 1.00               => refused account_closed on a
        open b liability BDT pending
        change b status closed            => changed: b
        open c liability BDT
        change c status frozen
        change c status closed            => changed: c
        see c                             => 0.00, closed
        ",
    );
}

#[test]
fn only_an_empty_account_is_closed() {
    check(
        "
        open alice liability BDT overdraft 5.00
        open bob liability BDT
        fund alice 0.01
        change alice status closed        => refused account_not_empty on alice, balance 0.01
        transfer alice bob 1.01 BDT
        change alice status closed        => refused account_not_empty on alice, balance -1.00
        transfer bob alice 1.00 BDT
        change alice status closed        => changed: alice
        ",
    );
}

#[test]
fn holds_and_promises_keep_an_account_open() {
    check(
        "
        open alice liability BDT overdraft 5.00
        open bob liability BDT
        hold alice 2.00 BDT to bob as H
        change alice status closed        => refused account_has_holds on alice, held 2.00
        change bob status closed          => refused account_has_holds on bob, held 2.00
        void H
        change alice status closed        => changed: alice
        change bob status closed          => changed: bob
        ",
    );
}

#[test]
fn a_pending_account_takes_nothing_on_either_side() {
    check(
        "
        open alice liability BDT
        open bob liability BDT pending overdraft 5.00
        fund alice 100.00
        transfer alice bob 1.00 BDT       => refused account_pending on bob
        transfer bob alice 1.00 BDT       => refused account_pending on bob
        hold bob 1.00 BDT                 => refused account_pending on bob
        hold alice 1.00 BDT to bob        => refused account_pending on bob
        change bob limit 6.00             => changed: bob
        change bob status active
        transfer alice bob 1.00 BDT       => transfer: alice 99.00, bob 1.00
        ",
    );
}

#[test]
fn a_frozen_account_takes_nothing_ordinary_on_either_side() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        fund bob 100.00
        deposit drawer alice 10.00 BDT
        hold alice 5.00 BDT to bob as H
        change alice status frozen
        transfer alice bob 1.00 BDT       => refused account_frozen on alice
        transfer bob alice 1.00 BDT       => refused account_frozen on alice
        deposit drawer alice 1.00 BDT     => refused account_frozen on alice
        withdraw alice drawer 1.00 BDT    => refused account_frozen on alice
        post debit bob 1.00 BDT, credit alice 1.00 BDT => refused account_frozen on alice
        hold alice 1.00 BDT               => refused account_frozen on alice
        hold bob 1.00 BDT to alice        => refused account_frozen on alice
        capture H                         => refused account_frozen on alice
        see alice                         => 110.00, available 105.00, reserved 5.00, frozen
        # Giving reserved funds back is no movement of money.
        void H                            => voided: alice released 5.00, bob unpromised 5.00
        change alice limit 1.00           => changed: alice
        change alice status active
        transfer alice bob 1.00 BDT       => transfer: alice 109.00, bob 101.00
        ",
    );
}

#[test]
fn a_closed_account_takes_nothing_for_ever() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        transfer alice bob 100.00 BDT as T
        change alice status closed
        transfer bob alice 1.00 BDT       => refused account_closed on alice
        transfer alice bob 1.00 BDT       => refused account_closed on alice
        hold bob 1.00 BDT to alice        => refused account_closed on alice
        # Not even a reversal: the money needs another home.
        reverse T                         => refused account_closed on alice
        ",
    );
}

#[test]
fn a_change_names_something_and_an_account() {
    check(
        "
        open alice liability BDT
        change alice                      => refused nothing_to_change on alice
        change nobody status frozen       => refused account_not_found on nobody
        change alice status frozen limit 3.00 => changed: alice
        see alice                         => 0.00, available 3.00, frozen
        # One part refused, nothing done.
        change alice status active limit -1.00 => refused limit_negative on alice
        see alice                         => 0.00, available 3.00, frozen
        ",
    );
}

#[test]
fn a_change_that_names_a_version_is_made_on_that_version() {
    check(
        "
        open alice liability BDT
        change alice status frozen version 0 => refused version_differs on alice, version 1, expected 0
        change alice status frozen version 2 => refused version_differs on alice, version 1, expected 2
        change alice status frozen version 1 => changed: alice
        change alice status active version 1 => refused version_differs on alice, version 2, expected 1
        change alice status active version 2 => changed: alice
        fund alice 1.00
        change alice limit 1.00 version 3 => refused version_differs on alice, version 4, expected 3
        ",
    );
}
