//! Fingerprints: the same wish has the same one for ever, and another wish has another.

use std::sync::Arc;

use super::*;
use crate::codec::fingerprint::of_group;
use crate::command::{Command, Extent, Movement, OpenAccount, Original, Request};
use crate::entry::Line;

fn bdt() -> Currency {
    Currency::from_code("BDT").unwrap()
}

fn movement() -> Movement {
    Movement { from: AccountId(3), to: AccountId(4), amount: 3_000, currency: bdt() }
}

fn reverse(original: u64, extent: Extent) -> Command {
    let (sequence, kind) = (Sequence(original), TransactionKind::Transfer);
    Command::Reverse { original: Arc::new(Original { sequence, kind, lines: Box::default() }), extent }
}

fn open(change: impl FnOnce(&mut OpenAccount)) -> Command {
    let mut wish = OpenAccount {
        account_type: AccountType::Liability,
        currency: bdt(),
        status: Status::Active,
        overdraft_limit: 0,
        owner: NameId(7),
        number: None,
        name: "Alice".into(),
    };
    change(&mut wish);
    Command::OpenAccount(Box::new(wish))
}

fn change(status: Option<Status>, overdraft_limit: Option<i64>, expected_version: Option<u64>) -> Command {
    Command::ChangeAccount { account: AccountId(3), status, overdraft_limit, expected_version }
}

fn hold(to: Option<u64>, amount: i64, expires_at: Option<i64>) -> Command {
    Command::Hold { account: AccountId(3), to: to.map(AccountId), amount, currency: bdt(), expires_at }
}

fn capture(hold: u64, amount: Option<i64>, to: Option<u64>) -> Command {
    Command::Capture { hold: Sequence(hold), amount, to: to.map(AccountId) }
}

fn line(account: u64, side: Side, amount: i64) -> Line {
    Line { account: AccountId(account), side, amount, currency: bdt() }
}

fn post(lines: &[Line]) -> Command {
    Command::Post { lines: lines.into() }
}

/// Wishes that differ in one thing each.
fn wishes() -> Vec<Command> {
    let one = movement();
    let named = |kind, text: &str| Command::Name { kind, text: text.into() };
    vec![
        Command::Deposit(one),
        Command::Withdraw(one),
        Command::Transfer(one),
        Command::Transfer(Movement { from: AccountId(5), ..one }),
        Command::Transfer(Movement { to: AccountId(5), ..one }),
        Command::Transfer(Movement { from: one.to, to: one.from, ..one }),
        Command::Transfer(Movement { amount: 3_001, ..one }),
        Command::Transfer(Movement { currency: Currency::from_code("EUR").unwrap(), ..one }),
        post(&[line(3, Side::Debit, 1), line(4, Side::Credit, 1)]),
        post(&[line(4, Side::Credit, 1), line(3, Side::Debit, 1)]),
        post(&[line(3, Side::Credit, 1), line(4, Side::Debit, 1)]),
        post(&[line(3, Side::Debit, 2), line(4, Side::Credit, 2)]),
        post(&[line(3, Side::Debit, 1), line(4, Side::Credit, 1), line(4, Side::Credit, 1)]),
        hold(None, 1, None),
        hold(None, 2, None),
        hold(Some(4), 1, None),
        hold(None, 1, Some(4)),
        capture(9, None, None),
        capture(8, None, None),
        capture(9, Some(4), None),
        capture(9, None, Some(4)),
        Command::Void { hold: Sequence(9) },
        Command::Expire { hold: Sequence(9) },
        reverse(9, Extent::Rest),
        reverse(8, Extent::Rest),
        reverse(9, Extent::Amount(1)),
        reverse(9, Extent::Amount(2)),
        reverse(9, Extent::Entries([(0, 1), (1, 1)].into())),
        reverse(9, Extent::Entries([(1, 1), (0, 1)].into())),
        reverse(9, Extent::Entries([(0, 1), (2, 1)].into())),
        open(|_| {}),
        open(|wish| wish.account_type = AccountType::Asset),
        open(|wish| wish.currency = Currency::from_code("EUR").unwrap()),
        open(|wish| wish.status = Status::Pending),
        open(|wish| wish.overdraft_limit = 1),
        open(|wish| wish.owner = NameId(8)),
        open(|wish| wish.number = Some("Alice".into())),
        open(|wish| wish.number = Some("".into())),
        open(|wish| wish.name = "Alicf".into()),
        change(None, None, None),
        change(Some(Status::Frozen), None, None),
        change(Some(Status::Active), None, None),
        change(None, Some(3), None),
        change(None, None, Some(3)),
        Command::OpenDay { date: Date(1) },
        Command::OpenDay { date: Date(2) },
        Command::CloseDay { date: Date(1) },
        named(NameKind::Actor, "a"),
        named(NameKind::Origin, "a"),
        named(NameKind::Actor, "b"),
    ]
}

