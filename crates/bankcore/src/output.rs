//! What commands print: tables for people, JSON for programs.

use std::io::{ErrorKind, Write as _};

use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};
use serde_json::Value;

/// Prints to stdout and flushes. A reader that has gone away (`| head`) is no error: it has what it wanted.
///
/// # Errors
/// If stdout cannot be written.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{newline}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(anyhow::anyhow!("cannot write to stdout: {error}; check where it leads")),
        Ok(()) => Ok(()),
    }
}

/// Prints a JSON document.
///
/// # Errors
/// As [`print`].
pub fn json(value: &Value) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}

/// A column of a table: its title and the field it shows.
pub type Column = (&'static str, &'static str);

/// Columns of money and counts; they stand to the right.
const RIGHT: [&str; 12] = [
    "Amount",
    "Balance",
    "Available",
    "Held",
    "Entries",
    "Version",
    "Checked",
    "Debits",
    "Credits",
    "Offset",
    "Records",
    "Bytes",
];

/// A table with one row an item.
pub fn rows(items: &[Value], columns: &[Column]) -> Table {
    let mut table = empty(columns.iter().map(|(title, _)| *title));
    for item in items {
        table.add_row(columns.iter().map(|(_, field)| text(item, field)));
    }
    table
}

/// A table with titles and no row yet.
pub fn empty<'a>(titles: impl Iterator<Item = &'a str>) -> Table {
    let titles: Vec<&str> = titles.collect();
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_style(TableComponent::HeaderLines, '─');
    table.set_style(TableComponent::MiddleHeaderIntersections, '─');
    table.set_header(titles.clone());
    for (title, column) in titles.iter().zip(table.column_iter_mut()) {
        if RIGHT.contains(title) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// One item as lines of name and value; fields that it does not have are left out.
pub fn fields(item: &Value, columns: &[Column]) -> String {
    let shown: Vec<(&str, String)> = columns
        .iter()
        .map(|(title, field)| (*title, text(item, field)))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    pairs(&shown)
}

/// Lines of name and value.
pub fn pairs(shown: &[(&str, String)]) -> String {
    let width = shown.iter().map(|(title, _)| title.chars().count()).max().unwrap_or(0);
    shown.iter().map(|(title, text)| format!("{title:width$}  {text}\n")).collect()
}

/// A field as text: lists with commas, nothing for what is absent.
fn text(item: &Value, field: &str) -> String {
    match item.get(field) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let words = items.iter().map(|item| item.as_str().map_or(item.to_string(), str::to_owned));
            words.collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// Says on stderr that a list goes on.
pub fn note_more(more: bool) {
    if more {
        eprintln!("more follow; see them with a larger --limit");
    }
}

/// A message on one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_fields_leave_no_trace() {
        let account = json!({"id": "7", "owner": null, "accounts": ["1", "2"], "version": 3});
        let columns = [("Id", "id"), ("Owner", "owner"), ("Accounts", "accounts"), ("Version", "version")];
        assert_eq!(fields(&account, &columns), "Id        7\nAccounts  1, 2\nVersion   3\n");
        assert!(rows(&[account], &columns).to_string().contains("1, 2"));
    }
}
