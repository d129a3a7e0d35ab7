//! `/problems/{code}`: what a code means and what to do about it; the address that each problem carries.

mod catalogue;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::app::App;
use super::problem::Problem;

pub(super) use catalogue::knows;

pub(super) fn router() -> Router<Arc<App>> {
    Router::new().route("/problems", get(index)).route("/problems/{code}", get(page))
}

async fn index() -> Response {
    let mut list = String::new();
    for entry in catalogue::all() {
        let path = entry.code.replace('_', "-");
        let _ = write!(
            list,
            "<tr><td><a href=\"/problems/{path}\">{}</a><td>{}<td>{}",
            entry.code, entry.status, entry.title
        );
    }
    html("Problems", &format!("<table><tr><th>Code<th>Status<th>Meaning{list}</table>"))
}

async fn page(Path(code): Path<String>) -> Result<Response, Problem> {
    let wanted = code.replace('-', "_");
    let entry = catalogue::all().find(|entry| entry.code == wanted);
    let entry = entry
        .ok_or_else(|| Problem::not_found("There is no problem with this code; /problems lists them all."))?;
    let text = format!(
        "<dl><dt>Code<dd><code>{}</code><dt>Status<dd>{}<dt>What it means<dd>{}<dt>What to do<dd>{}</dl>\
         <p><a href=\"/problems\">All problems</a>",
        entry.code, entry.status, entry.what, entry.remedy
    );
    Ok(html(entry.title, &text))
}

/// Only texts of our own are ever put in here.
fn html(title: &str, body: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1>{body}</html>\n"
    );
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}