fn plain(command: Command) -> Request {
    Request::new(command, NameId(1))
}

fn with_note(reference: Option<&str>, description: Option<&str>) -> Request {
    let note = Note {
        reference: reference.map(Into::into),
        description: description.map(Into::into),
        ..Note::default()
    };
    Request { note: Some(Arc::new(note)), ..plain(Command::Transfer(movement())) }
}

#[test]
fn another_wish_has_another_fingerprint() {
    let mut all: Vec<_> = wishes().into_iter().map(|command| plain(command).fingerprint_of()).collect();
    let transfer = || plain(Command::Transfer(movement()));
    all.extend(
        [
            Request { value: Some(Date(4)), ..transfer() },
            Request { value: Some(Date(5)), ..transfer() },
            with_note(Some("a"), None),
            with_note(None, Some("a")),
            with_note(Some("a"), Some("a")),
            with_note(Some("aa"), Some("")),
            with_note(Some(""), None),
        ]
        .map(|request| request.fingerprint_of()),
    );
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

/// A retry may come from another person over another line, under another trace.
#[test]
fn who_asks_and_from_where_does_not_count() {
    let request = plain(Command::Transfer(movement()));
    let note = Note {
        on_behalf_of: Some(NameId(4)),
        approver: Some(NameId(5)),
        trace: Some([1; 16]),
        payment: Some([2; 16]),
        ..Note::default()
    };
    let other = Request {
        principal: NameId(9),
        actor: NameId(8),
        origin: NameId(7),
        key: Digest([9; 16]),
        fingerprint: Digest([8; 16]),
        note: Some(Arc::new(note)),
        ..request.clone()
    };
    assert_eq!(request.fingerprint_of(), other.fingerprint_of());
}

/// As `docs/event-format.md` has it, byte for byte.
#[test]
fn a_fingerprint_is_over_the_bytes_of_the_page() {
    let mut request = with_note(Some("INV-7"), None);
    request.value = Some(Date(20_457));
    let mut bytes = vec![3];
    bytes.extend_from_slice(&3u64.to_be_bytes());
    bytes.extend_from_slice(&4u64.to_be_bytes());
    bytes.extend_from_slice(&3_000u64.to_be_bytes());
    bytes.extend_from_slice(&50u16.to_be_bytes());
    bytes.push(1);
    bytes.extend_from_slice(&20_457u32.to_be_bytes());
    bytes.extend_from_slice(&[1, 0, 5]);
    bytes.extend_from_slice(b"INV-7");
    bytes.push(0);
    assert_eq!(request.fingerprint_of(), Digest::over(&[&bytes]));
}

#[test]
fn a_group_is_told_by_its_members_their_keys_and_their_order() {
    let one = plain(Command::Transfer(movement()));
    let two = plain(Command::Deposit(movement()));
    let keyed = one.clone().with_key(Digest([1; 16]));
    let of = |members: &[&Request]| of_group(members.iter().copied());
    let mut all =
        vec![of(&[]), of(&[&one]), of(&[&one, &two]), of(&[&two, &one]), of(&[&one, &one]), of(&[&keyed])];
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 6);
}

/// Keys are kept for ever, so what was digested once must be digested the same way for ever.
#[test]
fn digests_do_not_change() {
    let hex = |digest: Digest| digest.to_string();
    let mut all = vec![
        hex(Digest::of_key(NameId(1), "key")),
        hex(Digest::of_internal_key("payments", b"key")),
        hex(Digest::of_hold_end(Sequence(9))),
        hex(Digest::of_number("BC0000000001")),
        hex(Digest::of_reference("INV-7")),
        hex(of_group([&plain(Command::Transfer(movement()))].into_iter())),
    ];
    all.extend(wishes().into_iter().map(|command| hex(plain(command).fingerprint_of())));
    super::golden::pinned("digests", &all.join("\n"));
}
