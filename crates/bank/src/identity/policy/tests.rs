//! The policy as a specification: the table in the header, cell by cell, then the objects.

use std::fmt::Write as _;

use rstest::rstest;

use super::*;
use crate::identity::credential::tests::credential;

const MINE: u64 = 101;
const OTHERS: u64 = 999;
const BANKS: u64 = 1;
const DRAWER: u64 = 7;

fn holder(role: Role) -> Credential {
    let mut credential = credential(role);
    credential.drawer = (role == Role::Banker).then_some(DRAWER);
    credential.accounts = if role == Role::Customer { Box::new([MINE, 102]) } else { Box::default() };
    credential.set_principal_id(5);
    credential
}

/// What a role reaches, found by asking `allow` about one's own, a customer's and the bank's objects.
fn cell(role: Role, action: Action) -> &'static str {
    let credential = holder(role);
    let objects = match action {
        Action::OpenAccount => {
            [new_account(true, false), new_account(true, false), new_account(false, false)]
        }
        Action::Deposit | Action::Withdraw => [cash(MINE, DRAWER), cash(MINE, 8), cash(BANKS, 8)],
        Action::EndHold => [hold(MINE, 5), hold(OTHERS, 6), hold(BANKS, 6)],
        Action::ReadTransaction => [&[OTHERS, MINE][..], &[OTHERS, 998], &[BANKS]].map(Object::Transaction),
        Action::ReadKey => ["p", "q", "internal:payments"].map(Object::Principal),
        Action::ReadAccount
        | Action::Freeze
        | Action::Unfreeze
        | Action::CloseAccount
        | Action::ChangeLimits
        | Action::Transfer
        | Action::Hold
        | Action::Pay
        | Action::ReadPayment
        | Action::CancelPayment
        | Action::ListTransactions => [MINE, OTHERS, BANKS].map(account),
        _ => [Object::Bank; 3],
    };
    const YES: Result<(), Denied> = Ok(());
    const HIDDEN: Result<(), Denied> = Err(Denied::Hidden);
    const NO: Result<(), Denied> = Err(Denied::Forbidden);
    match objects.map(|object| allow(&credential, action, object)) {
        // The list as such is open to a customer; what is in it is left to `sees`.
        [YES, YES, YES]
            if role == Role::Customer && matches!(action, Action::ListAccounts | Action::ListPayments) =>
        {
            "own"
        }
        [YES, YES, YES] => "all",
        [YES, YES, NO] => "customers",
        [YES, NO, NO] => "drawer",
        [YES, HIDDEN, HIDDEN] => "own",
        [NO, NO, NO] => "-",
        other => panic!("{role} {action:?}: {other:?}"),
    }
}

fn account(id: u64) -> Object<'static> {
    Object::Account(AccountRef { id, of_customer: id != BANKS })
}

fn hold(id: u64, placed_by: u32) -> Object<'static> {
    Object::Hold { account: AccountRef { id, of_customer: id != BANKS }, placed_by }
}

fn cash(id: u64, drawer: u64) -> Object<'static> {
    Object::Cash { account: AccountRef { id, of_customer: id != BANKS }, drawer }
}

fn new_account(of_customer: bool, overdraft: bool) -> Object<'static> {
    Object::NewAccount { of_customer, overdraft }
}

fn squeezed(line: &str) -> String {
    line.split('|').map(str::trim).collect::<Vec<_>>().join("|")
}

#[test]
fn the_table_in_the_header_is_what_the_code_does() {
    let header: String = include_str!("../policy.rs")
        .lines()
        .skip_while(|line| !line.starts_with("//! | action"))
        .filter_map(|line| line.strip_prefix("//! |"))
        .filter(|line| !line.starts_with('-'))
        .map(|line| squeezed(&format!("|{line}")) + "\n")
        .collect();
    let mut table = format!("|action|{}|\n", Role::ALL.map(Role::name).join("|"));
    for action in Action::ALL {
        let cells = Role::ALL.map(|role| cell(role, *action)).join("|");
        writeln!(table, "|{action:?}|{cells}|").unwrap();
    }
    println!("{table}");
    assert_eq!(header, table);
}

