//! A batch as SQL: what its events say, in every table, in a fixed number of statements.
//!
//! Rows come in the order of their keys where they can. Balances are changed by what was added, never set: a
//! row that somebody edited by hand stays wrong until a person has looked at it, and is found.

use std::collections::BTreeMap;
use std::fmt::Write;

use journal::{Batch, Head, Identity};
use ledger::event::NameKind;
use ledger::{AccountId, Body, Date, Digest, Effect, Event, HoldEnd, Side, State};

use super::hex;
use super::packet::{Packets, Rows};

/// The kinds in `ENUM('PRINCIPAL', 'ACTOR', 'ORIGIN')` have the numbers of the record, like all enumerations.
const _: () =
    assert!(NameKind::Principal as u8 == 1 && NameKind::Actor as u8 == 2 && NameKind::Origin as u8 == 3);

/// The statements that make `events` part of the books, in packets, and the chain after them. `state` has
/// folded them in.
pub(super) fn packets(events: &[Event], batch: &Batch, before: Head, state: &State) -> (Vec<String>, Head) {
    let (mut packets, head) = rows(events, batch, before, state);
    if events.is_empty() {
        return (packets.into_packets(), head);
    }
    let mut tip = format!(
        "UPDATE ledger_head SET sequence={},time_us={},accounts={},names={},open_day={},newest_day={},hash=",
        head.sequence,
        state.time(),
        state.account_count(),
        state.name_count(),
        Day(state.day().open),
        Day(state.day().newest),
    );
    hex::push(&mut tip, &head.hash);
    tip.push_str(" WHERE id=1");
    packets.push(&tip);
    (packets.into_packets(), head)
}

/// The same without the head, which covers them only later.
pub(super) fn rows(events: &[Event], batch: &Batch, before: Head, state: &State) -> (Packets, Head) {
    let mut head = before;
    let mut tables = Tables::new();
    for (event, record) in events.iter().zip(batch.records()) {
        head = head.next(record.hashed());
        tables.event(event, record.hashed());
    }
    let mut packets = Packets::default();
    tables.write(&mut packets, before.sequence + 1, head.sequence, state);
    (packets, head)
}

/// The statement that makes a head for books that are all there.
pub(super) fn first_head(identity: &Identity, head: Head, state: &State) -> String {
    let mut text = String::from(
        "INSERT INTO ledger_head (id,bank_id,timeline,sequence,hash,time_us,accounts,names,open_day,newest_day) \
         VALUES (1,",
    );
    hex::push(&mut text, &identity.bank);
    let _ = write!(text, ",{},{},", identity.timeline, head.sequence);
    hex::push(&mut text, &head.hash);
    let _ = write!(
        text,
        ",{},{},{},{},{})",
        state.time(),
        state.account_count(),
        state.name_count(),
        Day(state.day().open),
        Day(state.day().newest),
    );
    text
}

struct Tables {
    events: Rows,
    names: Rows,
    accounts: Rows,
    transactions: Rows,
    entries: Rows,
    touches: Rows,
    holds: Rows,
    outbox: Rows,
    keys: Vec<(Digest, u64, u32, Digest)>,
    added: BTreeMap<AccountId, Added>,
    changes: Vec<String>,
}

/// What a batch adds to an account.
#[derive(Default)]
struct Added {
    posted: [u128; 2],
    held: [u128; 2],
    released: [u128; 2],
    touched: u64,
}

