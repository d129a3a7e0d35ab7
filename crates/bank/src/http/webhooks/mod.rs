//! `/api/v1/webhooks`: endpoints that events are sent to.

mod change;
mod create;
mod delete;
mod deliveries;
mod list;
mod read;
mod secret;
mod test;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::app::App;
use super::problem::Problem;
use super::wire::{AccountIdText, EVENT_KINDS};
use crate::outbox::template::Templates;
use crate::outbox::view::Filter;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(create::create))
        .routes(routes!(read::read))
        .routes(routes!(change::change))
        .routes(routes!(delete::delete))
        .routes(routes!(secret::rotate))
        .routes(routes!(test::test))
        .routes(routes!(deliveries::deliveries))
}

/// Which events are wanted; all where nothing is named.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookFilterWish)]
pub(in crate::http) struct FilterBody {
    /// Kinds of events.
    #[serde(default)]
    #[schema(example = json!(["posted"]))]
    kinds: Vec<String>,
    /// Accounts: an event that touches one of them is wanted.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["101"]))]
    accounts: Vec<AccountIdText>,
}

/// Templates as they are wished for, by kind of event.
type TemplatesBody = BTreeMap<String, String>;

fn templates(wished: TemplatesBody) -> Result<Templates, Problem> {
    wished.into_iter().map(|(kind, text)| Ok((known("templates", &kind)?, text))).collect()
}

/// A kind of event by its word.
fn known(field: &str, word: &str) -> Result<&'static str, Problem> {
    EVENT_KINDS.into_iter().find(|kind| *kind == word).ok_or_else(|| {
        let detail = format!("{field} cannot hold \"{word:.40}\"; it holds {}.", EVENT_KINDS.join(", "));
        Problem::malformed(detail)
    })
}

impl FilterBody {
    fn filter(&self) -> Result<Filter, Problem> {
        let known = |word: &String| known("kinds", word);
        let mut kinds: Vec<&'static str> = self.kinds.iter().map(known).collect::<Result<_, _>>()?;
        kinds.sort_unstable();
        kinds.dedup();
        Ok(Filter { kinds, accounts: self.accounts.iter().map(|id| id.0.0).collect() })
    }
}

/// The id in a path. What is no id is nobody's.
pub(super) fn id(text: &str) -> Result<Uuid, Problem> {
    text.parse().map_err(|_| Problem::not_found("There is no such subscription."))
}
