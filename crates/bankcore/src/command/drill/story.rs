//! The timeline of a scenario: who did or saw what, and when; told while it happens.

use std::time::{Duration, Instant};

use super::report::terminal::Terminal;

/// Who did it, or saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Who {
    Drill,
    Customer,
    Teller,
    Middleware,
    Operator,
    Service,
    Partner,
    Wallet,
}

impl Who {
    pub(super) fn name(self) -> &'static str {
        match self {
            Who::Drill => "drill",
            Who::Customer => "customer",
            Who::Teller => "teller",
            Who::Middleware => "middleware",
            Who::Operator => "operator",
            Who::Service => "service",
            Who::Partner => "partner",
            Who::Wallet => "wallet",
        }
    }
}

/// What kind of line it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// It went on.
    Went,
    /// It broke, on purpose.
    Broke,
    /// It should not be.
    Wrong,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Went => "went",
            Kind::Broke => "broke",
            Kind::Wrong => "wrong",
        }
    }
}

/// One line of a timeline.
pub(super) struct Line {
    /// Since the scenario began.
    pub(super) at: Duration,
    pub(super) who: Who,
    pub(super) kind: Kind,
    pub(super) what: String,
}

/// A timeline while it grows.
pub(super) struct Story {
    began: Instant,
    lines: Vec<Line>,
    voice: Option<Terminal>,
}

impl Story {
    /// Begins now; told aloud if somebody watches.
    pub(super) fn new(voice: Option<Terminal>) -> Story {
        Story { began: Instant::now(), lines: Vec::new(), voice }
    }

    /// A line more.
    pub(super) async fn tell(&mut self, who: Who, kind: Kind, what: impl Into<String>) {
        let line = Line { at: self.began.elapsed(), who, kind, what: what.into() };
        if let Some(voice) = self.voice {
            voice.line(&line).await;
        }
        self.lines.push(line);
    }

    /// For how long it has gone on.
    pub(super) fn took(&self) -> Duration {
        self.began.elapsed()
    }

    /// All of it.
    pub(super) fn into_lines(self) -> Vec<Line> {
        self.lines
    }
}