impl Tables {
    fn new() -> Tables {
        Tables {
            events: Rows::new("INSERT INTO events (sequence,kind,variant,record) VALUES "),
            names: Rows::new("INSERT INTO names (id,kind,name) VALUES "),
            accounts: Rows::new(
                "INSERT INTO accounts (id,number,number_digest,name,account_type,currency,status,owner_id,\
                 opened_by) VALUES ",
            ),
            transactions: Rows::new(
                "INSERT INTO transactions (id,transaction_type,status,entry_count,booking_date,value_date,\
                 time_us,principal_id,actor_id,origin_id,hold_id,original_id,reference,reference_digest,\
                 description) VALUES ",
            ),
            entries: Rows::new(
                "INSERT INTO ledger_entries (transaction_id,position,account_id,version,entry_type,amount,\
                 currency,balance_after) VALUES ",
            ),
            touches: Rows::new("INSERT INTO account_events (account_id,version,sequence) VALUES "),
            holds: Rows::new(
                "INSERT INTO holds (id,account_id,receiver_id,side,amount,currency,expires_us,end_digest) VALUES ",
            ),
            outbox: Rows::new("INSERT INTO outbox (sequence,kind) VALUES "),
            keys: Vec::new(),
            added: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    fn event(&mut self, event: &Event, hashed: &[u8]) {
        let sequence = event.sequence.0;
        let (kind, variant) = (hashed[0], hashed[1]);
        let row = self.events.row();
        let _ = write!(row, "({sequence},{kind},{variant},");
        hex::push(row, hashed);
        row.push(')');
        if !event.key.is_none() {
            self.keys.push((event.key, sequence, event.principal.0, event.fingerprint));
        }
        if !event.entries.is_empty() {
            let _ = write!(self.outbox.row(), "({sequence},{kind})");
        }
        self.body(event);
        self.entries(event);
    }

    fn body(&mut self, event: &Event) {
        match &event.body {
            Body::Named { id, kind, text } => {
                let row = self.names.row();
                let _ = write!(row, "({},{},", id.0, *kind as u8);
                hex::push(row, text.as_bytes());
                row.push(')');
            }
            Body::AccountOpened(opening) => self.account(event, opening),
            Body::AccountChanged { status: Some((_, after)), .. } => {
                let id = event.subject().expect("a change names its account").0;
                self.changes.push(format!("UPDATE accounts SET status={} WHERE id={id}", *after as u8));
            }
            Body::HoldPlaced { expires_at } => self.hold(event, *expires_at),
            Body::HoldEnded { hold, how } => self.end_hold(hold.0, event.sequence.0, *how),
            Body::Posted { hold, .. } => {
                if let Some(hold) = hold {
                    self.end_hold(hold.0, event.sequence.0, HoldEnd::Captured);
                }
                self.transaction(event);
            }
            Body::BankOpened { .. }
            | Body::AccountChanged { .. }
            | Body::DayOpened { .. }
            | Body::DayClosed { .. }
            | Body::Refused(_)
            | Body::Group { .. } => {}
        }
    }

    fn account(&mut self, event: &Event, opening: &ledger::event::Opening) {
        let id = event.subject().expect("an opening names its account");
        let row = self.accounts.row();
        let _ = write!(row, "({},", id.0);
        hex::push_text(row, &opening.number);
        row.push(',');
        hex::push(row, &Digest::of_number(&opening.number).0);
        row.push(',');
        hex::push_text(row, &opening.name);
        let _ = write!(
            row,
            ",{},{},{},{},{})",
            opening.account_type as u8,
            opening.currency.numeric(),
            opening.status as u8,
            opening.owner.0,
            event.sequence.0
        );
    }

    fn hold(&mut self, event: &Event, expires_at: i64) {
        let held = &event.entries[0];
        let receiver = event.entries.get(1).map(|promise| promise.account.0);
        let row = self.holds.row();
        let _ = write!(
            row,
            "({},{},{},{},{},{},{expires_at},",
            event.sequence.0,
            held.account.0,
            Maybe(receiver),
            side(held.side),
            held.amount,
            held.currency.numeric()
        );
        hex::push(row, &Digest::of_hold_end(event.sequence).0);
        row.push(')');
    }

    fn end_hold(&mut self, hold: u64, by: u64, how: HoldEnd) {
        self.changes.push(format!("UPDATE holds SET ended_by={by},ended_how={} WHERE id={hold}", how as u8));
    }

    fn transaction(&mut self, event: &Event) {
        let Body::Posted { kind, hold, reverses } = &event.body else { return };
        let note = event.note.as_deref();
        let row = self.transactions.row();
        let _ = write!(
            row,
            "({},{},1,{},'{}','{}',{},{},{},{},{},{},",
            event.sequence.0,
            *kind as u8,
            event.posted().count(),
            event.booking,
            event.value,
            event.time,
            event.principal.0,
            event.actor.0,
            event.origin.0,
            Maybe(hold.map(|hold| hold.0)),
            Maybe(reverses.as_ref().map(|(original, _)| original.0)),
        );
        match note.and_then(|note| note.reference.as_deref()) {
            Some(reference) => {
                hex::push(row, reference.as_bytes());
                row.push(',');
                hex::push(row, &Digest::of_reference(reference).0);
            }
            None => row.push_str("NULL,NULL"),
        }
        row.push(',');
        match note.and_then(|note| note.description.as_deref()) {
            Some(description) => hex::push_text(row, description),
            None => row.push_str("NULL"),
        }
        row.push(')');
    }

    fn entries(&mut self, event: &Event) {
        let sequence = event.sequence.0;
        for (position, entry) in event.entries.iter().enumerate() {
            let added = self.added.entry(entry.account).or_default();
            let amount = entry.amount as u128;
            match entry.effect {
                Effect::Posted => added.posted[entry.side as usize] += amount,
                Effect::Held => added.held[entry.side as usize] += amount,
                Effect::Released => added.released[entry.side as usize] += amount,
                Effect::Touched => {}
            }
            let first = !event.entries[..position].iter().any(|other| other.account == entry.account);
            added.touched += u64::from(first);
            if entry.effect == Effect::Posted {
                let _ = write!(
                    self.entries.row(),
                    "({sequence},{position},{},{},{},{},{},{})",
                    entry.account.0,
                    entry.version,
                    side(entry.side),
                    entry.amount,
                    entry.currency.numeric(),
                    entry.balance_after
                );
            } else if first && !event.posted().any(|posted| posted.account == entry.account) {
                let _ = write!(self.touches.row(), "({},{},{sequence})", entry.account.0, entry.version);
            }
        }
    }

    fn write(mut self, packets: &mut Packets, first: u64, last: u64, state: &State) {
        self.events.append_to(packets);
        self.names.append_to(packets);
        self.accounts.append_to(packets);
        let posted = !self.transactions.is_empty();
        self.transactions.append_to(packets);
        self.entries.append_to(packets);
        if posted {
            let post = format!("UPDATE transactions SET status='POSTED' WHERE id BETWEEN {first} AND {last}");
            packets.push(&post);
        }
        self.touches.append_to(packets);
        self.holds.append_to(packets);
        self.changes.iter().for_each(|change| packets.push(change));
        balances(&self.added, state).append_to(packets);
        self.keys.sort_unstable_by_key(|key| key.0.0);
        let mut keys =
            Rows::new("INSERT INTO idempotency_keys (digest,sequence,principal_id,fingerprint) VALUES ");
        for (digest, sequence, principal, fingerprint) in &self.keys {
            let row = keys.row();
            row.push('(');
            hex::push(row, &digest.0);
            let _ = write!(row, ",{sequence},{principal},");
            hex::push(row, &fingerprint.0);
            row.push(')');
        }
        keys.append_to(packets);
        self.outbox.append_to(packets);
    }
}

fn balances(added: &BTreeMap<AccountId, Added>, state: &State) -> Rows {
    let mut rows = Rows::with_tail(
        "INSERT INTO account_balances (account_id,normal_side,debits_posted,credits_posted,debits_held,\
         credits_held,debits_released,credits_released,overdraft_limit,version,last_sequence) VALUES ",
        " ON DUPLICATE KEY UPDATE debits_posted=debits_posted+VALUES(debits_posted),\
         credits_posted=credits_posted+VALUES(credits_posted),debits_held=debits_held+VALUES(debits_held),\
         credits_held=credits_held+VALUES(credits_held),debits_released=debits_released+VALUES(debits_released),\
         credits_released=credits_released+VALUES(credits_released),overdraft_limit=VALUES(overdraft_limit),\
         version=version+VALUES(version),last_sequence=VALUES(last_sequence)",
    );
    for (id, added) in added {
        let account = state.account(*id).expect("what was touched is there");
        let _ = write!(
            rows.row(),
            "({},{},{},{},{},{},{},{},{},{},{})",
            id.0,
            side(account.normal_side()),
            added.posted[0],
            added.posted[1],
            added.held[0],
            added.held[1],
            added.released[0],
            added.released[1],
            account.overdraft_limit,
            added.touched,
            account.last.0
        );
    }
    rows
}

/// The number of a side in `ENUM('DEBIT', 'CREDIT')`.
fn side(side: Side) -> u8 {
    side as u8 + 1
}

/// A number or NULL.
struct Maybe(Option<u64>);

impl std::fmt::Display for Maybe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(number) => write!(f, "{number}"),
            None => f.write_str("NULL"),
        }
    }
}

/// A day or NULL.
struct Day(Option<Date>);

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(day) => write!(f, "'{day}'"),
            None => f.write_str("NULL"),
        }
    }
}
