//! Books in a database, proved: `verify` accepts what the bank wrote, while it writes on, and names the row, the column
//! and the event of whatever somebody changed by hand. With triggers and CHECKs gone, since they are the first line against it.

mod bank;

use std::sync::mpsc::{TryRecvError, channel};

use bank::{Bank, Saved, verified};

/// One column of one row changed: the table, the row and the column that are to be named, what it is set to, and the
/// event that says otherwise.
const EDITS: &[(&str, &str, &str, &str, Option<u64>)] = &[
    ("events", "sequence=8", "kind", "6", Some(8)),
    ("events", "sequence=8", "variant", "9", Some(8)),
    ("events", "sequence=8", "record", "CONCAT(LEFT(record,40),'x',SUBSTRING(record,42))", Some(8)),
    ("events", "sequence=8", "record", "LEFT(record,90)", Some(8)),
    ("events", "sequence=8", "record", "''", Some(8)),
    ("transactions", "id=8", "transaction_type", "3", Some(8)),
    ("transactions", "id=8", "status", "1", Some(8)),
    ("transactions", "id=8", "entry_count", "3", Some(8)),
    ("transactions", "id=8", "booking_date", "'2030-01-01'", Some(8)),
    ("transactions", "id=8", "value_date", "'2030-01-01'", Some(8)),
    ("transactions", "id=8", "time_us", "1", Some(8)),
    ("transactions", "id=8", "principal_id", "2", Some(8)),
    ("transactions", "id=8", "actor_id", "2", Some(8)),
    ("transactions", "id=8", "origin_id", "2", Some(8)),
    ("transactions", "id=8", "hold_id", "8", Some(8)),
    ("transactions", "id=8", "original_id", "8", Some(8)),
    ("transactions", "id=8", "reference", "'INV-8'", Some(8)),
    ("transactions", "id=8", "reference", "'inv-7'", Some(8)),
    ("transactions", "id=8", "reference", "NULL", Some(8)),
    ("transactions", "id=8", "reference_digest", "REPEAT('x',16)", Some(8)),
    ("transactions", "id=8", "description", "'a gift'", Some(8)),
    ("transactions", "id=8", "description", "NULL", Some(8)),
    ("ledger_entries", "transaction_id=8 AND position=1", "account_id", "3", Some(8)),
    ("ledger_entries", "transaction_id=8 AND position=1", "version", "9", Some(8)),
    ("ledger_entries", "transaction_id=8 AND position=1", "entry_type", "1", Some(8)),
    ("ledger_entries", "transaction_id=8 AND position=1", "amount", "1001", Some(8)),
    ("ledger_entries", "transaction_id=8 AND position=1", "currency", "840", Some(8)),
    ("ledger_entries", "transaction_id=8 AND position=1", "balance_after", "1001", Some(8)),
    ("account_events", "account_id=2 AND version=1", "version", "99", Some(6)),
    ("account_events", "account_id=2 AND version=1", "sequence", "5", Some(5)),
    ("holds", "id=10", "account_id", "3", Some(10)),
    ("holds", "id=10", "receiver_id", "3", Some(10)),
    ("holds", "id=10", "side", "2", Some(10)),
    ("holds", "id=10", "amount", "1", Some(10)),
    ("holds", "id=10", "currency", "840", Some(10)),
    ("holds", "id=10", "expires_us", "1", Some(10)),
    ("holds", "id=10", "end_digest", "REPEAT('x',16)", Some(10)),
    ("holds", "id=10", "ended_by", "8", Some(8)),
    ("holds", "id=10", "ended_how", "2", Some(11)),
    ("idempotency_keys", "sequence=8", "digest", "REPEAT('x',16)", Some(8)),
    ("idempotency_keys", "sequence=8", "sequence", "9", Some(8)),
    ("idempotency_keys", "sequence=8", "principal_id", "2", Some(8)),
    ("idempotency_keys", "sequence=8", "fingerprint", "REPEAT('x',16)", Some(8)),
    ("outbox", "sequence=8", "kind", "9", Some(8)),
    ("outbox", "sequence=8", "sequence", "4", Some(4)),
    ("accounts", "id=2", "number", "'007'", Some(6)),
    ("accounts", "id=2", "number_digest", "REPEAT('x',16)", Some(6)),
    ("accounts", "id=2", "name", "'Alice'", Some(6)),
    ("accounts", "id=2", "account_type", "3", Some(6)),
    ("accounts", "id=2", "currency", "840", Some(6)),
    ("accounts", "id=2", "owner_id", "2", Some(6)),
    ("accounts", "id=2", "opened_by", "5", Some(5)),
    ("accounts", "id=3", "status", "4", Some(15)),
    ("account_balances", "account_id=3", "normal_side", "1", Some(15)),
    ("account_balances", "account_id=3", "debits_posted", "debits_posted+1", Some(15)),
    ("account_balances", "account_id=3", "credits_posted", "credits_posted+1", Some(15)),
    ("account_balances", "account_id=3", "debits_held", "debits_held+1", Some(15)),
    ("account_balances", "account_id=3", "credits_held", "credits_held+1", Some(15)),
    ("account_balances", "account_id=3", "debits_released", "debits_released+1", Some(15)),
    ("account_balances", "account_id=3", "credits_released", "credits_released+1", Some(15)),
    ("account_balances", "account_id=3", "overdraft_limit", "1000000", Some(15)),
    ("account_balances", "account_id=3", "version", "version+1", Some(15)),
    ("account_balances", "account_id=3", "last_sequence", "8", Some(15)),
    ("names", "id=1", "kind", "2", None),
    ("names", "id=1", "name", "'Teller'", None),
    ("ledger_head", "id=1", "hash", "REPEAT('x',32)", Some(18)),
    ("ledger_head", "id=1", "time_us", "time_us+1", Some(18)),
    ("ledger_head", "id=1", "accounts", "accounts+1", Some(18)),
    ("ledger_head", "id=1", "names", "names+1", Some(18)),
    ("ledger_head", "id=1", "open_day", "NULL", Some(18)),
    ("ledger_head", "id=1", "newest_day", "'2030-01-01'", Some(18)),
    ("currencies", "numeric_code=50", "exponent", "0", None),
];

