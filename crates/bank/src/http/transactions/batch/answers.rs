//! The results of a batch, written straight into one buffer.

use std::collections::HashMap;
use std::io::Write;

use ledger::event::{Claimed, HoldEnd};
use ledger::refusal::Code;
use ledger::{Body, Digest, Event, Sequence};

use super::Form;
use crate::books::{Books, Decided};
use crate::http::caller::Caller;
use crate::http::problem::Problem;
use crate::http::submit::accepted;
use crate::http::wire::{Hold, Writer};
use crate::sequencer::{Fault, Receipt};

/// Nearly every result is a transfer, and takes about so many bytes.
const RESULT_BYTES: usize = 640;

/// How holds ended, for the refusals that say so; none if nobody knows.
pub(super) type Ends = HashMap<Sequence, Option<Claimed>>;

/// Writes the results of one batch.
pub(super) struct Answers<'a> {
    out: Vec<u8>,
    writer: Writer<'a>,
    books: &'a Books,
    form: Form,
    ends: &'a Ends,
    /// Ended holds of which `ends` does not tell: look them up and write once more.
    wanted: Vec<Sequence>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(
        books: &'a Books,
        caller: &'a Caller,
        form: Form,
        count: usize,
        ends: &'a Ends,
    ) -> Self {
        let mut out = Vec::with_capacity(count * RESULT_BYTES + 16);
        if form == Form::Json {
            out.extend_from_slice(b"{\"results\":[");
        }
        Answers { out, writer: Writer::new(caller), books, form, ends, wanted: Vec::new() }
    }

    /// The whole answer, or the holds that must be looked up first.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Vec<Sequence>> {
        if !self.wanted.is_empty() {
            return Err(self.wanted);
        }
        if self.form == Form::Json {
            if self.out.last() == Some(&b',') {
                self.out.pop();
            }
            self.out.extend_from_slice(b"]}");
        }
        Ok(self.out)
    }

    /// All results of an independent batch: what was decided, and between it what was not. Nothing was if
    /// there is no receipt.
    pub(super) fn all(
        &mut self,
        receipt: Option<&Receipt>,
        fingerprints: &[Digest],
        failed: &[(usize, Problem)],
    ) {
        let mut failed = failed.iter().peekable();
        let decided = fingerprints.iter().enumerate();
        let mut decided =
            receipt.into_iter().flat_map(|receipt| decided.clone().map(move |one| (receipt, one)));
        for position in 0.. {
            if let Some((_, problem)) = failed.next_if(|(at, _)| *at == position) {
                self.problem(problem, false);
            } else if let Some((receipt, (index, fingerprint))) = decided.next() {
                self.one(self.books.decided(receipt, index, *fingerprint));
            } else {
                return;
            }
        }
    }

    fn one(&mut self, decided: Result<Decided, Fault>) {
        let ended = match &decided {
            Ok(Decided::Refused { refusal, .. }) if refusal.code == Code::HoldEnded => {
                Some(Sequence(refusal.figures[0] as u64))
            }
            _ => None,
        };
        let replayed = matches!(&decided, Ok(Decided::Refused { replayed: true, .. }));
        match decided.map_err(Problem::from).and_then(accepted) {
            Ok((event, replayed)) => self.event(&event, replayed),
            Err(problem) => {
                let problem = match ended {
                    Some(hold) => self.with_end(hold, problem),
                    None => problem,
                };
                self.problem(&problem, replayed);
            }
        }
    }

    fn with_end(&mut self, hold: Sequence, problem: Problem) -> Problem {
        let Some(claimed) = self.ends.get(&hold) else {
            self.wanted.push(hold);
            return problem;
        };
        match claimed.and_then(|claimed| Some((claimed.sequence, HoldEnd::from_number(claimed.tag)?))) {
            Some((by, how)) => problem.with("ended", how.name()).with("ended_by", by.to_string()),
            None => problem,
        }
    }

    /// The result of a command that was accepted.
    pub(super) fn event(&mut self, event: &Event, replayed: bool) {
        match &event.body {
            Body::Posted { .. } => {
                self.begin(201, replayed, "transaction");
                self.writer.transaction(&mut self.out, event);
                self.end();
            }
            Body::HoldPlaced { .. } => self.hold(201, event, None, replayed),
            Body::HoldEnded { hold, .. } => match self.books.reads().event(*hold) {
                Ok(Some(placed)) => self.hold(200, &placed, Some(event), replayed),
                Ok(None) => {
                    let fault = Fault::Unreadable(format!("hold {hold} is ended but not there"));
                    self.problem(&fault.into(), replayed);
                }
                Err(fault) => self.problem(&fault.into(), replayed),
            },
            // Two kinds of command never have one fingerprint.
            _ => self.problem(&Problem::key_reused(), false),
        }
    }

    fn hold(&mut self, status: u16, placed: &Event, ended: Option<&Event>, replayed: bool) {
        match Hold::of(placed, ended) {
            Some(hold) => {
                self.begin(status, replayed, "hold");
                self.json(&hold);
                self.end();
            }
            None => self.problem(&Problem::key_reused(), false),
        }
    }

    fn problem(&mut self, problem: &Problem, replayed: bool) {
        problem.answered();
        self.begin(problem.status, replayed, "problem");
        self.json(&problem.as_member());
        self.end();
    }

    fn begin(&mut self, status: u16, replayed: bool, what: &str) {
        let replayed = if replayed { ",\"replayed\":true" } else { "" };
        let _ = write!(self.out, "{{\"status\":{status}{replayed},\"{what}\":");
    }

    /// Into memory, and our own types always have a JSON form.
    fn json(&mut self, value: &impl serde::Serialize) {
        let _ = serde_json::to_writer(&mut self.out, value);
    }

    fn end(&mut self) {
        self.out.extend_from_slice(match self.form {
            Form::Json => b"},",
            Form::Lines { .. } => b"}\n",
        });
    }
}
