//! The drill for a program.

use serde_json::{Value, json};

use super::Report;
use crate::command::drill::count::{Count, Total, plain};
use crate::command::drill::play::Played;

pub(super) fn document(report: &Report) -> Value {
    json!({
        "ok": report.ok(),
        "place": report.place,
        "scenarios": report.played.iter().map(scenario).collect::<Vec<_>>(),
        "balanced": report.balanced,
        "totals": totals(&report.totals),
        "verified": report.verified.as_ref().map(|report| json!({
            "ok": report.ok(), "events": report.events, "transactions": report.transactions,
            "accounts": report.accounts, "damage": report.damage.as_ref().map(ToString::to_string),
        })),
        "seconds": report.took.as_secs_f64(),
    })
}

fn scenario(played: &Played) -> Value {
    let timeline: Vec<Value> = played
        .lines
        .iter()
        .map(|line| {
            let at = line.at.as_millis() as u64;
            json!({"at_ms": at, "who": line.who.name(), "kind": line.kind.name(), "what": line.what})
        })
        .collect();
    let count = played.count.as_ref();
    json!({
        "name": played.scenario.name,
        "title": played.scenario.title,
        "outcome": played.outcome.name(),
        "how": played.how,
        "ok": played.ok(),
        "balanced": played.was_played().then(|| played.balanced()),
        "timeline": timeline,
        "accounts": count.map(accounts),
        "totals": count.map(|count| totals(&count.totals)),
        "seconds": played.took.as_secs_f64(),
    })
}

fn accounts(count: &Count) -> Vec<Value> {
    let row = |row: &crate::command::drill::count::Row| {
        json!({
            "id": row.id, "name": row.name, "before": plain(row.before), "after": plain(row.after),
            "debited": plain(row.debit()), "credited": plain(row.credit()),
        })
    };
    count.rows.iter().map(row).collect()
}

fn totals(totals: &[Total]) -> Vec<Value> {
    let total =
        |total: &Total| json!({"currency": total.currency, "debits": total.debits, "credits": total.credits});
    totals.iter().map(total).collect()
}
