//! Problem documents (RFC 9457): the one place where refusals, faults and bad requests become statuses.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ledger::Refusal;
use ledger::money::AmountError;
use ledger::refusal::Class;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::attempts::Turned;
use crate::books::Unnamed;
use crate::identity::{Denied, RetryAfter, Unauthenticated};
use crate::sequencer::Fault;

/// Why a request was not done, and what to do about it. Boxed: it is the rare half of every result.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Document>);

/// Why a request was not done, and what to do about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Document {
    /// A path that names the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// What happened, with its figures.
    pub detail: String,
    /// What the caller can do.
    pub remedy: String,
    /// The request's id, as in `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The figures that the rule compared, by name; amounts as decimal strings.
    #[serde(flatten)]
    #[schema(value_type = Object, additional_properties)]
    pub figures: Map<String, Value>,
    #[serde(skip)]
    retry_after: Option<u32>,
    #[serde(skip)]
    replayed: bool,
    #[serde(skip)]
    turned: Option<Box<Turned>>,
}

impl Deref for Problem {
    type Target = Document;

    fn deref(&self) -> &Document {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Document {
        &mut self.0
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Document::schema()
    }
}

impl ToSchema for Problem {}

impl Problem {
    /// A problem with a code; title and remedy are sentences for a person.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: &str,
        title: &str,
        detail: impl Into<String>,
        remedy: &str,
    ) -> Problem {
        debug_assert!(super::problems::knows(code), "the code {code} has no page in problems/catalogue.rs");
        Problem(Box::new(Document {
            kind: format!("/problems/{}", code.replace('_', "-")),
            title: title.to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.into(),
            remedy: remedy.to_owned(),
            request_id: None,
            figures: Map::new(),
            retry_after: None,
            replayed: false,
            turned: None,
        }))
    }

