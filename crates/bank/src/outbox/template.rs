//! The text of a notification: a subscriber's template, filled in from an event.
//!
//! ```text
//!  "{% if credit %}Received{% else %}Paid{% endif %} {{ amount }} {{ currency }}, account {{ account }}"
//! ```
//! A template comes from outside, so what it may hold is a list and not a ban: text, names, texts in quotes, `if`,
//! `and`, `or`, `not`, `==` and `!=`. There is nothing to repeat, to call or to build up, so filling one in takes no
//! longer than reading it, and a name that is not known is told when the template is registered, not when it is sent.

use std::collections::BTreeMap;

use minijinja::machinery::ast::{BinOpKind, CompareOpKind, Expr, Stmt, UnaryOpKind};
use minijinja::machinery::{WhitespaceConfig, parse};
use minijinja::{AutoEscape, Environment};
use serde::Serialize;

/// Longest template, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 2_000;

/// Longest text of a notification, in characters; a longer one is cut and ends with `…`.
pub const TEXT_MAX: usize = 1_000;

/// Each step of filling in costs one: far more than a template of the greatest length has.
const FUEL: u64 = 10_000;

/// Templates by kind of event.
pub type Templates = BTreeMap<&'static str, String>;

/// What a template can say of an event. What is not known, or may not be seen, is empty.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct About {
    /// The kind of the event.
    pub kind: String,
    /// When it was decided.
    pub time: String,
    /// The accounting day.
    pub booking_date: String,
    /// deposit, withdrawal, transfer, …; for posted.
    pub transaction: String,
    /// How much, in major units.
    pub amount: String,
    /// The account's currency.
    pub currency: String,
    /// The account was debited.
    pub debit: bool,
    /// The account was credited.
    pub credit: bool,
    /// The account's number but for its last four characters.
    pub account: String,
    /// The account's ledger balance afterwards.
    pub balance: String,
    /// The caller's business name for it.
    pub reference: String,
    /// Free text.
    pub description: String,
}

impl About {
    /// Of an event that never was, for trying a template out.
    #[must_use]
    pub fn example(kind: &str, time: &str) -> About {
        let text = str::to_owned;
        About {
            kind: text(kind),
            time: text(time),
            booking_date: time.get(..10).unwrap_or_default().to_owned(),
            transaction: text("transfer"),
            amount: text("2000.00"),
            currency: text("BDT"),
            debit: true,
            credit: false,
            account: masked("BC0000000101"),
            balance: text("3000.00"),
            reference: text("INV-7"),
            description: text("Rent"),
        }
    }
}

/// The names that a template may use.
const NAMES: [&str; 12] = [
    "account",
    "amount",
    "balance",
    "booking_date",
    "credit",
    "currency",
    "debit",
    "description",
    "kind",
    "reference",
    "time",
    "transaction",
];

/// Why a template is none.
///
/// # Errors
/// In words, for whoever wrote it.
pub fn check(template: &str) -> Result<(), String> {
    if template.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    if template.len() > TEMPLATE_BYTES_MAX {
        return Err(format!("it has {} bytes; at most {TEMPLATE_BYTES_MAX} are possible", template.len()));
    }
    let parsed = parse(template, "template", Default::default(), WhitespaceConfig::default());
    statement(&parsed.map_err(|error| plain(&error))?)
}

