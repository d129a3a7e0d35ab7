//! The floor and the ceiling of an account.

use super::check;

#[test]
fn nobody_spends_more_than_is_available() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        transfer alice bob 100.01 BDT     => refused insufficient_funds on alice, available 100.00, needed 100.01
        withdraw alice drawer 0.01 BDT    => refused insufficient_funds on drawer, available 0.00, needed 0.01
        transfer alice bob 100.00 BDT     => transfer: alice 0.00, bob 100.00
        transfer alice bob 0.01 BDT       => refused insufficient_funds on alice, available 0.00, needed 0.01
        ",
    );
}

#[test]
fn the_banks_own_accounts_have_a_floor_too() {
    check(
        "
        open vault asset BDT
        open drawer asset BDT
        open alice liability BDT
        deposit drawer alice 50.00 BDT
        transfer drawer vault 50.01 BDT   => refused insufficient_funds on drawer, available 50.00, needed 50.01
        transfer drawer vault 50.00 BDT   => transfer: drawer 0.00, vault 50.00
        # The money is the customer's, but it does not lie in this drawer any more.
        withdraw alice drawer 50.00 BDT   => refused insufficient_funds on drawer, available 0.00, needed 50.00
        ",
    );
}

#[test]
fn an_overdraft_goes_to_its_limit_and_no_further() {
    check(
        "
        open alice liability BDT overdraft 50.00
        open bob liability BDT
        fund alice 100.00
        see alice                         => 100.00, available 150.00
        transfer alice bob 150.01 BDT     => refused insufficient_funds on alice, available 150.00, needed 150.01
        transfer alice bob 150.00 BDT     => transfer: alice -50.00, bob 150.00
        see alice                         => -50.00, available 0.00
        transfer alice bob 0.01 BDT       => refused insufficient_funds on alice, available 0.00, needed 0.01
        transfer bob alice 0.01 BDT       => transfer: bob 149.99, alice -49.99
        transfer alice bob 0.01 BDT       => transfer: alice -50.00, bob 150.00
        ",
    );
}

#[test]
fn a_limit_is_not_set_below_what_is_in_use() {
    check(
        "
        open alice liability BDT overdraft 50.00
        open bob liability BDT
        transfer alice bob 30.00 BDT
        change alice limit 29.99          => refused limit_below_use on alice, in_use 30.00, limit 29.99
        change alice limit 30.00          => changed: alice
        see alice                         => -30.00, available 0.00
        change alice limit -0.01          => refused limit_negative on alice
        change alice limit 40.00
        # A hold uses the overdraft as well as a payment does.
        hold alice 10.00 BDT as H
        change alice limit 30.00          => refused limit_below_use on alice, in_use 40.00, limit 30.00
        void H
        change alice limit 30.00
        open eve liability BDT overdraft -0.01 => refused limit_negative
        ",
    );
}

#[test]
fn the_largest_overdraft_still_adds_up() {
    check(
        "
        open alice liability BDT overdraft 92233720368547758.07
        open bob liability BDT
        see alice                         => 0.00, available 92233720368547758.07
        transfer alice bob 92233720368547758.07 BDT => \
             transfer: alice -92233720368547758.07, bob 92233720368547758.07
        transfer alice bob 0.01 BDT       => refused insufficient_funds on alice, available 0.00, needed 0.01
        transfer bob alice 92233720368547758.07 BDT => transfer: bob 0.00, alice 0.00
        ",
    );
}

#[test]
fn a_balance_ends_at_64_bits_and_the_account_goes_on() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        open drawer asset BDT
        fund alice 92233720368547758.07   => \
             journal_entry: alice 92233720368547758.07, pocket-asset-BDT 92233720368547758.07
        deposit drawer alice 0.01 BDT     => refused balance_overflow on alice, balance 92233720368547758.07, amount 0.01
        see drawer                        => 0.00
        transfer alice bob 0.01 BDT       => transfer: alice 92233720368547758.06, bob 0.01
        deposit drawer alice 0.02 BDT     => refused balance_overflow on alice, balance 92233720368547758.06, amount 0.02
        deposit drawer alice 0.01 BDT     => deposit: drawer 0.01, alice 92233720368547758.07
        ",
    );
}

#[test]
fn turnover_has_no_end() {
    // Totals of 64 bits would have been full after the second turn, and the account dead.
    let there_and_back = "
        transfer alice bob 92233720368547758.07 BDT => transfer: alice 0.00, bob 92233720368547758.07
        transfer bob alice 92233720368547758.07 BDT => transfer: bob 0.00, alice 92233720368547758.07
    ";
    let opening = "
        open alice liability BDT
        open bob liability BDT
        fund alice 92233720368547758.07
    ";
    check(&(opening.to_owned() + &there_and_back.repeat(20)));
}
