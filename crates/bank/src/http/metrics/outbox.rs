//! Figures of the outbox: one line for each subscription, by its id, and how much of the machine all of them may take.

use std::fmt::Write as _;

use crate::http::app::App;
use crate::outbox::Standing;

type Figure = (&'static str, &'static str, fn(&Standing, i64) -> f64);

const FIGURES: [Figure; 7] = [
    ("bankcore_outbox_up", "gauge", |standing, _| f64::from(u8::from(standing.status() == "active"))),
    ("bankcore_outbox_lag_events", "gauge", |standing, _| standing.lag() as f64),
    ("bankcore_outbox_lag_seconds", "gauge", Standing::lag_seconds),
    ("bankcore_outbox_parked", "gauge", |standing, _| standing.parked as f64),
    ("bankcore_outbox_dead_letters", "gauge", |standing, _| standing.dead_letters as f64),
    ("bankcore_outbox_delivered_total", "counter", |standing, _| {
        standing.now.as_ref().map_or(0.0, |now| now.delivered as f64)
    }),
    ("bankcore_outbox_failed_total", "counter", |standing, _| {
        standing.now.as_ref().map_or(0.0, |now| now.failed as f64)
    }),
];

/// Adds them; none if the bank database does not answer, which other figures tell.
pub(super) async fn render(app: &App, out: &mut String) {
    let Ok(list) = app.service.outbox.list().await else { return };
    if list.is_empty() {
        return;
    }
    let _ = writeln!(out, "# TYPE bankcore_outbox_processor_share gauge");
    let _ = writeln!(out, "bankcore_outbox_processor_share {}", app.service.outbox.share());
    for (name, kind, value) in FIGURES {
        let _ = writeln!(out, "# TYPE {name} {kind}");
        for standing in &list {
            let (sink, id) = (standing.subscription.sink.name(), standing.subscription.id);
            let value = value(standing, app.now());
            let _ = writeln!(out, "{name}{{sink=\"{sink}\",subscription=\"{id}\"}} {value}");
        }
    }
}
