//! Pages that come from the code: what they say is what the code says, or the test fails.

use std::fmt::Write as _;
use std::path::Path;

use ledger::refusal::{Class, Figure};
use ledger::{Code, limits};

/// Compares the part of `docs/rules.md` between the two marks with `text`; with `BLESS=1`, writes it.
fn compare(part: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let (from, to) = (format!("<!-- {part}:"), format!("<!-- end of {part} -->"));
    let start =
        page.find(&from).and_then(|at| Some(at + page[at..].find("-->\n")? + 4)).expect("a first mark");
    let end = page.find(&to).expect("a last mark");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, format!("{}{text}{}", &page[..start], &page[end..])).expect("written");
        return;
    }
    assert!(
        page[start..end] == *text,
        "docs/rules.md is behind the code; write it anew with BLESS=1 cargo test -p ledger --test pages"
    );
}

#[test]
fn the_page_has_what_the_code_has() {
    compare("limits", &limits_table());
    compare("refusals", &refusals_table());
}

fn limits_table() -> String {
    let rows: &[(&str, String)] = &[
        ("entries of a transaction", limits::ENTRIES_MAX.to_string()),
        ("members of an atomic group", limits::GROUP_MAX.to_string()),
        ("bytes of a reference", limits::REFERENCE_BYTES_MAX.to_string()),
        ("bytes of a description", limits::DESCRIPTION_BYTES_MAX.to_string()),
        ("bytes of a name", limits::NAME_BYTES_MAX.to_string()),
        ("bytes of an account number", limits::NUMBER_BYTES_MAX.to_string()),
        ("numbers that the bank makes begin with", limits::MADE_NUMBER_PREFIX.into()),
        ("bytes of an idempotency key", limits::KEY_BYTES_MAX.to_string()),
        ("days of a value date before the booking date", limits::VALUE_DATE_BACK_DAYS.to_string()),
        ("days of a value date after the booking date", limits::VALUE_DATE_AHEAD_DAYS.to_string()),
        ("days of a hold", days(limits::HOLD_LIFE_MAX_US)),
        ("days of a hold that names no time", days(limits::HOLD_LIFE_DEFAULT_US)),
        ("amount or balance, minor units", limits::AMOUNT_MAX.to_string()),
    ];
    let mut text = String::from("| Limit | |\n|---|---|\n");
    for (what, value) in rows {
        writeln!(text, "| {what} | {value} |").expect("a string takes everything");
    }
    text
}

fn days(micros: i64) -> String {
    (micros / 86_400_000_000).to_string()
}

fn refusals_table() -> String {
    let mut text = String::from(
        "| Code | No. | Kind | Recorded | Rule | Figures | What to do |\n|---|---|---|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let (kind, recorded) = match code.class() {
            Class::Request => ("request", "no"),
            Class::Missing => ("missing", "no"),
            Class::Books => ("books", "yes"),
            Class::Version => ("version", "no"),
        };
        assert_eq!(ledger::Refusal::new(*code).is_recorded(), recorded == "yes");
        let figures: Vec<_> = code.figures().into_iter().filter_map(figure).collect();
        let number = *code as u16;
        writeln!(
            text,
            "| `{}` | {number} | {kind} | {recorded} | {} | {} | {} |",
            code.name(),
            code.rule(),
            figures.join(", "),
            code.remedy()
        )
        .expect("a string takes everything");
    }
    text
}

fn figure(figure: Figure) -> Option<String> {
    match figure {
        Figure::Amount(name) => Some(format!("`{name}` (amount)")),
        Figure::Number(name) => Some(format!("`{name}`")),
        Figure::Day(name) => Some(format!("`{name}` (day)")),
        Figure::None => None,
    }
}
