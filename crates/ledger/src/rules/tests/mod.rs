//! The rules, as a specification: tables of commands and what comes of them.

use crate::refusal::Code;

mod accounts;
mod days;
mod funds;
mod groups;
mod history;
mod holds;
mod posting;
mod prepared;
mod reversals;
mod table;
mod texts;

use table::{World, check, check_before_the_first_day};

/// Codes that the rules never make, since the question is answered before them or after them.
const MADE_ELSEWHERE: &[Code] = &[
    // The service answers with it when the group's own refusal is told by its member.
    Code::BatchRefused,
    // The original is read before the rules run; what is no transaction never gets here.
    Code::UnknownTransaction,
];

#[test]
fn every_refusal_code_has_a_row() {
    let tables = [
        include_str!("accounts.rs"),
        include_str!("days.rs"),
        include_str!("funds.rs"),
        include_str!("groups.rs"),
        include_str!("holds.rs"),
        include_str!("posting.rs"),
        include_str!("prepared.rs"),
        include_str!("reversals.rs"),
        include_str!("texts.rs"),
    ];
    let rows: Vec<String> = tables
        .iter()
        .map(|table| table.replace("\\\n", " "))
        .flat_map(|table| table.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| !line.trim().starts_with(['#', '/']))
        .filter_map(|line| Some(line.split_once("=> ")?.1.trim().to_owned()))
        .collect();
    for code in Code::ALL {
        // Every row is run by the test around it, so a row that stands there is a row that comes out.
        let row = format!("refused {}", code.name());
        let found = rows.iter().any(|found| {
            found.strip_prefix(&row).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',']))
        });
        assert_eq!(found, !MADE_ELSEWHERE.contains(code), "a row for {}", code.name());
    }
}
