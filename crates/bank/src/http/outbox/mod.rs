//! `/api/v1/outbox`: all subscriptions, how far they are, and what they would not take.

mod dead_letters;
mod list;
mod replay;
mod shown;

use std::sync::Arc;

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::keys::database_failed;
use super::problem::Problem;
use crate::outbox::OutboxError;

pub(super) use shown::{Delivery, Shown};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(dead_letters::dead_letters))
        .routes(routes!(replay::replay))
}

/// Why a command on the outbox was not done.
pub(super) fn refused(error: OutboxError) -> Problem {
    let rule = |code, title: &str, detail: String, remedy: &str| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title, detail, remedy)
    };
    match error {
        OutboxError::NotFound => Problem::not_found("There is no such subscription."),
        OutboxError::Wish(why) => rule(
            "subscription_not_possible",
            "Such a subscription is not possible",
            sentence(&why),
            "Correct the wish.",
        ),
        OutboxError::TooMany => rule(
            "too_many_subscriptions",
            "Too many subscriptions",
            sentence(&error.to_string()),
            "Delete one that is not needed.",
        ),
        OutboxError::Address(error) => rule(
            "address_not_allowed",
            "Webhooks may not go there",
            sentence(&error.to_string()),
            "Use a public https address, or have the operator allow this one (webhook_allow).",
        ),
        OutboxError::System(error) => {
            tracing::error!(error, "a webhook cannot be used");
            Problem::from(crate::sequencer::Fault::Stopped)
        }
        OutboxError::Fault(fault) => Problem::from(fault),
        OutboxError::Database(error) => database_failed(error),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}
