//! Machines as tables: a line is `before | what was seen | after ! trouble`; `=` is no change.

use super::saga::{Saga, State};

/// A line of a table.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) before: &'a str,
    pub(super) saw: &'a str,
    after: &'a str,
    trouble: &'a str,
}

/// The lines of a table.
pub(super) fn lines(table: &str) -> impl Iterator<Item = Line<'_>> {
    table.lines().map(str::trim).filter(|line| !line.is_empty()).map(|text| {
        let [before, saw, after] = text.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("{text}")
        };
        let (after, trouble) = after.split_once('!').unwrap_or((after, ""));
        Line { text, before, saw, after: after.trim(), trouble: trouble.trim() }
    })
}

impl Line<'_> {
    /// The line says what came of it; `read` reads a state.
    #[track_caller]
    pub(super) fn expects<S: Copy + PartialEq + std::fmt::Debug>(
        &self,
        (state, trouble): (S, Option<impl std::fmt::Debug>),
        before: S,
        read: impl Fn(&str) -> S,
    ) {
        let expected = if self.after == "=" { before } else { read(self.after) };
        assert_eq!(state, expected, "{}", self.text);
        let told = trouble.map(|trouble| format!("{trouble:?}")).unwrap_or_default();
        assert_eq!(told, self.trouble, "{}", self.text);
    }
}

/// The state of a text, after each of the words behind it was handed over: `flag`, or `name=value`.
pub(super) fn words<'a>(text: &'a str, mut each: impl FnMut(&'a str, Option<&'a str>)) -> &'a str {
    let mut words = text.split_whitespace();
    let state = words.next().unwrap_or_else(|| panic!("no state in {text:?}"));
    for word in words {
        match word.split_once('=') {
            Some((name, value)) => each(name, Some(value)),
            None => each(word, None),
        }
    }
    state
}

/// A saga: `submitted try=2 held`.
pub(super) fn saga(text: &str) -> Saga {
    let mut saga = Saga::NEW;
    let state = words(text, |name, value| match (name, value) {
        ("try", Some(n)) => saga.tries = n.parse().unwrap(),
        ("attempt", Some(n)) => saga.attempt = n.parse().unwrap(),
        ("held", None) => saga.held = true,
        ("cancel", None) => saga.cancel = true,
        ("booked", None) => saga.booked = true,
        _ => panic!("{name} in {text:?}"),
    });
    Saga { state: State::named(state).unwrap_or_else(|| panic!("{state}")), ..saga }
}
