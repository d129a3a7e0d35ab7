//! Random command sequences over few accounts, so that they meet.
//!
//! A [`Wish`] names things by number; [`Wish::command`] turns it into a command against what has happened so
//! far. Numbers wrap around, and some lead nowhere: unknown accounts, ended holds, transactions to come.

use std::sync::Arc;

use ledger::command::{Extent, Movement, OpenAccount, Original};
use ledger::event::NameKind;
use ledger::{AccountId, AccountType, Command, Currency, Date, Line, NameId, Sequence, Side, Status};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::run::Run;

/// The accounts that every run starts with, from id 1 on.
pub const ACCOUNTS: &[(AccountType, &str, i64, Status)] = &[
    (AccountType::Asset, "BDT", 0, Status::Active),
    (AccountType::Asset, "BDT", 500, Status::Active),
    (AccountType::Liability, "BDT", 0, Status::Active),
    (AccountType::Liability, "BDT", 50, Status::Active),
    (AccountType::Liability, "BDT", i64::MAX, Status::Active),
    (AccountType::Income, "BDT", 0, Status::Active),
    (AccountType::Expense, "BDT", 10, Status::Active),
    (AccountType::Asset, "EUR", 1_000, Status::Active),
    (AccountType::Liability, "EUR", 0, Status::Active),
    (AccountType::Liability, "BDT", 20, Status::Pending),
];

pub const DAY_US: i64 = 86_400_000_000;

/// One thing that happens to the books.
#[derive(Clone, Debug)]
pub enum Step {
    One(Member),
    Group(Vec<Member>, Option<u8>),
    Wait(i64),
    /// What the sequencer does by itself: the hold whose time has come is expired.
    ExpireDue,
}

/// A wish with its key and value date (days from the newest business day).
#[derive(Clone, Debug)]
pub struct Member {
    pub wish: Wish,
    pub key: Option<u8>,
    pub value: Option<i32>,
}

#[derive(Clone, Debug)]
pub enum Wish {
    Deposit(u8, u8, i64),
    Withdraw(u8, u8, i64),
    Transfer(u8, u8, i64),
    /// Lines as (account, is a debit, amount); if wished, the last amount is what balances them.
    Post(Vec<(u8, bool, i64)>, bool),
    Hold {
        account: u8,
        to: Option<u8>,
        amount: i64,
        life: Option<i64>,
    },
    Capture {
        hold: u8,
        amount: Option<i64>,
        to: Option<u8>,
    },
    Void(u8),
    Prepare(u8, u8, i64),
    Commit(u8),
    Abort(u8),
    Reverse {
        transaction: u8,
        extent: Part,
    },
    Open {
        kind: u8,
        euro: bool,
        status: u8,
        limit: i64,
        number: Option<u8>,
    },
    Change {
        account: u8,
        status: Option<u8>,
        limit: Option<i64>,
        version: Option<u8>,
    },
    OpenDay(i32),
    CloseDay(i32),
    Name(u8, u8),
}

#[derive(Clone, Debug)]
pub enum Part {
    Rest,
    Amount(i64),
    Entries(Vec<(u8, i64)>),
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..80)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => member().prop_map(Step::One),
        4 => group(),
        2 => prop_oneof![Just(1), Just(1_000), Just(DAY_US)].prop_map(Step::Wait),
        2 => Just(Step::ExpireDue),
    ]
}

pub fn group() -> impl Strategy<Value = Step> {
    let members = prop_oneof![30 => vec(member(), 1..5), 1 => Just(Vec::new())];
    (members, key()).prop_map(|(members, key)| Step::Group(members, key))
}

fn member() -> impl Strategy<Value = Member> {
    let value = prop_oneof![12 => Just(None), 1 => prop_oneof![-368..=-365, -3..3, 365..=368].prop_map(Some)];
    (wish(), key(), value).prop_map(|(wish, key, value)| Member { wish, key, value })
}

fn key() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![3 => Just(None), 1 => (0u8..60).prop_map(Some)]
}