fn statement(statement: &Stmt<'_>) -> Result<(), String> {
    let all = |statements: &[Stmt<'_>]| statements.iter().try_for_each(self::statement);
    match statement {
        Stmt::Template(template) => all(&template.children),
        Stmt::EmitRaw(_) => Ok(()),
        Stmt::EmitExpr(emit) => expression(&emit.expr),
        Stmt::IfCond(cond) => {
            expression(&cond.expr)?;
            all(&cond.true_body)?;
            all(&cond.false_body)
        }
        _ => Err("of the statements only if, elif, else and endif are possible".to_owned()),
    }
}

fn expression(expression: &Expr<'_>) -> Result<(), String> {
    let both =
        |left: &Expr<'_>, right: &Expr<'_>| self::expression(left).and_then(|()| self::expression(right));
    match expression {
        Expr::Var(var) if NAMES.contains(&var.id) => Ok(()),
        Expr::Var(var) => Err(format!("there is no {:.40}; there are {}", var.id, NAMES.join(", "))),
        Expr::Const(_) => Ok(()),
        Expr::UnaryOp(not) if matches!(not.op, UnaryOpKind::Not) => self::expression(&not.expr),
        Expr::BinOp(op) if is_plain(op.op) => both(&op.left, &op.right),
        Expr::Compare(compare) => {
            let equal = |op: CompareOpKind| matches!(op, CompareOpKind::Eq | CompareOpKind::Ne);
            if !compare.ops.iter().all(|op| equal(op.op)) {
                return Err(limits());
            }
            self::expression(&compare.expr)?;
            compare.ops.iter().try_for_each(|op| self::expression(&op.expr))
        }
        _ => Err(limits()),
    }
}

fn is_plain(op: BinOpKind) -> bool {
    matches!(op, BinOpKind::Eq | BinOpKind::Ne | BinOpKind::ScAnd | BinOpKind::ScOr)
}

fn limits() -> String {
    "it can hold names, texts in quotes, if, and, or, not, == and !=, and nothing else".to_owned()
}

/// The text that a template makes; none if it is none, which was found out when it was registered.
#[must_use]
pub fn fill(template: &str, about: &About) -> Option<String> {
    // A row may have been written by hand since.
    check(template).ok()?;
    let mut environment = Environment::empty();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    let filled = environment.render_str(template, about).ok()?;
    let text = filled.trim();
    if text.chars().count() <= TEXT_MAX {
        return Some(text.to_owned());
    }
    Some(text.chars().take(TEXT_MAX - 1).chain(['…']).collect())
}

/// All but the last four characters of an account's number; a number of so few is hidden but for its last.
#[must_use]
pub fn masked(number: &str) -> String {
    let count = number.chars().count();
    let shown = if count > 4 { 4 } else { 1 };
    let tail: String = number.chars().skip(count - shown.min(count)).collect();
    format!("…{tail}")
}

/// The error on one line, with the line of the template.
fn plain(error: &minijinja::Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("line {line}: {what}"),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid() -> About {
        About {
            kind: "posted".into(),
            amount: "2000.00".into(),
            currency: "BDT".into(),
            debit: true,
            account: masked("BC0000000010"),
            balance: "3000.00".into(),
            transaction: "transfer".into(),
            ..About::default()
        }
    }

    #[test]
    fn a_template_is_filled_in_from_the_event() {
        let template = "{% if credit %}Received{% elif transaction == 'transfer' %}Sent{% else %}Paid{% endif %} \
                        {{ amount }} {{ currency }}, account {{ account }}\
                        {% if balance %}, {{ balance }} left{% endif %}.";
        check(template).unwrap();
        assert_eq!(fill(template, &paid()).unwrap(), "Sent 2000.00 BDT, account …0010, 3000.00 left.");
        let unseen = About { balance: String::new(), credit: true, ..paid() };
        assert_eq!(fill(template, &unseen).unwrap(), "Received 2000.00 BDT, account …0010.");
    }

    #[test]
    fn every_name_is_one_that_is_filled_in() {
        let fields = serde_json::to_value(About::default()).unwrap();
        let mut fields: Vec<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, NAMES);
    }

    /// What others wrote stays text: nothing in it is filled in again, and nothing is changed for HTML.
    #[test]
    fn what_an_event_says_is_only_text() {
        let about = About { description: "{{ balance }} <b>&".into(), ..paid() };
        assert_eq!(fill("{{ description }}", &about).unwrap(), "{{ balance }} <b>&");
    }

    #[test]
    fn what_is_no_template_is_told_with_the_place_or_the_name() {
        for (template, why) in [
            ("", "empty"),
            ("  ", "empty"),
            ("{{ amuont }}", "there is no amuont"),
            ("{% if false %}{{ secret }}{% endif %}", "there is no secret"),
            ("one\n{{ amount", "line 2"),
            ("{% if amount %}", "line 1"),
            ("{% for x in amount %}{% endfor %}", "only if"),
            ("{% set x = amount %}", "only if"),
            ("{% with x = 1 %}{% endwith %}", "only if"),
            ("{{ 'x' * 1000000000 }}", "nothing else"),
            ("{{ amount ~ amount }}", "nothing else"),
            ("{{ amount | upper }}", "nothing else"),
            ("{{ amount() }}", "nothing else"),
            ("{{ amount[0] }}", "nothing else"),
            ("{{ amount.x }}", "nothing else"),
            ("{{ -amount }}", "nothing else"),
            ("{{ amount < '5' }}", "nothing else"),
            ("{{ [1, 2] }}", "nothing else"),
        ] {
            let told = check(template).expect_err(template);
            assert!(told.contains(why), "{template}: {told}");
            assert_eq!(fill(template, &paid()), None, "{template}");
        }
    }

    #[test]
    fn length_is_bounded_on_both_ends() {
        let longest = "x".repeat(TEMPLATE_BYTES_MAX);
        check(&longest).unwrap();
        assert!(check(&format!("{longest}x")).is_err());
        let text = fill(&longest, &paid()).unwrap();
        assert_eq!(text.chars().count(), TEXT_MAX);
        assert!(text.ends_with('…'));
        let exact = fill(&"x".repeat(TEXT_MAX), &paid()).unwrap();
        assert_eq!((exact.len(), exact.ends_with('x')), (TEXT_MAX, true));
        // The longest text that an event can hold, as often as a template can name it.
        let about = About { description: "ä".repeat(256), ..paid() };
        let dense = "{{description}}".repeat(TEMPLATE_BYTES_MAX / "{{description}}".len());
        assert_eq!(fill(&dense, &about).unwrap().chars().count(), TEXT_MAX);
    }

    #[test]
    fn nested_deeply_is_refused_or_filled_in_and_never_a_fault() {
        for (open, close) in [("{% if debit %}", "{% endif %}"), ("{{ (", ") }}"), ("{{ not ", "debit }}")] {
            let times = TEMPLATE_BYTES_MAX / (open.len() + close.len());
            let template = format!("{}{}", open.repeat(times), close.repeat(times));
            let _ = check(&template);
            let _ = fill(&template, &paid());
        }
        let parens = format!("{{{{ {}debit{} }}}}", "(".repeat(900), ")".repeat(900));
        let _ = check(&parens);
        let nots = format!("{{{{ {}debit }}}}", "not ".repeat(450));
        let _ = fill(&nots, &paid());
    }

    #[test]
    fn a_number_shows_its_last_four_characters() {
        for (number, shown) in
            [("BC0000000010", "…0010"), ("12345", "…2345"), ("1234", "…4"), ("7", "…7"), ("", "…")]
        {
            assert_eq!(masked(number), shown);
        }
    }
}