#[rstest]
#[case::pays_from_own(Action::Transfer, account(MINE), Ok(()))]
#[case::pays_from_others(Action::Transfer, account(OTHERS), Err(Denied::Hidden))]
#[case::pays_from_own_loan(Action::Transfer, Object::Account(AccountRef::bank(MINE)), Err(Denied::Forbidden))]
#[case::reads_own_loan(Action::ReadAccount, Object::Account(AccountRef::bank(MINE)), Ok(()))]
#[case::holds_on_own(Action::Hold, account(102), Ok(()))]
#[case::holds_on_own_loan(Action::Hold, Object::Account(AccountRef::bank(102)), Err(Denied::Forbidden))]
#[case::reads_others(Action::ReadAccount, account(OTHERS), Err(Denied::Hidden))]
#[case::transaction_of_others(Action::ReadTransaction, Object::Transaction(&[1, 2]), Err(Denied::Hidden))]
#[case::transaction_of_nobody(Action::ReadTransaction, Object::Transaction(&[]), Err(Denied::Hidden))]
#[case::all_transactions(Action::ListTransactions, Object::Bank, Err(Denied::Forbidden))]
#[case::own_hold_placed_by_the_bank(Action::EndHold, hold(MINE, 6), Err(Denied::Forbidden))]
#[case::hold_on_others_placed_by_me(Action::EndHold, hold(OTHERS, 5), Err(Denied::Hidden))]
#[case::a_forbidden_action_on_others_is_not_hidden(Action::Freeze, account(OTHERS), Err(Denied::Forbidden))]
#[case::an_object_of_the_wrong_kind(Action::Transfer, Object::Bank, Err(Denied::Forbidden))]
#[case::keys_of_another(Action::ReadKey, Object::Principal("q"), Err(Denied::Hidden))]
fn a_customer(#[case] action: Action, #[case] object: Object<'_>, #[case] expected: Result<(), Denied>) {
    assert_eq!(allow(&holder(Role::Customer), action, object), expected);
}

#[rstest]
#[case::takes_cash_in(Action::Deposit, cash(MINE, DRAWER), true)]
#[case::over_another_drawer(Action::Deposit, cash(MINE, 8), false)]
#[case::pays_out_of_suspense(Action::Withdraw, cash(BANKS, DRAWER), false)]
#[case::pays_out_of_income(Action::Transfer, account(BANKS), false)]
#[case::opens_an_account(Action::OpenAccount, new_account(true, false), true)]
#[case::opens_with_an_overdraft(Action::OpenAccount, new_account(true, true), false)]
#[case::opens_one_of_the_banks_own(Action::OpenAccount, new_account(false, false), false)]
#[case::freezes_the_vault(Action::Freeze, account(BANKS), false)]
#[case::an_object_of_the_wrong_kind(Action::Deposit, account(MINE), false)]
fn a_banker(#[case] action: Action, #[case] object: Object<'_>, #[case] allowed: bool) {
    let expected = if allowed { Ok(()) } else { Err(Denied::Forbidden) };
    assert_eq!(allow(&holder(Role::Banker), action, object), expected);
}

#[test]
fn a_banker_without_a_drawer_takes_no_cash() {
    let mut banker = holder(Role::Banker);
    banker.drawer = None;
    assert_eq!(allow(&banker, Action::Deposit, cash(MINE, DRAWER)), Err(Denied::Forbidden));
}

#[test]
fn a_hold_is_not_ended_while_the_principal_has_no_number() {
    let mut customer = credential(Role::Customer);
    customer.accounts = Box::new([MINE]);
    assert_eq!(allow(&customer, Action::EndHold, hold(MINE, 0)), Err(Denied::Forbidden));
}

#[test]
fn a_revoked_credential_that_is_still_held_may_do_nothing() {
    for role in Role::ALL {
        let credential = holder(role);
        credential.revoke();
        for action in Action::ALL {
            assert_eq!(allow(&credential, *action, Object::Bank), Err(Denied::Forbidden));
        }
        assert!(!sees(&credential, MINE));
    }
}

#[rstest]
#[case(Role::Admin, true)]
#[case(Role::Banker, true)]
#[case(Role::Operations, true)]
#[case(Role::Auditor, true)]
#[case(Role::Customer, false)]
fn balances_of_others_are_seen_by(#[case] role: Role, #[case] seen: bool) {
    assert_eq!(sees(&holder(role), OTHERS), seen);
    assert!(sees(&holder(role), MINE));
}
