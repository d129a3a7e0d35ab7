//! The policy as a specification: the table in the header, cell by cell, then the objects.

use std::fmt::Write as _;

use rstest::rstest;

use super::*;
use crate::identity::credential::tests::credential;

const MINE: u64 = 101;
const OTHERS: u64 = 999;
const DRAWER: u64 = 7;

fn holder(role: Role) -> Credential {
    let mut credential = credential(role);
    credential.drawer = (role == Role::Banker).then_some(DRAWER);
    credential.accounts = if role == Role::Customer { Box::new([MINE, 102]) } else { Box::default() };
    credential.set_principal_id(5);
    credential
}

/// What a role reaches, found by asking `allow` about one's own and others' objects.
fn cell(role: Role, action: Action) -> &'static str {
    let credential = holder(role);
    let (mine, others) = match action {
        Action::Deposit | Action::Withdraw => {
            (Object::Cash { account: MINE, drawer: DRAWER }, Object::Cash { account: MINE, drawer: 8 })
        }
        Action::EndHold => {
            (Object::Hold { account: MINE, placed_by: 5 }, Object::Hold { account: OTHERS, placed_by: 6 })
        }
        Action::ReadTransaction => {
            (Object::Transaction(&[OTHERS, MINE]), Object::Transaction(&[OTHERS, 998]))
        }
        Action::ReadKey => (Object::Principal("p"), Object::Principal("q")),
        Action::ListAccounts => (Object::Bank, Object::Account(OTHERS)),
        Action::ReadAccount
        | Action::Freeze
        | Action::Unfreeze
        | Action::CloseAccount
        | Action::ChangeLimits
        | Action::Transfer
        | Action::Hold
        | Action::ListTransactions => (Object::Account(MINE), Object::Account(OTHERS)),
        _ => (Object::Bank, Object::Bank),
    };
    match (allow(&credential, action, mine), allow(&credential, action, others)) {
        (Ok(()), Ok(())) => "all",
        (Ok(()), Err(Denied::Hidden)) => "own",
        (Ok(()), Err(Denied::Forbidden)) if action == Action::ListAccounts => "own",
        (Ok(()), Err(Denied::Forbidden)) => "drawer",
        (Err(Denied::Forbidden), Err(Denied::Forbidden)) => "-",
        other => panic!("{role} {action:?}: {other:?}"),
    }
}

fn squeezed(line: &str) -> String {
    line.split('|').map(str::trim).collect::<Vec<_>>().join("|")
}

#[test]
fn the_table_in_the_header_is_what_the_code_does() {
    let header: String = include_str!("../policy.rs")
        .lines()
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
#[case::pays_from_own(Action::Transfer, Object::Account(MINE), Ok(()))]
#[case::pays_from_others(Action::Transfer, Object::Account(OTHERS), Err(Denied::Hidden))]
#[case::holds_on_own(Action::Hold, Object::Account(102), Ok(()))]
#[case::reads_others(Action::ReadAccount, Object::Account(OTHERS), Err(Denied::Hidden))]
#[case::transaction_of_others(Action::ReadTransaction, Object::Transaction(&[1, 2]), Err(Denied::Hidden))]
#[case::transaction_of_nobody(Action::ReadTransaction, Object::Transaction(&[]), Err(Denied::Hidden))]
#[case::all_transactions(Action::ListTransactions, Object::Bank, Err(Denied::Forbidden))]
#[case::own_hold_placed_by_the_bank(Action::EndHold, Object::Hold { account: MINE, placed_by: 6 }, Err(Denied::Forbidden))]
#[case::hold_on_others_placed_by_me(Action::EndHold, Object::Hold { account: OTHERS, placed_by: 5 }, Err(Denied::Hidden))]
#[case::a_forbidden_action_on_others_is_not_hidden(
    Action::Freeze,
    Object::Account(OTHERS),
    Err(Denied::Forbidden)
)]
#[case::an_object_of_the_wrong_kind(Action::Transfer, Object::Bank, Err(Denied::Forbidden))]
#[case::keys_of_another(Action::ReadKey, Object::Principal("q"), Err(Denied::Hidden))]
fn a_customer(#[case] action: Action, #[case] object: Object<'_>, #[case] expected: Result<(), Denied>) {
    assert_eq!(allow(&holder(Role::Customer), action, object), expected);
}

#[test]
fn a_banker_without_a_drawer_takes_no_cash() {
    let mut banker = holder(Role::Banker);
    banker.drawer = None;
    let cash = Object::Cash { account: MINE, drawer: DRAWER };
    assert_eq!(allow(&banker, Action::Deposit, cash), Err(Denied::Forbidden));
}

#[test]
fn a_hold_is_not_ended_while_the_principal_has_no_number() {
    let mut customer = credential(Role::Customer);
    customer.accounts = Box::new([MINE]);
    let hold = Object::Hold { account: MINE, placed_by: 0 };
    assert_eq!(allow(&customer, Action::EndHold, hold), Err(Denied::Forbidden));
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
