//! Subscriptions and deliveries as lists show them: never with a secret.

use journal::Identity;
use ledger::Sequence;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::wire::{event_id, time};
use crate::outbox::Standing;
use crate::outbox::progress::Tried;
use crate::outbox::sink::{Outcome, SinkKind};
use crate::outbox::template::Templates;

/// A subscription and how far it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Subscription)]
pub(in crate::http) struct Shown {
    /// Its id.
    #[schema(example = "019aa3f0-7c00-7abc-8def-0123456789ab")]
    id: String,
    /// webhook, rabbitmq, nats or file.
    #[schema(example = "webhook")]
    sink: &'static str,
    /// What people call it.
    #[schema(example = "Notifications")]
    name: String,
    /// For a webhook: where events are sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://hooks.example.com/bank")]
    url: Option<String>,
    /// For the operator's own sinks: where events go.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// Whose it is.
    principal: String,
    /// As which role its principal sees events.
    role: &'static str,
    /// The accounts that a customer may see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<String>,
    /// Which of them are wanted; all where nothing is named.
    filter: FilterOut,
    /// What the text of a notification is made from, by kind of event.
    #[serde(skip_serializing_if = "Templates::is_empty")]
    #[schema(value_type = HashMap<String, String>)]
    templates: Templates,
    /// active, down (nothing gets through), disabled, or stopped (this process does not deliver).
    #[schema(example = "active")]
    status: &'static str,
    /// Since when it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_why: Option<String>,
    /// Since when nothing gets through.
    #[serde(skip_serializing_if = "Option::is_none")]
    down_since: Option<String>,
    /// The sequence after which it began.
    #[schema(example = "0")]
    begins_after: String,
    /// Everything up to here is delivered, not wanted, parked or a dead letter.
    #[schema(example = "173")]
    delivered_through: String,
    /// How many events are not delivered yet, parked ones included; some of them may not be wanted.
    lag_events: u64,
    /// How old the oldest event is that was not delivered, in seconds.
    lag_seconds: f64,
    /// Events that wait for another try, or behind one that does.
    parked: u64,
    /// Events that were given up; they are listed and replayed under /api/v1/outbox.
    dead_letters: u64,
    /// When it was made.
    created_at: String,
    /// By whom.
    created_by: String,
}

/// Which events are wanted.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WebhookFilter)]
pub(in crate::http) struct FilterOut {
    /// Kinds of events.
    kinds: Vec<&'static str>,
    /// Accounts.
    accounts: Vec<String>,
}

impl Shown {
    /// As it stands.
    pub(in crate::http) fn of(standing: Standing, now_us: i64) -> Shown {
        let (status, lag_events, lag_seconds) =
            (standing.status(), standing.lag(), standing.lag_seconds(now_us));
        let subscription = standing.subscription;
        let webhook = subscription.sink == SinkKind::Webhook;
        let ids = |ids: &[u64]| ids.iter().map(ToString::to_string).collect();
        let disabled = subscription.disabled;
        Shown {
            id: subscription.id.to_string(),
            sink: subscription.sink.name(),
            name: subscription.name,
            url: webhook.then(|| subscription.target.clone()),
            target: (!webhook).then_some(subscription.target),
            principal: subscription.principal,
            role: subscription.role.name(),
            accounts: ids(&subscription.accounts),
            filter: FilterOut {
                accounts: ids(&subscription.filter.accounts),
                kinds: subscription.filter.kinds,
            },
            templates: subscription.templates,
            status,
            disabled_at: disabled.as_ref().map(|disabled| time(disabled.at_us)),
            disabled_why: disabled.map(|disabled| disabled.why),
            down_since: standing.now.and_then(|now| now.down_since_us).map(time),
            begins_after: subscription.begins_after.to_string(),
            delivered_through: standing.mark.to_string(),
            lag_events,
            lag_seconds,
            parked: standing.parked,
            dead_letters: standing.dead_letters,
            created_at: time(subscription.created_at_us),
            created_by: subscription.created_by,
        }
    }
}

/// One try at one delivery.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Delivery {
    /// The event's id; absent for a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "5f0c7a1e9b2d4c6f8a0b1c2d3e4f5a6b-1-123")]
    event_id: Option<String>,
    /// The event's sequence; absent for a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
    /// Which try it was, from 1.
    attempt: u32,
    /// delivered, failed or gone (nobody will ever be there again).
    #[schema(example = "delivered")]
    outcome: &'static str,
    /// When it was answered, or given up.
    at: String,
    /// The HTTP status, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 200)]
    status: Option<u16>,
    /// How long it took, in milliseconds.
    took_ms: f64,
    /// The beginning of the answer, or why there was none.
    answer: String,
}

impl Delivery {
    /// As it is told.
    pub(in crate::http) fn of(tried: Tried, identity: Identity) -> Delivery {
        let real = tried.sequence > 0;
        Delivery {
            event_id: real.then(|| event_id(identity, Sequence(tried.sequence))),
            sequence: real.then(|| tried.sequence.to_string()),
            attempt: tried.attempt,
            outcome: match tried.result.outcome {
                Outcome::Delivered => "delivered",
                Outcome::Failed(_) => "failed",
                Outcome::Gone => "gone",
            },
            at: time(tried.at_us),
            status: tried.result.status,
            took_ms: tried.result.took.as_secs_f64() * 1_000.0,
            answer: tried.result.detail,
        }
    }
}
