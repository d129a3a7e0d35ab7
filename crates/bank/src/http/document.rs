//! The OpenAPI document's own part: what it is about, and how callers are known.

use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::problem::Problem;

/// The document before the endpoints are added.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "bankcore",
        description = "A banking core: it moves money between accounts so that no leg of a movement is ever \
            lost.\n\nAmounts and ids are strings, times RFC 3339 UTC, dates ISO 8601. Unknown fields and \
            parameters are refused. Every answer carries X-Request-Id; a replay carries Idempotent-Replayed: \
            true. Lists answer `items` and `next_cursor`; the header Link names the next page.\n\nA request \
            that moves money carries Idempotency-Key. If its answer is lost, send the same request with the \
            same key, or ask `GET /api/v1/idempotency/{key}`; a lost answer is never a failure.",
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "accounts", description = "Accounts: open, change, read"),
        (name = "transactions", description = "Transactions: post, reverse, read"),
        (name = "banker", description = "Cash over the counter"),
        (name = "holds", description = "Funds reserved, not yet posted"),
        (name = "payments", description = "Money that leaves the building"),
        (name = "cases", description = "What a person has to look at"),
        (name = "in_doubt", description = "What other banks had us prepare, and have not decided"),
        (name = "rails", description = "Ways to other institutions"),
        (name = "idempotency", description = "What became of a request"),
        (name = "reports", description = "The books as a whole"),
        (name = "events", description = "Everything that happened, in order"),
        (name = "webhooks", description = "Endpoints that events are sent to"),
        (name = "outbox", description = "How far subscriptions are, and what they would not take"),
        (name = "operations", description = "Business days, the clock, and balances that do not fit"),
        (name = "keys", description = "API keys"),
        (name = "audit", description = "Who did what outside the books"),
        (name = "health", description = "Is it alive, is it ready, how does it do"),
    ),
    components(schemas(Problem)),
    modifiers(&Keys)
)]
pub(super) struct Base;

/// Names every operation by its tag and its word: words alone are used more than once.
pub(super) fn name_operations(document: &mut Document) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let tag = operation.tags.as_ref().and_then(|tags| tags.first());
            if let (Some(tag), Some(word)) = (tag, &operation.operation_id) {
                operation.operation_id = Some(format!("{tag}_{word}"));
            }
        }
    }
}

struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut Document) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("bck_…")
            .description(Some("An API key, made by an administrator."))
            .build();
        let signature = ApiKeyValue::with_description(
            crate::payments::rail::signature::SIGNATURE,
            "HMAC-SHA-256 over id, time and body with a key of the rail.",
        );
        if let Some(components) = &mut document.components {
            components.add_security_scheme("api_key", SecurityScheme::Http(bearer));
            let header = SecurityScheme::ApiKey(ApiKey::Header(signature));
            components.add_security_scheme("rail_signature", header);
        }
    }
}