/// A whole row taken out.
const GONE: &[(&str, &str, Option<u64>)] = &[
    ("events", "sequence=9", Some(9)),
    ("events", "sequence=18", Some(18)),
    ("transactions", "id=8", Some(8)),
    ("ledger_entries", "transaction_id=8 AND position=0", Some(8)),
    ("account_events", "account_id=2 AND version=1", Some(6)),
    ("holds", "id=10", Some(10)),
    ("idempotency_keys", "sequence=8", Some(8)),
    ("outbox", "sequence=8", Some(8)),
    ("names", "id=2", None),
];

#[test]
fn what_the_bank_wrote_is_accepted() {
    let bank = Bank::open();
    let report = bank.verify();
    assert!(report.ok(), "{report:?}");
    assert_eq!((report.events, report.head.sequence, report.accounts), (18, 18, 3));
    let check = |name: &str| report.checks.iter().find(|check| check.name == name).unwrap().checked;
    for check in report
        .checks
        .iter()
        .filter(|check| !["balance_breaks", "database", "payments", "snapshots"].contains(&check.name))
    {
        assert!(check.checked > 0, "{} looked at nothing", check.name);
    }
    assert_eq!((check("chain"), check("table_account_balances"), check("reversals")), (18, 3, 1));
}

#[test]
fn what_the_procedures_wrote_is_accepted() {
    let bank = Bank::open();
    bank.sql("INSERT INTO tellers (banker, drawer_account_id) VALUES ('teller', 1)");
    let calls = "CALL sp_deposit(2, 12.34, 'by hand', 'teller', 'one', @id, @status, @message); SELECT @status; \
                 CALL sp_withdraw(2, 2.34, NULL, 'teller', 'two', @id, @status, @message); SELECT @status;";
    assert_eq!(bank.sql(calls), "COMPLETED\nCOMPLETED\n");
    let report = bank.verify();
    assert!(report.ok() && report.events > 19, "{report:?}");
}