fn wish() -> impl Strategy<Value = Wish> {
    let lines = vec((account(), any::<bool>(), amount()), 0..6);
    prop_oneof![
        14 => (cash(), amount()).prop_map(|((a, b), amount)| Wish::Deposit(a, b, amount)),
        6 => (cash(), amount()).prop_map(|((a, b), amount)| Wish::Withdraw(b, a, amount)),
        14 => (pair(), amount()).prop_map(|((a, b), amount)| Wish::Transfer(a, b, amount)),
        8 => (lines, prop::bool::weighted(0.9)).prop_map(|(lines, balanced)| Wish::Post(lines, balanced)),
        12 => (pair(), any::<bool>(), amount(), prop::option::of(life())).prop_map(
            |((account, to), promise, amount, life)| {
                Wish::Hold { account, to: promise.then_some(to), amount, life }
            }
        ),
        8 => (any::<u8>(), prop::option::of(amount()), prop::option::of(account()))
            .prop_map(|(hold, amount, to)| Wish::Capture { hold, amount, to }),
        3 => any::<u8>().prop_map(Wish::Void),
        3 => (pair(), amount()).prop_map(|((a, b), amount)| Wish::Prepare(a, b, amount)),
        4 => any::<u8>().prop_map(Wish::Commit),
        3 => any::<u8>().prop_map(Wish::Abort),
        10 => (any::<u8>(), part()).prop_map(|(transaction, extent)| Wish::Reverse { transaction, extent }),
        3 => (0u8..5, any::<bool>(), 0u8..4, prop_oneof![Just(0), amount()], prop::option::of(0u8..4))
            .prop_map(|(kind, euro, status, limit, number)| Wish::Open { kind, euro, status, limit, number }),
        6 => (account(), prop::option::of(status()), prop::option::of(amount()), maybe_version())
            .prop_map(|(account, status, limit, version)| Wish::Change { account, status, limit, version }),
        3 => (-1i32..3).prop_map(Wish::OpenDay),
        1 => (-1i32..2).prop_map(Wish::CloseDay),
        1 => (0u8..3, 0u8..9).prop_map(|(kind, name)| Wish::Name(kind, name)),
    ]
}

/// Mostly the accounts of the start, sometimes one that was opened later or is not there.
fn account() -> impl Strategy<Value = u8> {
    prop_oneof![30 => 0u8..ACCOUNTS.len() as u8, 1 => 0u8..16]
}

/// Mostly a drawer and a customer.
fn cash() -> impl Strategy<Value = (u8, u8)> {
    prop_oneof![12 => (0u8..2, 2u8..5), 2 => Just((7, 8)), 1 => (account(), account())]
}

/// Mostly two accounts that can pay each other.
fn pair() -> impl Strategy<Value = (u8, u8)> {
    let debit = || prop::sample::select(vec![0u8, 1, 6]);
    prop_oneof![12 => (2u8..6, 2u8..6), 3 => (debit(), debit()), 2 => (account(), account())]
}

/// By position in `Status::ALL`; closed is rare, since it is for ever.
fn status() -> impl Strategy<Value = u8> {
    prop_oneof![1 => Just(0u8), 6 => Just(1u8), 3 => Just(2u8), 2 => Just(3u8)]
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![
        30 => 1i64..100,
        6 => 1i64..2_000,
        1 => -5i64..=0,
        2 => prop_oneof![Just(i64::MAX), Just(i64::MAX - 1), Just(i64::MAX / 2), Just(i64::MIN)],
    ]
}

fn life() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => prop::sample::select(vec![1, 1_000, DAY_US, 400 * DAY_US]),
        1 => prop::sample::select(vec![-1, 0, 400 * DAY_US + 1, i64::MIN / 2]),
    ]
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        2 => Just(Part::Rest),
        3 => amount().prop_map(Part::Amount),
        // Equal amounts, so that two opposite entries balance.
        3 => (vec(0u8..6, 0..4), amount())
            .prop_map(|(entries, amount)| Part::Entries(entries.into_iter().map(|it| (it, amount)).collect())),
        1 => vec((0u8..6, amount()), 0..4).prop_map(Part::Entries),
    ]
}

fn maybe_version() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![3 => Just(None), 1 => (0u8..9).prop_map(Some)]
}

