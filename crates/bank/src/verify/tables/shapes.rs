//! The tables of the books, and the rows that an event calls for in each. See `migrations/mysql/0001_books.sql`.

use ledger::{Body, Digest, Effect, Event, HoldEnd};

use super::table::{Form, Row, Shape};
use Form::{Bytes, Kind, Plain};

/// Tables whose rows belong to events, in the order of [`rows`].
pub(super) static OF_EVENTS: [Shape; 8] = [
    Shape {
        check: "table_transactions",
        table: "transactions",
        by: "id",
        and: "id",
        columns: &[
            ("transaction_type", Kind),
            ("status", Kind),
            ("entry_count", Plain),
            ("booking_date", Plain),
            ("value_date", Plain),
            ("time_us", Plain),
            ("principal_id", Plain),
            ("actor_id", Plain),
            ("origin_id", Plain),
            ("hold_id", Plain),
            ("original_id", Plain),
            ("reference", Bytes),
            ("reference_digest", Bytes),
            ("description", Bytes),
        ],
    },
    Shape {
        check: "table_ledger_entries",
        table: "ledger_entries",
        by: "transaction_id",
        and: "position",
        columns: &[
            ("account_id", Plain),
            ("version", Plain),
            ("entry_type", Kind),
            ("amount", Plain),
            ("currency", Plain),
            ("balance_after", Plain),
        ],
    },
    Shape {
        check: "table_account_events",
        table: "account_events",
        by: "sequence",
        and: "account_id",
        columns: &[("version", Plain)],
    },
    Shape {
        check: "table_holds",
        table: "holds",
        by: "id",
        and: "id",
        columns: &[
            ("account_id", Plain),
            ("receiver_id", Plain),
            ("side", Kind),
            ("amount", Plain),
            ("currency", Plain),
            ("expires_us", Plain),
            ("end_digest", Bytes),
        ],
    },
    Shape {
        check: "table_holds_ended",
        table: "holds",
        by: "ended_by",
        and: "id",
        columns: &[("ended_how", Kind)],
    },
    Shape {
        check: "table_idempotency_keys",
        table: "idempotency_keys",
        by: "sequence",
        and: "sequence",
        columns: &[("digest", Bytes), ("principal_id", Plain), ("fingerprint", Bytes)],
    },
    Shape {
        check: "table_outbox",
        table: "outbox",
        by: "sequence",
        and: "sequence",
        columns: &[("kind", Plain)],
    },
    Shape {
        check: "table_accounts_opened",
        table: "accounts",
        by: "opened_by",
        and: "id",
        columns: &[
            ("number", Bytes),
            ("number_digest", Bytes),
            ("name", Bytes),
            ("account_type", Kind),
            ("currency", Plain),
            ("owner_id", Plain),
        ],
    },
];

/// The rows that events call for, by table.
pub(super) type Rows = [Vec<Row>; OF_EVENTS.len()];

/// Adds the rows of an event; `kind` is the first byte of its record.
pub(super) fn rows(event: &Event, kind: u8, rows: &mut Rows) {
    let [transactions, entries, touches, holds, ends, keys, outbox, accounts] = rows;
    let sequence = event.sequence.0;
    if let Body::Posted { .. } = event.body {
        transactions.push(transaction(event));
    }
    for (position, entry) in (0..).zip(&event.entries) {
        if entry.effect == Effect::Posted {
            let row = Row::of(sequence, position).plain(entry.account.0).plain(entry.version);
            let row = row.plain(entry.side as u8 + 1).plain(entry.amount);
            entries.push(row.plain(entry.currency.numeric()).plain(entry.balance_after));
        }
    }
    touches.extend(touched(event));
    if let (Body::HoldPlaced { expires_at }, Some(held)) = (&event.body, event.entries.first()) {
        let receiver = event.entries.get(1).map(|promise| promise.account.0);
        let row = Row::of(sequence, sequence).plain(held.account.0).maybe(receiver);
        let row = row.plain(held.side as u8 + 1).plain(held.amount).plain(held.currency.numeric());
        holds.push(row.plain(expires_at).bytes(Digest::of_hold_end(event.sequence).0));
    }
    let ended = match &event.body {
        Body::HoldEnded { hold, how } => Some((hold, *how)),
        Body::Posted { hold: Some(hold), .. } => Some((hold, HoldEnd::Captured)),
        _ => None,
    };
    ends.extend(ended.map(|(hold, how)| Row::of(sequence, hold.0).plain(how as u8)));
    if !event.key.is_none() {
        let row = Row::of(sequence, sequence).bytes(event.key.0).plain(event.principal.0);
        keys.push(row.bytes(event.fingerprint.0));
    }
    if !event.entries.is_empty() {
        outbox.push(Row::of(sequence, sequence).plain(kind));
    }
    if let (Body::AccountOpened(opening), Some(id)) = (&event.body, event.subject()) {
        let row = Row::of(sequence, id.0).bytes(opening.number.as_bytes());
        let row = row.bytes(Digest::of_number(&opening.number).0).bytes(opening.name.as_bytes());
        let row = row.plain(opening.account_type as u8).plain(opening.currency.numeric());
        accounts.push(row.plain(opening.owner.0));
    }
}

