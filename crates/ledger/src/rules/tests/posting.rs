//! Deposits, withdrawals, transfers and journal entries.

use super::check;

#[test]
fn a_deposit_makes_the_drawer_and_the_customers_claim_grow() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        deposit drawer alice 100.00 BDT   => deposit: drawer 100.00, alice 100.00
        withdraw alice drawer 30.00 BDT   => withdrawal: alice 70.00, drawer 70.00
        ",
    );
}

#[test]
fn a_transfer_joins_accounts_of_one_normal_side() {
    check(
        "
        open vault asset BDT
        open drawer asset BDT
        open rent expense BDT
        open alice liability BDT
        open bob liability BDT
        open fees income BDT
        open capital equity BDT
        fund vault 100.00
        fund alice 100.00
        transfer alice bob 30.00 BDT      => transfer: alice 70.00, bob 30.00
        transfer alice fees 1.00 BDT      => transfer: alice 69.00, fees 1.00
        transfer fees capital 0.50 BDT    => transfer: fees 0.50, capital 0.50
        transfer vault drawer 40.00 BDT   => transfer: vault 60.00, drawer 40.00
        transfer vault rent 10.00 BDT     => transfer: vault 50.00, rent 10.00
        transfer vault alice 1.00 BDT     => refused wrong_account_type on alice
        transfer alice vault 1.00 BDT     => refused wrong_account_type on vault
        ",
    );
}

#[test]
fn cash_moves_between_an_asset_and_a_liability_only() {
    check(
        "
        open drawer asset BDT
        open rent expense BDT
        open alice liability BDT
        open fees income BDT
        deposit drawer fees 1.00 BDT      => refused wrong_account_type on fees
        deposit rent alice 1.00 BDT       => refused wrong_account_type on rent
        deposit alice drawer 1.00 BDT     => refused wrong_account_type on alice
        withdraw fees drawer 1.00 BDT     => refused wrong_account_type on fees
        withdraw alice rent 1.00 BDT      => refused wrong_account_type on rent
        withdraw drawer alice 1.00 BDT    => refused wrong_account_type on drawer
        deposit drawer drawer 1.00 BDT    => refused wrong_account_type on drawer
        ",
    );
}

#[test]
fn an_amount_is_above_zero() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        deposit drawer alice 0.00 BDT     => refused amount_not_positive on drawer
        withdraw alice drawer 0.00 BDT    => refused amount_not_positive on alice
        transfer alice bob 0.00 BDT       => refused amount_not_positive on alice
        transfer alice bob -0.01 BDT      => refused amount_not_positive on alice
        transfer alice bob 0.01 BDT       => transfer: alice 99.99, bob 0.01
        post debit alice 0.00 BDT, credit bob 0.00 BDT    => refused amount_not_positive on alice
        post debit alice -1.00 BDT, credit bob -1.00 BDT  => refused amount_not_positive on alice
        hold alice 0.00 BDT               => refused amount_not_positive on alice
        hold alice -0.01 BDT to bob       => refused amount_not_positive on alice
        ",
    );
}

#[test]
fn both_accounts_exist_and_differ() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        fund alice 100.00
        transfer alice nobody 1.00 BDT    => refused account_not_found on nobody
        transfer nobody alice 1.00 BDT    => refused account_not_found on nobody
        deposit drawer nobody 1.00 BDT    => refused account_not_found on nobody
        deposit nobody alice 1.00 BDT     => refused account_not_found on nobody
        withdraw nobody drawer 1.00 BDT   => refused account_not_found on nobody
        post debit alice 1.00 BDT, credit nobody 1.00 BDT => refused account_not_found on nobody
        transfer alice alice 1.00 BDT     => refused same_account on alice
        ",
    );
}

#[test]
fn the_currency_is_the_accounts() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        open euros liability EUR
        fund alice 100.00
        transfer alice bob 1.00 EUR       => refused currency_mismatch on alice
        transfer alice euros 1.00 BDT     => refused currency_mismatch on euros
        hold alice 1.00 EUR               => refused currency_mismatch on alice
        hold alice 1.00 BDT to euros      => refused currency_mismatch on euros
        ",
    );
}

#[test]
fn entries_balance_in_each_currency() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        open nostro asset EUR
        open euros liability EUR
        open yen liability JPY
        open fund liability KWD
        # What a currency exchange is: two balanced halves in one transaction.
        post debit drawer 120.00 BDT, credit alice 120.00 BDT, debit nostro 1.00 EUR, credit euros 1.00 EUR => \
             journal_entry: drawer 120.00, alice 120.00, nostro 1.00, euros 1.00
        post debit drawer 1.00 BDT, credit alice 0.99 BDT => refused unbalanced, debits 1.00, credits 0.99
        post debit drawer 1.00 BDT, debit drawer 1.00 BDT => refused unbalanced, debits 2.00, credits 0.00
        # Equal numbers in two currencies are no balance.
        post debit drawer 1.00 BDT, credit euros 1.00 EUR => refused unbalanced, debits 1.00, credits 0.00
        post debit drawer 1.00 BDT, credit alice 1.00 BDT, debit nostro 2.00 EUR, credit euros 1.00 EUR => \
             refused unbalanced, debits 2.00, credits 1.00
        # Currencies without decimals and with three.
        fund yen 500                      => journal_entry: yen 500, pocket-asset-JPY 500
        fund fund 0.001                   => journal_entry: fund 0.001, pocket-asset-KWD 0.001
        ",
    );
}

#[test]
fn a_balance_is_checked_in_more_than_64_bits() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        # Twice the largest amount and two would come out as zero.
        post debit drawer 92233720368547758.07 BDT *2, debit drawer 0.02 BDT, credit alice 1.00 BDT => \
             refused unbalanced, debits 92233720368547758.07, credits 1.00
        ",
    );
}

#[test]
fn a_transaction_has_two_to_128_entries() {
    check(
        "
        open drawer asset BDT
        open alice liability BDT
        post                              => refused entry_count, entries 0, maximum 128
        post debit drawer 1.00 BDT        => refused entry_count, entries 1, maximum 128
        post debit drawer 1.00 BDT *64, credit alice 1.00 BDT *64
        see drawer                        => 64.00
        see alice                         => 64.00
        post debit drawer 1.00 BDT *64, credit alice 1.00 BDT *65 => refused entry_count, entries 129, maximum 128
        ",
    );
}

#[test]
fn lines_on_one_account_see_each_other() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        open carol liability BDT
        fund alice 100.00
        post debit alice 40.00 BDT, credit bob 40.00 BDT, debit alice 60.00 BDT, credit carol 60.00 BDT => \
             journal_entry: alice 60.00, bob 40.00, alice 0.00, carol 60.00
        fund alice 100.00
        # The second line finds what the first one left, not the hundred of before.
        post debit alice 40.00 BDT, credit bob 40.00 BDT, debit alice 60.01 BDT, credit carol 60.01 BDT => \
             refused insufficient_funds on alice, available 60.00, needed 60.01
        see alice                         => 100.00
        see bob                           => 40.00
        ",
    );
}

#[test]
fn one_account_stands_on_one_side() {
    check(
        "
        open alice liability BDT
        open bob liability BDT
        fund alice 100.00
        post debit alice 1.00 BDT, credit alice 1.00 BDT => refused same_account on alice
        post debit alice 2.00 BDT, credit bob 1.00 BDT, credit alice 1.00 BDT => refused same_account on alice
        post debit alice 1.00 BDT *2, credit bob 1.00 BDT *2 => \
             journal_entry: alice 99.00, alice 98.00, bob 1.00, bob 2.00
        ",
    );
}