    /// With one more figure.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.figures.insert(name.to_owned(), value.into());
        self
    }

    /// Somebody is turned away by this.
    pub(super) fn turned(mut self, turned: Turned) -> Problem {
        self.turned = Some(Box::new(turned));
        self
    }

    /// The answer goes out.
    pub(super) fn answered(&self) {
        if let Some(turned) = &self.turned {
            turned.away();
        }
    }

    /// Answered before, under the same key.
    #[must_use]
    pub fn replayed(mut self, replayed: bool) -> Problem {
        self.replayed = replayed;
        self
    }

    /// With the seconds after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: Option<u32>) -> Problem {
        self.retry_after = seconds;
        self
    }

    /// The same as the result of one command among others: what the headers would say is in the document.
    #[must_use]
    pub fn as_member(&self) -> Cow<'_, Problem> {
        match self.retry_after {
            Some(seconds) => Cow::Owned(self.clone().with("retry_after", seconds)),
            None => Cow::Borrowed(self),
        }
    }

    /// 400: the request is not of the right form.
    #[must_use]
    pub fn malformed(detail: impl Into<String>) -> Problem {
        let remedy = "Correct the request; the OpenAPI document at /api/v1/openapi.json shows its form.";
        Problem::new(StatusCode::BAD_REQUEST, "malformed_request", "Malformed request", detail, remedy)
    }

    /// 400: a money request without a key.
    #[must_use]
    pub fn no_key() -> Problem {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "idempotency_key_missing",
            "Idempotency key missing",
            "A request that moves money names its intent in the header Idempotency-Key.",
            "Send a key that is new for each intent, and the same one when you send the intent again.",
        )
    }

    /// 401: no API key.
    #[must_use]
    pub fn no_credentials() -> Problem {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "Not authenticated",
            "The request names no API key.",
            "Send the header Authorization: Bearer followed by an API key.",
        )
    }

    pub(super) fn unauthenticated(why: Unauthenticated) -> Problem {
        let remedy = "Send a valid API key in the header Authorization: Bearer.";
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "Not authenticated",
            why.to_string(),
            remedy,
        )
    }

    pub(super) fn denied(denied: Denied) -> Problem {
        match denied {
            Denied::Hidden => Problem::not_found("There is no such thing, or it is not yours."),
            Denied::Forbidden => Problem::new(
                StatusCode::FORBIDDEN,
                "forbidden",
                "Not allowed",
                denied.to_string(),
                "Use an API key whose role may do this.",
            ),
        }
    }

    /// 404: not there, or not the caller's.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Problem {
        let remedy = "Check the id.";
        Problem::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail, remedy)
    }

    /// 422: a question about the past that the present could still change.
    #[must_use]
    pub fn not_known_yet(detail: impl Into<String>) -> Problem {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "as_of_in_future",
            "Not known yet",
            detail,
            "Ask for an earlier moment, or leave it out for the books as they stand.",
        )
    }

    pub(super) fn over_quota(wait: RetryAfter) -> Problem {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "quota_exceeded",
            "Too many requests",
            format!("The quota of this principal is used up; {} s until there is more.", wait.0),
            "Send fewer requests, or the same again after Retry-After.",
        )
        .retry_after(Some(wait.0))
    }

    pub(super) fn refusals_throttled(wait: RetryAfter) -> Problem {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_refusals",
            "Too many refused requests",
            "So many requests of this principal were refused that no more refusals are recorded for now.",
            "Find out why they are refused; then send the request again, with the same key.",
        )
        .retry_after(Some(wait.0))
    }

    /// 422: the key belongs to another request.
    #[must_use]
    pub fn key_reused() -> Problem {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "Idempotency key reused",
            "This key was used for another request.",
            "Use a new key for a new intent; look the first one up at /api/v1/idempotency/{key}.",
        )
    }

    /// A text that is no amount, of the field `name`.
    #[must_use]
    pub fn amount(name: &str, text: &str, error: AmountError) -> Problem {
        let shown: String = text.chars().take(40).collect();
        let rule = |code, title: &str, detail: String, remedy: &str| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title, detail, remedy)
        };
        match error {
            AmountError::Malformed => {
                Problem::malformed(format!("{name} \"{shown}\" is not a decimal number like \"10.00\"."))
            }
            AmountError::Negative | AmountError::Zero => rule(
                "amount_not_positive",
                "Amount not above zero",
                format!("{name} is \"{shown}\"; something must move."),
                "Send an amount above zero.",
            ),
            AmountError::TooManyDecimals => rule(
                "too_many_decimals",
                "Too many decimals",
                format!("{name} \"{shown}\" has more decimals than its currency."),
                "Send no more decimals than the currency has; amounts are never rounded.",
            ),
            AmountError::TooLarge => rule(
                "amount_too_large",
                "Amount too large",
                format!("{name} \"{shown}\" is more than an account can hold."),
                "Send a smaller amount.",
            ),
        }
    }

    /// A refusal of the rules.
    #[must_use]
    pub fn refused(refusal: &Refusal, replayed: bool) -> Problem {
        let status = match refusal.code.class() {
            Class::Request | Class::Books => StatusCode::UNPROCESSABLE_ENTITY,
            Class::Missing => StatusCode::NOT_FOUND,
            Class::Version => StatusCode::PRECONDITION_FAILED,
        };
        let code = refusal.code;
        let mut problem = Problem::new(status, code.name(), code.title(), refusal.to_string(), code.remedy());
        for (name, value) in refusal.named_figures() {
            problem = problem.with(name, value);
        }
        if let Some(account) = refusal.account {
            problem = problem.with("account_id", account.to_string());
        }
        if let Some(currency) = refusal.currency {
            problem = problem.with("currency", currency.code());
        }
        if let Some(member) = refusal.member {
            problem = problem.with("command", member);
        }
        if code == ledger::Code::InsufficientFunds
            && let Some(currency) = refusal.currency
        {
            let shortfall = i128::from(refusal.figures[1]) - i128::from(refusal.figures[0]);
            problem = problem.with("shortfall", ledger::money::Major(shortfall, currency).to_string());
        }
        problem.replayed(replayed)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Problem {
        let (status, code, title) = match &fault {
            Fault::Poisoned(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "journal_failed", "The journal cannot be written")
            }
            Fault::DiskFull => (StatusCode::SERVICE_UNAVAILABLE, "disk_full", "Disk nearly full"),
            Fault::ClockJumped(_) => (StatusCode::SERVICE_UNAVAILABLE, "clock_jumped", "The clock jumped"),
            Fault::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too much at once"),
            Fault::Stopped => (StatusCode::SERVICE_UNAVAILABLE, "stopping", "The service is stopping"),
            Fault::Unavailable(detail) => {
                // Names of servers and their words are for the operator's log.
                tracing::error!(detail, "the database cannot take it now");
                return Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "database_unavailable",
                    "The database does not answer",
                    "The database that holds the books cannot take this now.",
                    "Send the same request again with the same key after Retry-After; or ask for its outcome by key.",
                )
                .retry_after(fault.retry_after());
            }
            Fault::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "batch_too_large", "Batch too large"),
            Fault::NotYet { .. } => return Problem::not_known_yet(fault.to_string()),
            Fault::TooFar(_) => {
                return Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "too_far_back",
                    "Too far back",
                    fault.to_string(),
                    "Ask for a later moment.",
                );
            }
            Fault::Unreadable(detail) => {
                // The place is for the operator's log, not for callers.
                tracing::error!(detail, "stored data could not be read");
                return Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "storage_unreadable",
                    "Stored data cannot be read",
                    "Something that was stored could not be read back.",
                    "Tell the operator: bankcore verify names the place.",
                )
                .retry_after(Some(30));
            }
        };
        let remedy =
            "Send the same request again with the same key after Retry-After; or ask for its outcome by key.";
        Problem::new(status, code, title, fault.to_string(), remedy).retry_after(fault.retry_after())
    }
}

impl From<Unnamed> for Problem {
    fn from(unnamed: Unnamed) -> Problem {
        match unnamed {
            Unnamed::Refused(refusal) => Problem::refused(&refusal, false),
            Unnamed::Fault(fault) => Problem::from(fault),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (retry_after, replayed) = (self.retry_after, self.replayed);
        // The frame around all endpoints adds the request's id, so the document travels beside the response.
        let mut response = (status, Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if replayed {
            headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
