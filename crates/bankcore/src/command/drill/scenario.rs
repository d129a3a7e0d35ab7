//! A scenario: its name, what it breaks, what it needs, and how it is played.

use futures::future::LocalBoxFuture;

use super::scene::Scene;

/// One way in which a transfer fails.
pub(super) struct Scenario {
    /// What it is called on the command line.
    pub(super) name: &'static str,
    /// In a few words.
    pub(super) title: &'static str,
    /// What goes wrong elsewhere when this happens.
    pub(super) fear: &'static str,
    /// What there must be to play it.
    pub(super) needs: &'static [Need],
    /// Plays it.
    pub(super) play: Play,
}

/// Plays a scenario. An error is something that should not be: told, and the scenario has failed.
pub(super) type Play = for<'a, 's> fn(&'a mut Scene<'s>) -> LocalBoxFuture<'a, anyhow::Result<Ended>>;

/// What a scenario needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Need {
    /// A service that may be killed.
    Kill,
    /// A rail with the drill's partner at its other end.
    Rail,
    /// A connection that can be cut: plain HTTP.
    Cut,
    /// A service on this machine, which reaches an endpoint of the drill.
    Near,
}

/// How a scenario ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// The money moved, once.
    Posted,
    /// Nothing moved, or only what the account could bear.
    Refused,
    /// Paid at the other institution, once.
    Settled,
    /// The customer has the money back.
    Reversed,
    /// The message arrived and counted once.
    Delivered,
    /// A person decided.
    Case,
    /// It could not be played here.
    NotPlayed,
    /// It did not end as it should.
    Failed,
}

impl Outcome {
    /// The word in JSON and in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Outcome::Posted => "posted",
            Outcome::Refused => "refused",
            Outcome::Settled => "settled",
            Outcome::Reversed => "reversed",
            Outcome::Delivered => "delivered",
            Outcome::Case => "case",
            Outcome::NotPlayed => "not_played",
            Outcome::Failed => "failed",
        }
    }
}

/// How it ended, and where the money should be then.
pub(super) struct Ended {
    /// The outcome.
    pub(super) outcome: Outcome,
    /// In one sentence, from what was seen.
    pub(super) how: String,
    /// By how much each account should have changed, on its normal side, minor units; all others not at all.
    pub(super) moved: Vec<(String, i64)>,
}

impl Ended {
    pub(super) fn new(outcome: Outcome, how: impl Into<String>) -> Ended {
        Ended { outcome, how: how.into(), moved: Vec::new() }
    }

    /// It could not be played here, and why.
    pub(super) fn not_played(why: impl Into<String>) -> Ended {
        Ended::new(Outcome::NotPlayed, why)
    }

    /// An account should have changed by so much on its normal side.
    #[must_use]
    pub(super) fn moved(mut self, account: &str, minor: i64) -> Ended {
        self.moved.push((account.to_owned(), minor));
        self
    }
}