impl Wish {
    /// The command that this wish is, after what has happened so far. `None` if it makes no sense to ask.
    pub fn command(&self, run: &Run) -> Option<Command> {
        let id = |index: u8| AccountId(u64::from(index) + 1);
        let currency = |index: u8| run.state.account(id(index)).map_or(bdt(), |account| account.currency());
        let movement = |from: u8, to: u8, amount: i64| Movement {
            from: id(from),
            to: id(to),
            amount,
            currency: currency(from),
        };
        Some(match *self {
            Wish::Deposit(from, to, amount) => Command::Deposit(movement(from, to, amount)),
            Wish::Withdraw(from, to, amount) => Command::Withdraw(movement(from, to, amount)),
            Wish::Transfer(from, to, amount) => Command::Transfer(movement(from, to, amount)),
            Wish::Post(ref wished, balanced) => {
                let mut lines: Vec<Line> = wished
                    .iter()
                    .map(|&(account, debit, amount)| Line {
                        account: id(account),
                        side: if debit { Side::Debit } else { Side::Credit },
                        amount,
                        currency: currency(account),
                    })
                    .collect();
                if balanced {
                    balance(&mut lines);
                }
                Command::Post { lines: lines.into() }
            }
            Wish::Hold { account, to, amount, life } => Command::Hold {
                account: id(account),
                to: to.map(id),
                amount,
                currency: currency(account),
                expires_at: life.map(|life| run.time + life),
            },
            Wish::Capture { hold, amount, to } => {
                Command::Capture { hold: a_hold(run, hold)?, amount, to: to.map(id) }
            }
            Wish::Void(hold) => Command::Void { hold: a_hold(run, hold)? },
            Wish::Prepare(from, to, amount) => Command::Prepare(movement(from, to, amount)),
            Wish::Commit(hold) => Command::Commit { hold: a_hold(run, hold)? },
            Wish::Abort(hold) => Command::Abort { hold: a_hold(run, hold)? },
            Wish::Reverse { transaction, ref extent } => {
                let transactions: Vec<_> =
                    run.events.iter().filter(|event| event.transaction().is_some()).collect();
                let event = transactions.get(usize::from(transaction) % transactions.len().max(1))?;
                let original = Arc::new(Original {
                    sequence: event.sequence,
                    kind: event.transaction()?,
                    lines: event.posted().map(|entry| entry.line()).collect(),
                });
                let extent = match extent {
                    Part::Rest => Extent::Rest,
                    Part::Amount(amount) => Extent::Amount(*amount),
                    Part::Entries(entries) => Extent::Entries(entries.clone().into()),
                };
                Command::Reverse { original, extent }
            }
            Wish::Open { kind, euro, status, limit, number } => Command::OpenAccount(Box::new(OpenAccount {
                account_type: AccountType::ALL[usize::from(kind)],
                currency: Currency::from_code(if euro { "EUR" } else { "BDT" })?,
                status: Status::ALL[usize::from(status)],
                overdraft_limit: limit,
                owner: NameId(0),
                number: number.map(|number| ["", "BC-1", "A-1", "A-2"][usize::from(number)].into()),
                name: "opened later".into(),
            })),
            Wish::Change { account, status, limit, version } => Command::ChangeAccount {
                account: id(account),
                status: status.map(|status| Status::ALL[usize::from(status)]),
                overdraft_limit: limit,
                expected_version: version.map(u64::from),
            },
            Wish::OpenDay(offset) => Command::OpenDay { date: Date(newest_day(run).0 + offset) },
            Wish::CloseDay(offset) => Command::CloseDay { date: Date(newest_day(run).0 + offset) },
            Wish::Name(kind, name) => {
                Command::Name { kind: NameKind::ALL[usize::from(kind)], text: format!("name {name}").into() }
            }
        })
    }
}

pub fn newest_day(run: &Run) -> Date {
    run.state.day().newest.unwrap_or_default()
}

/// Mostly one of the newest holds, ended or not; sometimes what an earlier member of the same group may be
/// placing, or is no hold at all.
fn a_hold(run: &Run, index: u8) -> Option<Sequence> {
    let index = usize::from(index);
    let holds: Vec<_> =
        run.events.iter().filter(|event| event.is_hold()).map(|event| event.sequence).collect();
    let newest = &holds[holds.len().saturating_sub(5)..];
    match index % 8 {
        0 => Some(Sequence(run.state.head().0 + 2)),
        _ => newest.get(index / 8 % newest.len().max(1)).copied(),
    }
}

/// Makes the last line of each currency the one that balances it.
fn balance(lines: &mut [Line]) {
    for currency in [bdt(), Currency::from_code("EUR").expect("known")] {
        let Some(last) = lines.iter().rposition(|line| line.currency == currency) else { continue };
        let sum: i128 = lines[..last]
            .iter()
            .filter(|line| line.currency == currency)
            .map(|line| match line.side {
                Side::Debit => i128::from(line.amount),
                Side::Credit => -i128::from(line.amount),
            })
            .sum();
        lines[last].side = if sum > 0 { Side::Credit } else { Side::Debit };
        lines[last].amount = i64::try_from(sum.abs()).unwrap_or(i64::MAX);
    }
}

pub fn bdt() -> Currency {
    Currency::from_code("BDT").expect("known")
}

/// Is the event the placing of a hold?
pub trait IsHold {
    fn is_hold(&self) -> bool;
}

impl IsHold for ledger::Event {
    fn is_hold(&self) -> bool {
        matches!(self.body, ledger::Body::HoldPlaced { .. })
    }
}
