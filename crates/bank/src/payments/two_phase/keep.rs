//! Keeps promises: posts what is decided, and asks the coordinator once a deadline is past.

use ledger::command::Movement;
use ledger::{Command, Note};
use uuid::Uuid;

use super::mark::Seen;
use super::participant::{Act, Observation, Step};
use super::promise::Promise;
use super::wire::Question;
use super::{Standing, Verdict};
use crate::database::Actor;
use crate::payments::answered::{EXPOSURE, code_of};
use crate::payments::driver::Came;
use crate::payments::ledger_step::{Done, key};
use crate::payments::rail::http::Asked;
use crate::payments::{PaymentError, Payments, now};

impl Payments {
    /// Does what our books have to do about a promise, as far as it goes now.
    pub(super) async fn keep(&self, id: Uuid) -> Result<(), PaymentError> {
        while let Some(promise) = self.promise(id).await? {
            let Act::Post(step) = promise.keeping.act() else { break };
            if !self.post_promised(&promise, step).await? {
                break;
            }
        }
        Ok(())
    }

    /// Takes a promise as far as it goes now; answers when to try again what could not be done.
    pub(in crate::payments) async fn keep_due(&self, id: Uuid) -> Result<Option<i64>, PaymentError> {
        self.keep(id).await?;
        let Some(promise) = self.promise(id).await? else { return Ok(None) };
        if promise.due_at.is_none_or(|due| due > now()) {
            return Ok(None);
        }
        if promise.keeping.act() != Act::Ask {
            return Ok(Some(now() + crate::payments::driver::PAUSE.as_micros() as i64));
        }
        let came = self.ask_coordinator(&promise).await?;
        self.keep(id).await?;
        Ok(match came {
            Came::On => None,
            Came::Later(at) | Came::RailLater(at) => Some(at),
        })
    }

    /// One step in our books; whether there may be another one now.
    async fn post_promised(&self, promise: &Promise, step: Step) -> Result<bool, PaymentError> {
        let Some(command) = command(promise, step) else {
            tracing::error!(promise = %promise.id, "a promise without a prepared hold was decided");
            return Ok(false);
        };
        let description = promise.content.as_ref().and_then(|content| content.description.as_deref());
        let note = Note {
            reference: Some(promise.reference.as_str().into()),
            description: description.map(Into::into),
            payment: Some(*promise.id.as_bytes()),
            ..Note::default()
        };
        let by = Payments::ourselves();
        let attempt = promise.keeping.attempt;
        match self.submit(command, note, key(promise.id, step.name(), attempt)).await? {
            Done::Posted(event) => {
                let seen = Seen { by: &by, reason: None, event: Some(event), code: None };
                self.mark(promise.id, Observation::Posted(step), &seen).await?;
                Ok(true)
            }
            Done::Refused(_, event, why) => {
                let code = (step == Step::Prepare).then(|| code_of(&why).to_owned());
                let clearing = promise.content.as_ref().map(|content| content.clearing);
                let why = match (code.as_deref(), clearing) {
                    (Some(EXPOSURE), Some(clearing)) => format!(
                        "{why} Raise the overdraft limit of the clearing account {clearing}: it is the exposure to \
                         this bank."
                    ),
                    _ => why,
                };
                tracing::info!(promise = %promise.id, step = step.name(), why, "a step of a promise was refused");
                let seen = Seen { by: &by, reason: Some(&why), event: Some(event), code: code.as_deref() };
                self.mark(promise.id, Observation::Refused { step, attempt }, &seen).await?;
                Ok(false)
            }
            Done::NotNow(why) => {
                tracing::warn!(promise = %promise.id, step = step.name(), why, "a step of a promise waits");
                Ok(false)
            }
        }
    }

    async fn ask_coordinator(&self, promise: &Promise) -> Result<Came, PaymentError> {
        let Some(rail) = self.rail(&promise.rail).await? else {
            return Ok(Came::Later(now() + crate::payments::driver::PAUSE.as_micros() as i64));
        };
        let question = Question::Decision { reference: promise.reference.clone() };
        let (saw, why) = match self.ask_peer(&rail, &question, promise.keeping.tries > 0).await {
            Asked::Answered(reply) => {
                let saw = match Standing::from(reply.status) {
                    Standing::Committed => Observation::Told(Verdict::Commit),
                    Standing::Aborted => Observation::Told(Verdict::Abort),
                    Standing::NotFound => Observation::NotKnown,
                    Standing::Undecided => Observation::Undecided,
                    // No answer to this question.
                    _ => Observation::Silence,
                };
                (saw, reply.words())
            }
            Asked::Nothing(why) => (Observation::Silence, Some(why)),
            Asked::Later { until, .. } => return Ok(Came::Later(until)),
        };
        let by = Actor::new(&format!("rail:{}", promise.rail), "answer");
        let seen = Seen { by: &by, reason: why.as_deref(), event: None, code: None };
        self.mark(promise.id, saw, &seen).await?;
        Ok(Came::On)
    }
}

fn command(promise: &Promise, step: Step) -> Option<Command> {
    let hold = promise.hold;
    match step {
        Step::Prepare => {
            let content = promise.content.as_ref()?;
            let (from, to) = (content.clearing, content.account?);
            Some(Command::Prepare(Movement { from, to, amount: content.amount, currency: content.currency }))
        }
        Step::Commit => hold.map(|hold| Command::Commit { hold }),
        Step::Abort => hold.map(|hold| Command::Abort { hold }),
    }
}
