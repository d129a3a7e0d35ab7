//! Parts of the OpenAPI document that many endpoints share.

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::Response;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses};

/// The answers that say why something was not done.
pub(super) struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let problem = |description: &str| {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let retry = HeaderBuilder::new().description(Some("After how many seconds to try again")).build();
            let response = ResponseBuilder::new()
                .description(description)
                .content("application/problem+json", content)
                .header("Retry-After", retry)
                .build();
            RefOr::T(response)
        };
        BTreeMap::from([
            ("4XX".to_owned(), problem("Not done, and why; nothing has changed")),
            ("503".to_owned(), problem("Cannot now; send the same request again, with the same key")),
        ])
    }
}

/// The key of an intent that must have one.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the derive only")]
pub(super) struct KeyRequired {
    /// Your id of this intent, 1 to 255 printable ASCII characters: new for each intent, the same for every
    /// retry. A retry is answered with the first answer, marked `Idempotent-Replayed: true`.
    #[param(rename = "Idempotency-Key", example = "6f0c8a")]
    key: String,
}

/// The key of an intent that may have one.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the derive only")]
pub(super) struct KeyOptional {
    /// Your id of this intent: with it a retry changes nothing twice.
    #[param(rename = "Idempotency-Key", required = false, example = "6f0c8a")]
    key: Option<String>,
}

/// The version that must still stand.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the derive only")]
pub(super) struct VersionOptional {
    /// The account's version as you saw it, from its `ETag`; refused with 412 if it has changed.
    #[param(rename = "If-Match", required = false, example = "\"7\"")]
    version: Option<String>,
}

/// The version that must be named and must still stand.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the derive only")]
pub(super) struct VersionRequired {
    /// The account's version as you saw it, from its `ETag`; refused with 412 if it has changed, with 428 if
    /// absent.
    #[param(rename = "If-Match", example = "\"7\"")]
    version: String,
}
