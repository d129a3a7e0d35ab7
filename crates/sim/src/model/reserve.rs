//! Holds: placing, capturing, ending.

use ledger::event::HoldEnd;
use ledger::{AccountId, Code, Command, Currency, Line, Request, TransactionKind};

use super::expect::{Draft, Refused};
use super::fact::What;
use super::movement::Scratch;
use super::{Hold, Model};

const DAY: i64 = 86_400_000_000;

pub(super) fn decide(model: &Model, request: &Request, time: i64) -> Result<Draft, Refused> {
    match &request.command {
        Command::Hold { .. } => place(model, request, time),
        Command::Capture { hold, amount, to } => {
            capture(model, request, time, hold.0, amount.map(i128::from), to.map(|to| to.0))
        }
        Command::Void { hold } if !is_prepared(model, hold.0) => end(model, hold.0, HoldEnd::Voided),
        Command::Void { hold } => Err(Refused::new(Code::HoldPrepared).with(hold.0.into(), 0)),
        Command::Prepare(m) => reserve(model, request, (m.from, Some(m.to)), m.amount, m.currency, i64::MAX),
        Command::Commit { hold } | Command::Abort { hold } if !is_prepared(model, hold.0) => {
            open(model, hold.0)?;
            Err(Refused::new(Code::UnknownHold).with(hold.0.into(), 0))
        }
        Command::Commit { hold } => {
            let open = open(model, hold.0)?;
            let to = open.to.expect("a prepared hold pays somebody");
            pay(model, request, hold.0, open, open.amount, to, true)
        }
        Command::Abort { hold } => end(model, hold.0, HoldEnd::Voided),
        other => unreachable!("no hold: {other:?}"),
    }
}

/// Promised to a coordinator: never due, and nobody else's to end.
fn is_prepared(model: &Model, id: u64) -> bool {
    model.holds.get(&id).is_some_and(|hold| hold.expires_at == i64::MAX)
}

fn place(model: &Model, request: &Request, time: i64) -> Result<Draft, Refused> {
    let Command::Hold { account, to, amount, currency, expires_at } = request.command else { unreachable!() };
    let expires_at = expires_at.unwrap_or(time + 7 * DAY);
    if expires_at <= time || expires_at - time > 400 * DAY {
        return Err(Refused::on(Code::HoldTooLong, account.0));
    }
    reserve(model, request, (account, to), amount, currency, expires_at)
}

fn reserve(
    model: &Model,
    request: &Request,
    (account, to): (AccountId, Option<AccountId>),
    amount: i64,
    currency: Currency,
    expires_at: i64,
) -> Result<Draft, Refused> {
    if to == Some(account) {
        return Err(Refused::on(Code::SameAccount, account.0));
    }
    let side = model.account(account.0)?.shrinking();
    model.bookable(request)?;
    let mut scratch = Scratch::new(model, false);
    scratch.hold(&Line { account, side, amount, currency })?;
    if let Some(to) = to {
        let promised = model.account(to.0)?;
        if promised.growing() == side {
            return Err(Refused::on(Code::WrongAccountType, to.0));
        }
        scratch.hold(&Line { account: to, side: promised.growing(), amount, currency })?;
    }
    Ok(scratch.draft(What::HoldPlaced { expires_at }))
}

fn open(model: &Model, id: u64) -> Result<&Hold, Refused> {
    let code = if model.ended.contains(&id) { Code::HoldEnded } else { Code::UnknownHold };
    model.holds.get(&id).ok_or(Refused::new(code).with(id.into(), 0))
}

fn capture(
    model: &Model,
    request: &Request,
    time: i64,
    id: u64,
    amount: Option<i128>,
    to: Option<u64>,
) -> Result<Draft, Refused> {
    let hold = open(model, id)?;
    let about = |code| Refused::new(code).with(id.into(), 0);
    if is_prepared(model, id) {
        return Err(about(Code::HoldPrepared));
    }
    if time >= hold.expires_at {
        return Err(about(Code::HoldExpired));
    }
    if hold.to.is_some() && to.is_some() && hold.to != to {
        return Err(about(Code::DestinationDiffers));
    }
    let Some(to) = hold.to.or(to) else { return Err(about(Code::DestinationRequired)) };
    if to == hold.account {
        return Err(Refused::on(Code::SameAccount, to));
    }
    if model.account(to)?.growing() == model.account(hold.account)?.shrinking() {
        return Err(Refused::on(Code::WrongAccountType, to));
    }
    let amount = amount.unwrap_or(hold.amount);
    if amount > hold.amount {
        return Err(Refused::on(Code::CaptureExceedsHold, hold.account).with(hold.amount, amount));
    }
    pay(model, request, id, hold, amount, to, false)
}

fn pay(
    model: &Model,
    request: &Request,
    id: u64,
    hold: &Hold,
    amount: i128,
    to: u64,
    passes_freeze: bool,
) -> Result<Draft, Refused> {
    model.bookable(request)?;
    let side = model.account(hold.account)?.shrinking();
    let receiver = model.account(to)?;
    let mut scratch = Scratch::new(model, passes_freeze);
    release(model, &mut scratch, hold)?;
    let line = |account, side| Line {
        account: AccountId(account),
        side,
        amount: amount as i64,
        currency: hold.currency,
    };
    scratch.post(&line(hold.account, side))?;
    scratch.post(&line(to, receiver.growing()))?;
    Ok(scratch.draft(What::Posted { kind: TransactionKind::Capture, hold: Some(id), reverses: None }))
}

pub(super) fn end(model: &Model, id: u64, how: HoldEnd) -> Result<Draft, Refused> {
    let hold = open(model, id)?;
    let mut scratch = Scratch::new(model, true);
    release(model, &mut scratch, hold)?;
    Ok(scratch.draft(What::HoldEnded { hold: id, how }))
}

fn release(model: &Model, scratch: &mut Scratch<'_>, hold: &Hold) -> Result<(), Refused> {
    scratch.release(hold.account, model.account(hold.account)?.shrinking(), hold.amount)?;
    if let Some(to) = hold.to {
        scratch.release(to, model.account(to)?.growing(), hold.amount)?;
    }
    Ok(())
}
