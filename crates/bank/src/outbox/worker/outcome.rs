//! What came of deliveries: an event leaves its lanes, waits for another try, or is given up; and who is down is known.

use std::time::Duration;

use super::super::progress::{DeadLetter, Tried};
use super::super::retry::{DISABLED_AFTER, HASTENED_MAX, Verdict};
use super::super::sink::{Outcome, SinkKind};
use super::{Answer, Worker, luck, now_us};

impl Worker {
    /// Notes what came of a parcel; why the subscription ends, if it does.
    pub(super) fn answered(&mut self, answers: Vec<Answer>) -> Option<String> {
        let now_us = now_us();
        let mut end = None;
        let mut parcel = Vec::with_capacity(answers.len());
        for (sequence, before, result) in answers {
            let tried = Tried { sequence, attempt: before + 1, at_us: now_us, result };
            end = end.or(self.tried(&tried));
            parcel.push(tried);
        }
        self.seen.update(|seen| {
            seen.down_since_us = self.health.down_since_us();
            for tried in parcel {
                match tried.result.outcome {
                    Outcome::Delivered => seen.delivered += 1,
                    _ => seen.failed += 1,
                }
                seen.remember(tried);
            }
        });
        end
    }

    fn tried(&mut self, tried: &Tried) -> Option<String> {
        let (sequence, now_us) = (tried.sequence, tried.at_us);
        let wish = match tried.result.outcome {
            Outcome::Delivered => {
                self.lanes.done(sequence);
                if self.health.succeeded() {
                    tracing::info!(subscription = %self.subscription.name, "the subscriber takes events again");
                    self.lanes.hasten(HASTENED_MAX, now_us);
                }
                return None;
            }
            Outcome::Failed(wish) => wish,
            Outcome::Gone => None,
        };
        let was_up = self.health.down_since_us().is_none();
        match self.health.failed(tried.attempt - 1, wish, luck(), now_us) {
            Verdict::Again { attempts, due_us } => self.lanes.failed(sequence, attempts, due_us),
            Verdict::GiveUp => {
                self.lanes.done(sequence);
                let why = tried.result.detail.clone();
                tracing::warn!(subscription = %self.subscription.name, sequence, why, "a dead letter");
                self.dead.push(DeadLetter { sequence, attempts: tried.attempt, at_us: now_us, why });
            }
        }
        self.failed.push(tried.clone());
        if tried.result.outcome == Outcome::Gone {
            return Some("the endpoint answered 410: it wants nothing any more".to_owned());
        }
        let since_us = self.health.down_since_us()?;
        if was_up {
            let detail = &tried.result.detail;
            tracing::warn!(subscription = %self.subscription.name, detail, "the subscriber is down");
            self.documents.let_go();
        }
        self.too_long(since_us, now_us)
    }

    /// Somebody else's endpoint is not knocked at for ever; a broker of ours is.
    fn too_long(&self, since_us: i64, now_us: i64) -> Option<String> {
        let down = Duration::from_micros(u64::try_from(now_us - since_us).unwrap_or(0));
        let end = self.subscription.sink == SinkKind::Webhook && down >= DISABLED_AFTER;
        end.then(|| format!("nothing got through for {} days", DISABLED_AFTER.as_secs() / 86_400))
    }
}
