//! The partner's HTTP side: the rail itself, and what a test asks and tells it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use bank::payments::rail::signature::{Signed, sign};
use bank::payments::rail::wire::{Notice, Question, Reply, Status};
use bank::sequencer::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::Partner;
use super::decisions::{Decision, Instruction};
use super::faults::{Drawn, Fault};

/// After what time a late payment is settled, and a lie is told.
const LATE: Duration = Duration::from_millis(300);

/// For how long nothing is served when it is down.
const DOWN_US: i64 = 50_000;

/// Until when nothing is served, µs.
static DOWN_UNTIL: AtomicI64 = AtomicI64::new(0);

pub(super) fn router(partner: Arc<Partner>) -> Router {
    Router::new()
        .route("/rail", post(rail))
        .route("/payments", get(payments))
        .route("/faults", put(faults))
        .route("/send", post(send))
        .with_state(partner)
}

fn now() -> i64 {
    SystemClock::new().wall()
}

async fn rail(State(partner): State<Arc<Partner>>, headers: HeaderMap, body: Bytes) -> Response {
    let signed = Signed::read(|name| headers.get(name).and_then(|value| value.to_str().ok()))
        .and_then(|signed| signed.verify(&partner.keys, now(), &body).map(|()| signed));
    let signed = match signed {
        Ok(signed) => signed,
        Err(why) => return (StatusCode::UNAUTHORIZED, why.to_string()).into_response(),
    };
    let Ok(question) = serde_json::from_slice::<Question>(&body) else {
        return (StatusCode::BAD_REQUEST, "no question of the rail protocol").into_response();
    };
    let beneficiary = match &question {
        Question::Submit { beneficiary, .. } => Some(beneficiary.account.clone()),
        _ => None,
    };
    let drawn = partner.faults.lock().draw(beneficiary.as_deref());
    if drawn.has(Fault::Down) {
        DOWN_UNTIL.store(now() + DOWN_US, Ordering::Relaxed);
    }
    if now() < DOWN_UNTIL.load(Ordering::Relaxed) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if drawn.has(Fault::LoseRequest) {
        return broken();
    }
    if drawn.has(Fault::Crash) && drawn.coin {
        std::process::abort();
    }
    let reply = match partner.answer(question, &drawn).await {
        Ok(Some(reply)) => reply,
        Ok(None) => return (StatusCode::UNPROCESSABLE_ENTITY, "reference_reused").into_response(),
        Err(error) => {
            tracing::error!(%error, "the partner could not decide");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    if drawn.has(Fault::Crash) {
        std::process::abort();
    }
    if drawn.has(Fault::LoseAnswer) {
        return broken();
    }
    let body = match serde_json::to_vec(&reply) {
        Ok(body) => body,
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let mut response = Response::builder().header("content-type", "application/json");
    for (name, value) in sign(&partner.keys[0], &signed.id, now(), &body).headers() {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// An answer that breaks off before it has begun.
fn broken() -> Response {
    let cut = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("lost")) });
    Body::from_stream(cut).into_response()
}

impl Partner {
    /// Goes on with what an earlier life left: what was settled is credited, what was accepted is settled.
    pub(super) async fn go_on(self: &Arc<Self>) -> anyhow::Result<()> {
        for decision in self.decisions.all() {
            match decision.status {
                Status::Settled => self.credit(&decision).await?,
                Status::Accepted => self.settle_later(decision.reference),
                _ => {}
            }
        }
        Ok(())
    }

    /// Decides; none if the reference was used for something else.
    async fn answer(self: &Arc<Self>, question: Question, drawn: &Drawn) -> anyhow::Result<Option<Reply>> {
        let reference = question.reference().to_owned();
        let decision = match question {
            Question::Submit { amount, currency, debtor, beneficiary, description, .. } => {
                let instruction = Instruction { amount, currency, debtor, beneficiary, description };
                let status = match (drawn.has(Fault::Refuse), drawn.has(Fault::Late)) {
                    (true, _) => Status::Rejected,
                    (_, true) => Status::Accepted,
                    _ => Status::Settled,
                };
                let fresh = Decision {
                    reference: reference.clone(),
                    status,
                    instruction: Some(instruction.clone()),
                    lied: drawn.has(Fault::Contradict),
                };
                let decision = self.decisions.decide(&reference, |known| known.is_none().then_some(fresh))?;
                let another = |decision: &Decision| {
                    decision.instruction.as_ref().is_some_and(|first| *first != instruction)
                };
                if decision.as_ref().is_some_and(another) {
                    return Ok(None);
                }
                decision
            }
            Question::Enquire { .. } => self.decisions.get(&reference),
            Question::Cancel { .. } => self.decisions.decide(&reference, |known| match known {
                None => Some(Decision {
                    reference: reference.clone(),
                    status: Status::Cancelled,
                    instruction: None,
                    lied: false,
                }),
                Some(known) if known.status == Status::Accepted => {
                    Some(Decision { status: Status::Cancelled, ..known.clone() })
                }
                Some(_) => None,
            })?,
        };
        let Some(decision) = decision else {
            return Ok(Some(Reply { reference, status: Status::NotFound, code: None, reason: None }));
        };
        match decision.status {
            Status::Settled => self.credit(&decision).await?,
            Status::Accepted => self.settle_later(reference.clone()),
            _ => {}
        }
        let mut reply = told(&decision, decision.status);
        if drawn.has(Fault::Contradict) && decision.lied {
            let lie = if decision.status == Status::Rejected { Status::Settled } else { Status::Rejected };
            self.notices.tell_later(notice(&decision, lie), LATE);
        }
        if drawn.has(Fault::Twice) {
            for _ in 0..2 {
                self.notices.tell_later(notice(&decision, decision.status), Duration::ZERO);
            }
        }
        if drawn.has(Fault::OutOfOrder) && decision.status == Status::Settled {
            if let Err(error) = self.notices.tell(&notice(&decision, decision.status)).await {
                tracing::debug!(%error, "a notice was not heard");
            }
            reply = told(&decision, Status::Accepted);
        }
        Ok(Some(reply))
    }

    async fn credit(&self, decision: &Decision) -> anyhow::Result<()> {
        let Some(order) = &decision.instruction else { return Ok(()) };
        self.books.credit(&decision.reference, &order.beneficiary, &order.amount, &order.currency).await
    }

    fn settle_later(self: &Arc<Self>, reference: String) {
        let partner = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(LATE).await;
            if let Err(error) = partner.settle(&reference).await {
                tracing::error!(%error, "a late payment was not settled");
            }
        });
    }

    async fn settle(&self, reference: &str) -> anyhow::Result<()> {
        let decision = self.decisions.decide(reference, |known| {
            let known = known.filter(|known| known.status == Status::Accepted)?;
            Some(Decision { status: Status::Settled, ..known.clone() })
        })?;
        let Some(decision) = decision.filter(|decision| decision.status == Status::Settled) else {
            return Ok(());
        };
        self.credit(&decision).await?;
        self.notices.tell_later(notice(&decision, Status::Settled), Duration::ZERO);
        Ok(())
    }
}