fn transaction(event: &Event) -> Row {
    let Body::Posted { kind, hold, reverses } = &event.body else {
        unreachable!("asked of transactions only")
    };
    let note = event.note.as_deref();
    let reference = note.and_then(|note| note.reference.as_deref());
    let posted = 2;
    Row::of(event.sequence.0, event.sequence.0)
        .plain(*kind as u8)
        .plain(posted)
        .plain(event.posted().count())
        .plain(event.booking)
        .plain(event.value)
        .plain(event.time)
        .plain(event.principal.0)
        .plain(event.actor.0)
        .plain(event.origin.0)
        .maybe(hold.map(|hold| hold.0))
        .maybe(reverses.as_ref().map(|(original, _)| original.0))
        .maybe_bytes(reference)
        .maybe_bytes(reference.map(|reference| Digest::of_reference(reference).0))
        .maybe_bytes(note.and_then(|note| note.description.as_deref()))
}

/// The accounts that an event touches and posts nothing on, in their order.
fn touched(event: &Event) -> Vec<Row> {
    let posted = |id| event.posted().any(|entry| entry.account == id);
    let mut only: Vec<_> = event.entries.iter().filter(|entry| !posted(entry.account)).collect();
    only.sort_by_key(|entry| entry.account);
    only.dedup_by_key(|entry| entry.account);
    only.iter().map(|entry| Row::of(event.sequence.0, entry.account.0).plain(entry.version)).collect()
}

/// What accounts are now.
pub(super) static ACCOUNTS: Shape =
    Shape { check: "table_accounts", table: "accounts", by: "id", and: "id", columns: &[("status", Kind)] };

/// What they hold now.
pub(super) static BALANCES: Shape = Shape {
    check: "table_account_balances",
    table: "account_balances",
    by: "account_id",
    and: "account_id",
    columns: &[
        ("normal_side", Kind),
        ("debits_posted", Plain),
        ("credits_posted", Plain),
        ("debits_held", Plain),
        ("credits_held", Plain),
        ("debits_released", Plain),
        ("credits_released", Plain),
        ("overdraft_limit", Plain),
        ("version", Plain),
        ("last_sequence", Plain),
    ],
};

/// Everyone's number.
pub(super) static NAMES: Shape = Shape {
    check: "table_names",
    table: "names",
    by: "id",
    and: "id",
    columns: &[("kind", Kind), ("name", Bytes)],
};

/// The one row that stands for everything.
pub(super) static HEAD: Shape = Shape {
    check: "table_ledger_head",
    table: "ledger_head",
    by: "id",
    and: "id",
    columns: &[
        ("bank_id", Bytes),
        ("timeline", Plain),
        ("hash", Bytes),
        ("time_us", Plain),
        ("accounts", Plain),
        ("names", Plain),
        ("open_day", Plain),
        ("newest_day", Plain),
    ],
};

/// The currencies that this program knows.
pub(super) static CURRENCIES: Shape = Shape {
    check: "table_currencies",
    table: "currencies",
    by: "numeric_code",
    and: "numeric_code",
    columns: &[("code", Bytes), ("exponent", Plain)],
};
