//! `docs/event-format.md` says what the code does.

use super::*;
use crate::codec::decode::may_have;

/// The cells of each row of the table under this heading.
fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let page = include_str!("../../../../../docs/event-format.md");
    let section = page.split_once(&format!("\n## {heading}\n")).expect("the heading").1;
    let rows =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2).map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

fn numbers(cell: &str) -> Vec<u8> {
    cell.split([',', ' ']).filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn the_page_lays_fields_end_to_end() {
    for (heading, end) in [("Header", HEADER), ("Entry", ENTRY)] {
        let mut at = 0;
        for row in table(heading) {
            assert_eq!(row[0].parse(), Ok(at), "{heading}: {row:?}");
            at += row[1].parse::<usize>().unwrap();
        }
        assert_eq!(at, end, "{heading}");
    }
}

#[test]
fn the_page_says_which_kinds_have_which_fields() {
    let rows = table("Rare fields");
    for tag in 0..=255 {
        let row = rows.iter().find(|row| row[0].parse() == Ok(tag));
        for kind in 1..=11 {
            let told = row.is_some_and(|row| row[1] == "all" || numbers(row[1]).contains(&kind));
            assert_eq!(told, may_have(kind, tag), "kind {kind}, tag {tag}");
        }
    }
    let kinds = table("Kinds");
    assert_eq!(kinds.len(), 11);
    for row in kinds {
        let kind = row[0].parse().unwrap();
        let mut own = numbers(row[3]);
        own.sort_unstable();
        let expected: Vec<u8> = (16..=255).filter(|tag| may_have(kind, *tag)).collect();
        assert_eq!(own, expected, "kind {kind}");
    }
}

#[test]
fn the_page_shows_a_pinned_record() {
    let page = include_str!("../../../../../docs/event-format.md");
    let example = page.rsplit("```").nth(1).expect("the example").trim();
    let pinned = include_str!("records.hex");
    assert!(pinned.starts_with(&format!("# a transfer\n{example}\n")));
}
