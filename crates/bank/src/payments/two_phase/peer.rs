//! What we ask of the other bank, over the way that its rail is: its signatures, its breaker, its budget.

use super::wire::{Question, Reply};
use super::{Verdict, coordinator};
use crate::database::Actor;
use crate::payments::driver::{Came, PAUSE, order};
use crate::payments::note::Seen;
use crate::payments::payment::Payment;
use crate::payments::rail::http::Asked;
use crate::payments::rail::settings::RailSettings;
use crate::payments::saga::{Act, Observation};
use crate::payments::{PaymentError, Payments, now};

impl Payments {
    pub(super) async fn ask_peer(
        &self,
        rail: &RailSettings,
        question: &Question,
        again: bool,
    ) -> Asked<Reply> {
        match self.way(rail) {
            Err(why) => Asked::Nothing(why),
            Ok(way) => {
                way.question(question, again, |reply: &Reply| reply.reference == question.reference()).await
            }
        }
    }

    /// Asks the other bank to prepare, or tells it what was decided; notes what it says.
    pub(in crate::payments) async fn consult(&self, payment: &Payment) -> Result<Came, PaymentError> {
        let Some(rail) = self.rail(&payment.rail).await? else {
            return Ok(Came::Later(now() + PAUSE.as_micros() as i64));
        };
        let reference = || payment.reference.clone();
        let question = match (payment.act(), coordinator::decision(payment.saga.state)) {
            (Act::Prepare, _) => {
                let left = payment.expected_at.unwrap_or(payment.created_at) - now();
                if left <= 0 {
                    let why = "the other bank did not prepare in time";
                    return self.noted(payment, Observation::TimeUp, Some(why), None).await;
                }
                Question::prepare(&order(payment), left / 1_000 + 1)
            }
            (_, Some(Verdict::Commit)) => Question::Commit { reference: reference() },
            _ => Question::Abort { reference: reference() },
        };
        match self.ask_peer(&rail, &question, payment.saga.tries > 0).await {
            Asked::Answered(reply) => {
                let by = Actor::new(&format!("rail:{}", payment.rail), "answer");
                let words = reply.words();
                let seen = Seen { by: &by, reason: words.as_deref(), event: None, resolves: None };
                let saw = Observation::Peer(reply.status.into());
                let noted = self.note(payment.id, saw, &seen).await?;
                // What changes nothing would be asked again at once: it counts as a try in vain.
                if noted.is_some_and(|noted| !noted.changed && noted.payment.version == payment.version) {
                    return self.noted(payment, Observation::Silence, words.as_deref(), None).await;
                }
                Ok(Came::On)
            }
            Asked::Nothing(why) => self.noted(payment, Observation::Silence, Some(&why), None).await,
            Asked::Later { until, everything: true } => Ok(Came::RailLater(until)),
            Asked::Later { until, everything: false } => Ok(Came::Later(until)),
        }
    }
}
