//! `POST /api/v1/webhooks`: registers an endpoint and shows its secret, this once.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{FilterBody, TemplatesBody, templates};
use crate::http::app::App;
use crate::http::caller::Unwritten;
use crate::http::documented::Problems;
use crate::http::json::Body;
use crate::http::outbox::{Shown, refused};
use crate::http::problem::Problem;
use crate::http::submit::created;
use crate::http::wire::{AccountIdText, SequenceText};
use crate::identity::{Action, Object, PrincipalName, Role};
use crate::outbox::{Begin, Wish};

/// A wish for an endpoint.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct WebhookBody {
    /// What people call it, 1 to 100 characters.
    #[schema(example = "Notifications")]
    name: String,
    /// Where events are sent to: a public https address.
    #[schema(example = "https://hooks.example.com/bank")]
    url: String,
    /// Whose it is; the caller's if left out.
    #[schema(example = "customer:alice")]
    principal: Option<String>,
    /// As which role its principal sees events: admin, banker, operations, auditor or customer; the caller's if left
    /// out. Balances are sent only where that role may see the account.
    #[schema(example = "customer")]
    role: Option<String>,
    /// The accounts that a customer may see; for customers only, and then at least one.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["101"]))]
    accounts: Vec<AccountIdText>,
    /// Which of the events that may be seen are wanted; all if left out.
    #[serde(default)]
    filter: FilterBody,
    /// What the text of a notification is made from, by kind of event: names in double braces, and if, elif, else, endif.
    #[serde(default)]
    #[schema(value_type = HashMap<String, String>, example = json!({"posted": "{{ amount }} {{ currency }}, account {{ account }}"}))]
    templates: TemplatesBody,
    /// Events after this sequence; from now on if left out.
    #[schema(value_type = Option<String>, example = "0")]
    after: Option<SequenceText>,
}

/// A new endpoint. This is the only time that its secret is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = NewWebhook)]
pub(in crate::http) struct Made {
    #[serde(flatten)]
    webhook: Shown,
    /// What its signatures are checked with, after Standard Webhooks.
    #[schema(example = "whsec_…")]
    secret: String,
}

/// Register a webhook
///
/// Events are sent one a request as CloudEvents 1.0, signed after Standard Webhooks, at least once, in order for
/// each customer's account. Only a 2xx within 15 seconds is a delivery. The secret is in the answer and never again.
#[utoipa::path(
    post, path = "", tag = "webhooks", request_body = WebhookBody,
    responses((status = 201, description = "The webhook", body = Made), Problems),
    security(("api_key" = []))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Unwritten(caller): Unwritten,
    Body(body): Body<WebhookBody>,
) -> Result<Response, Problem> {
    caller.may(Action::ManageOutbox, Object::Bank)?;
    let principal = body.principal.as_deref().unwrap_or(&caller.credential.principal);
    let principal: PrincipalName =
        principal.parse().map_err(|why| Problem::malformed(format!("principal: {why}.")))?;
    let role = match &body.role {
        Some(role) => role.parse::<Role>().map_err(|why| Problem::malformed(format!("role: {why}.")))?,
        None => caller.credential.role,
    };
    let wish = Wish {
        filter: body.filter.filter()?,
        templates: templates(body.templates)?,
        name: body.name,
        url: body.url,
        principal,
        role,
        accounts: body.accounts.iter().map(|id| id.0.0).collect(),
        begin: body.after.map_or(Begin::Now, |SequenceText(sequence)| Begin::After(sequence.0)),
    };
    let made = app.service.outbox.create_webhook(wish, &caller.as_actor(), app.now()).await;
    let (subscription, secret) = made.map_err(refused)?;
    let standing = app.service.outbox.read(subscription.id).await.map_err(refused)?;
    let answer = Made { webhook: Shown::of(standing, app.now()), secret: secret.expose() };
    Ok(created(&format!("/api/v1/webhooks/{}", subscription.id), &answer, false))
}