#[test]
fn every_change_by_hand_is_named() {
    let bank = Bank::open();
    bank.drop_guards();
    for (table, row, column, value, sequence) in EDITS {
        let undo = bank.edit(table, row, column, value);
        let damage = bank.verify().damage.unwrap_or_else(|| panic!("{table}.{column} was not noticed"));
        let said = damage.to_string();
        assert_eq!(damage.sequence, *sequence, "{table}.{column}: {said}");
        // An event's own bytes are held against everything: what its row says, and what others say of it.
        if *table == "events" {
            assert!(said.contains("sequence 8") || damage.table == Some("events"), "{said}");
        } else {
            assert_eq!(damage.table, Some(*table), "{column}: {said}");
            let moved = said.contains("missing") || said.contains("nothing in the events calls for it");
            assert!(moved || said.contains(column), "{table}.{column}: {said}");
        }
        bank.sql(&undo);
    }
    let report = bank.verify();
    let damage = report.damage.expect("the triggers are gone");
    assert!(damage.what.contains("trigger"), "all was put back, and only the triggers are missing: {damage}");
}

#[test]
fn a_row_that_was_taken_out_is_named() {
    let bank = Bank::open();
    bank.drop_guards();
    for (table, row, sequence) in GONE {
        let saved = Saved::take(&bank, table, row);
        let damage = bank.verify().damage.unwrap_or_else(|| panic!("{table}, {row} was not missed"));
        assert_eq!((damage.table, damage.sequence), (Some(*table), *sequence), "{row}: {damage}");
        assert!(damage.what.contains("missing"), "{damage}");
        saved.put_back(&bank);
    }
}

/// Rows where no event is: before the first, and beyond the head.
#[test]
fn a_row_that_was_put_in_is_named() {
    let bank = Bank::open();
    bank.drop_guards();
    for sequence in [0, 4, 19, 1_000_000] {
        bank.sql(&format!("INSERT INTO outbox VALUES ({sequence},5)"));
        let damage = bank.verify().damage.expect("it is noticed");
        assert_eq!(damage.row, Some(format!("sequence {sequence}")), "{damage}");
        assert_eq!(damage.sequence, Some(sequence).filter(|at| *at == 4), "{damage}");
        bank.sql(&format!("DELETE FROM outbox WHERE sequence={sequence}"));
    }
    bank.sql("INSERT INTO events SELECT 19,kind,variant,record FROM events WHERE sequence=18");
    let damage = bank.verify().damage.expect("it is noticed");
    assert_eq!((damage.table, damage.row.as_deref()), (Some("events"), Some("sequence 19")), "{damage}");
}

/// Without the key on its digest, one idempotency key could stand twice.
#[test]
fn what_must_be_unique_is_kept_so_by_the_database() {
    let bank = Bank::open();
    bank.sql("ALTER TABLE idempotency_keys DROP PRIMARY KEY");
    let damage = bank.verify().damage.expect("it is noticed");
    assert!(damage.what.contains("idempotency_keys.digest is not unique"), "{damage}");
}

/// All of it is read as of one moment: a row of a later event would be one that nothing calls for.
#[test]
fn the_bank_goes_on_meanwhile() {
    let mut bank = Bank::open();
    let settings = bank.settings();
    let (told, stop) = channel::<()>();
    let verifier = std::thread::spawn(move || {
        let mut heads = Vec::new();
        while stop.try_recv() == Err(TryRecvError::Empty) || heads.is_empty() {
            let report = verified(&settings);
            assert!(report.ok(), "{report:?}");
            heads.push(report.head.sequence);
        }
        heads
    });
    for _ in 0..300 {
        bank.pay(1);
    }
    drop(told);
    let heads = verifier.join().expect("every look was sound");
    assert!(heads.is_sorted() && heads.last() > Some(&18), "{heads:?}");
}

#[test]
fn a_database_without_a_bank_is_told_so() {
    let database = sim::server::MariaDb::shared().migrated();
    let error = bank::try_verify(&database.settings()).expect_err("there is nothing to prove");
    assert!(error.to_string().contains("holds no bank"), "{error}");
}
