//! Figures of payments: where they stand, how old the oldest unknown is, what is at risk.

use std::fmt::Write as _;

use crate::http::app::App;
use crate::http::wire::money;

/// Writes them; nothing, if the bank database does not answer now.
pub(super) async fn render(app: &App, out: &mut String) {
    let figures = match app.service.payments.figures().await {
        Ok(figures) => figures,
        Err(error) => {
            tracing::warn!(%error, "payments were not counted");
            return;
        }
    };
    let _ = writeln!(out, "# TYPE bankcore_payments gauge");
    for (state, count) in &figures.states {
        let _ = writeln!(out, "bankcore_payments{{state=\"{state}\"}} {count}");
    }
    let _ = writeln!(out, "# TYPE bankcore_cases_open gauge");
    for (kind, count) in &figures.cases {
        let _ = writeln!(out, "bankcore_cases_open{{kind=\"{kind}\"}} {count}");
    }
    let _ = writeln!(out, "# TYPE bankcore_money_at_risk gauge");
    for (currency, minor) in &figures.at_risk {
        let amount = money(*minor, *currency);
        let _ = writeln!(out, "bankcore_money_at_risk{{currency=\"{}\"}} {amount}", currency.code());
    }
    let _ = writeln!(out, "# TYPE bankcore_in_doubt_money gauge");
    for (currency, minor) in &figures.promised {
        let amount = money(*minor, *currency);
        let _ = writeln!(out, "bankcore_in_doubt_money{{currency=\"{}\"}} {amount}", currency.code());
    }
    for (name, value) in [
        ("bankcore_payments_late", figures.late),
        ("bankcore_payments_oldest_unknown_seconds", figures.oldest_unknown_s),
        ("bankcore_in_doubt", figures.in_doubt),
        ("bankcore_in_doubt_oldest_seconds", figures.oldest_in_doubt_s),
    ] {
        let _ = writeln!(out, "# TYPE {name} gauge\n{name} {value}");
    }
}
