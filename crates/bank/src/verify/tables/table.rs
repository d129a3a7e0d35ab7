//! A table that says what events say: its rows of some events beside those that the events call for.

use std::cmp::Ordering;
use std::fmt::Write as _;

use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

use super::super::findings::Tally;
use super::super::report::{Check, Damage};

/// How a column is put into words, by the server and here alike.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// A number, or a date.
    Plain,
    /// An enumeration, as its number.
    Kind,
    /// Bytes and texts, in hexadecimal.
    Bytes,
}

/// What to compare of a table.
pub(super) struct Shape {
    /// The check's name.
    pub(super) check: &'static str,
    pub(super) table: &'static str,
    /// The column by which rows belong to events, or to accounts: pages go along it.
    pub(super) by: &'static str,
    /// With it, the key of a row.
    pub(super) and: &'static str,
    pub(super) columns: &'static [(&'static str, Form)],
}

/// A row: where it belongs, the rest of its key, its columns in words with commas between them.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) by: u64,
    pub(super) and: u64,
    pub(super) words: String,
    /// The event that made it what it is.
    pub(super) event: Option<u64>,
}

/// What there is no value for.
const NONE: &str = "-";

impl Row {
    /// A row of an event.
    pub(super) fn of(event: u64, and: u64) -> Row {
        Row { by: event, and, words: String::new(), event: Some(event) }
    }

    /// Adds a number, an enumeration's number or a date.
    pub(super) fn plain(self, value: impl std::fmt::Display) -> Row {
        self.maybe(Some(value))
    }

    /// The same, or nothing.
    pub(super) fn maybe(mut self, value: Option<impl std::fmt::Display>) -> Row {
        self.comma();
        let _ = match value {
            Some(value) => write!(self.words, "{value}"),
            None => self.words.write_str(NONE),
        };
        self
    }

    /// Adds bytes or a text.
    pub(super) fn bytes(self, value: impl AsRef<[u8]>) -> Row {
        self.maybe_bytes(Some(value))
    }

    /// The same, or nothing.
    pub(super) fn maybe_bytes(mut self, value: Option<impl AsRef<[u8]>>) -> Row {
        self.comma();
        match value {
            Some(value) => value.as_ref().iter().for_each(|byte| _ = write!(self.words, "{byte:02X}")),
            None => self.words.push_str(NONE),
        }
        self
    }

    fn comma(&mut self) {
        if !self.words.is_empty() {
            self.words.push(',');
        }
    }
}

impl Shape {
    /// The question for the rows from `first` to `last`, in order, at most so many.
    pub(super) fn question(&self, first: u64, last: u64, limit: Option<usize>) -> String {
        let mut words = String::new();
        for (column, form) in self.columns {
            let _ = match form {
                Form::Plain => write!(words, ",IFNULL({column},'{NONE}')"),
                Form::Kind => write!(words, ",IFNULL(CAST({column}+0 AS SIGNED),'{NONE}')"),
                Form::Bytes => write!(words, ",IFNULL(HEX({column}),'{NONE}')"),
            };
        }
        let Shape { table, by, and, .. } = self;
        let limit = limit.map(|rows| format!(" LIMIT {rows}")).unwrap_or_default();
        format!(
            "SELECT CAST({by} AS UNSIGNED),CAST({and} AS UNSIGNED),CONCAT_WS(','{words}) FROM {table} \
             WHERE {by} BETWEEN {first} AND {last} ORDER BY {by},{and}{limit}"
        )
    }
}

/// A row as the server gives it.
pub(super) fn read(row: &MySqlRow) -> Result<Row, sqlx::Error> {
    Ok(Row { by: row.try_get(0)?, and: row.try_get(1)?, words: row.try_get(2)?, event: None })
}

/// A table and what was found of it.
pub(super) struct Table {
    pub(super) shape: &'static Shape,
    tally: Tally,
    first: Option<Damage>,
}

impl Table {
    pub(super) fn new(shape: &'static Shape) -> Table {
        Table { shape, tally: Tally::default(), first: None }
    }

    /// Compares rows, both in the order of their keys. `place` is the event of a row that no event calls for.
    pub(super) fn compare(&mut self, expected: &[Row], found: &[Row], place: impl Fn(&Row) -> Option<u64>) {
        let (mut expected, mut found) = (expected.iter().peekable(), found.iter().peekable());
        loop {
            let order = match (expected.peek(), found.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(due), Some(there)) => (due.by, due.and).cmp(&(there.by, there.and)),
            };
            self.tally.checked();
            match order {
                Ordering::Less => {
                    let due = expected.next().expect("peeked");
                    self.wrong(due, due.event, "it is missing".into());
                }
                Ordering::Greater => {
                    let there = found.next().expect("peeked");
                    self.wrong(there, place(there), "nothing in the events calls for it".into());
                }
                Ordering::Equal => {
                    let (due, there) = (expected.next().expect("peeked"), found.next().expect("peeked"));
                    if due.words != there.words {
                        self.wrong(due, due.event, self.difference(due, there));
                    }
                }
            }
        }
    }

    /// The first column in which two rows differ.
    fn difference(&self, due: &Row, there: &Row) -> String {
        let mut columns = self.shape.columns.iter().zip(due.words.split(',').zip(there.words.split(',')));
        let Some(((column, form), (due, there))) = columns.find(|(_, (due, there))| due != there) else {
            return format!("its columns are {}, the events say {}", there.words, due.words);
        };
        let said = |words: &str| match form {
            Form::Plain | Form::Kind => words.to_owned(),
            Form::Bytes => text(words).unwrap_or_else(|| words.to_owned()),
        };
        format!("{column} is {}, the events say {}", said(there), said(due))
    }

    fn wrong(&mut self, row: &Row, sequence: Option<u64>, what: String) {
        let Shape { table, by, and, .. } = self.shape;
        let key = if by == and {
            format!("{by} {}", row.by)
        } else {
            format!("{by} {}, {and} {}", row.by, row.and)
        };
        self.tally.wrong(sequence, format!("{key}: {what}"));
        let earlier = |known: &Damage| sequence.unwrap_or(u64::MAX) < known.sequence.unwrap_or(u64::MAX);
        if self.first.as_ref().is_none_or(earlier) {
            self.first = Some(Damage { table: Some(table), row: Some(key), ..Damage::new(sequence, what) });
        }
    }

    pub(super) fn into_parts(self) -> (Check, Option<Damage>) {
        (self.tally.into_check(self.shape.check), self.first)
    }
}

/// Hexadecimal digits as a text, if they are one that can be printed.
fn text(digits: &str) -> Option<String> {
    let pairs = (0..digits.len()).step_by(2);
    let bytes: Option<Vec<u8>> =
        pairs.map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect();
    let text = String::from_utf8(bytes?).ok()?;
    text.chars().all(|char| !char.is_control()).then(|| format!("{text:?}"))
}