/// What is said of a decision.
fn told(decision: &Decision, status: Status) -> Reply {
    let refused = status == Status::Rejected;
    Reply {
        reference: decision.reference.clone(),
        status,
        code: refused.then(|| "refused_by_partner".to_owned()),
        reason: refused.then(|| "The beneficiary's institution refuses it.".to_owned()),
    }
}

fn notice(decision: &Decision, status: Status) -> Notice {
    let Reply { reference, status, code, reason } = told(decision, status);
    Notice::Payment { reference, status, code, reason }
}

/// `GET /payments`: what was decided, and what the books say.
async fn payments(State(partner): State<Arc<Partner>>) -> Response {
    let credits = match partner.books.credits() {
        Ok(credits) => credits,
        Err(error) => return (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    };
    let items: Vec<Value> = partner
        .decisions
        .all()
        .into_iter()
        .map(|decision| {
            let credit = credits.get(&decision.reference);
            json!({
                "reference": decision.reference, "status": decision.status, "lied": decision.lied,
                "credited": credit.map_or(0, |credit| credit.times), "credit": credit,
            })
        })
        .collect();
    let unknown: Vec<&String> =
        credits.keys().filter(|reference| partner.decisions.get(reference).is_none()).collect();
    Json(json!({"items": items, "credited_without_decision": unknown})).into_response()
}

/// `PUT /faults`: other probabilities from now on.
async fn faults(State(partner): State<Arc<Partner>>, Json(chances): Json<BTreeMap<Fault, f64>>) -> Response {
    match partner.faults.lock().set(chances) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// `POST /send`: tells the bank a notice, once.
async fn send(State(partner): State<Arc<Partner>>, Json(notice): Json<Notice>) -> Response {
    match partner.notices.tell(&notice).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
