//! `bankcore inspect account`.

use std::collections::VecDeque;

use anyhow::bail;
use bank::verify::LookOnly;
use clap::Args;
use ledger::money::Major;
use ledger::{AccountId, Effect, Event, codec};

use super::{LookArgs, event};
use crate::output;

/// Show the newest events of an account as the journal holds them, read from end to end
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore inspect account 101\n  bankcore inspect account 101 --limit 1000\n\n\
    This reads the whole journal and needs no server; bankcore account show and entries ask the bank itself."
)]
pub struct AccountArgs {
    /// The account
    id: u64,
    /// How many events, counted from the newest
    #[arg(long, default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    look: LookArgs,
}

pub(super) fn run(args: &AccountArgs) -> anyhow::Result<()> {
    let dir = args.look.dir()?;
    let id = AccountId(args.id);
    let mut opened: Option<Event> = None;
    let mut newest: VecDeque<(Event, Vec<u8>)> = VecDeque::new();
    let mut each = |record: journal::Record<'_>| {
        let Ok(event) = codec::decode(record.bytes()) else { return };
        if !event.entries.iter().any(|entry| entry.account == id) {
            return;
        }
        if matches!(event.body, ledger::Body::AccountOpened(_)) {
            opened = Some(event.clone());
        }
        if newest.len() == args.limit {
            newest.pop_front();
        }
        if args.limit > 0 {
            newest.push_back((event, record.bytes().to_vec()));
        }
    };
    journal::verify(&LookOnly, &dir, &mut each, &mut |_, _| ())?;
    let Some(opened) = opened else {
        bail!("the journal holds no account {id}; bankcore account list shows those that there are");
    };
    output::print(&opening(&opened))?;
    let titles =
        ["Sequence", "Time", "Kind", "Effect", "Side", "Amount", "Balance", "Version", "Previous", "Skip"];
    let mut table = output::empty(titles.into_iter());
    for (event, _) in &newest {
        for entry in event.entries.iter().filter(|entry| entry.account == id) {
            let money = |minor: i64| Major(minor.into(), entry.currency).to_string();
            let touched = entry.effect == Effect::Touched;
            table.add_row([
                event.sequence.to_string(),
                event::time(event.time),
                event::kind(event),
                entry.effect.name().to_owned(),
                if touched { String::new() } else { entry.side.name().to_owned() },
                if touched { String::new() } else { money(entry.amount) },
                money(entry.balance_after),
                entry.version.to_string(),
                entry.previous.to_string(),
                entry.skip.to_string(),
            ]);
        }
    }
    output::print(&table.to_string())?;
    if args.look.hex {
        for (event, bytes) in &newest {
            output::print(&format!("\n{}\n{}", event.sequence, event::dump(0, bytes)))?;
        }
    }
    Ok(())
}

fn opening(event: &Event) -> String {
    let ledger::Body::AccountOpened(opening) = &event.body else { return String::new() };
    output::pairs(&[
        ("Account", event.subject().map_or(String::new(), |id| id.to_string())),
        ("Name", opening.name.to_string()),
        ("Number", opening.number.to_string()),
        ("Type", opening.account_type.name().to_owned()),
        ("Currency", opening.currency.to_string()),
        ("Opened by event", event.sequence.to_string()),
    ])
}
