//! Rails from a file: each is set up at the start as if somebody had said it by `bankcore rail`.
//!
//! ```toml
//! [swift]                                   # the rail's name; the fields are those of PUT /api/v1/rails/{rail}
//! url = "https://rail.example/bankcore"
//! iban_required = true
//! [[swift.currencies]]
//! currency = "BDT"
//! amount_max = "1000000.00"
//! clearing_account_id = "12"
//! settlement_account_id = "13"
//! suspense_account_id = "5"
//! [[swift.keys]]
//! key_id = "2026-11"
//! secret_file = "swift.secret"              # beside this file
//! ```
//! What the file does not name stays as it is: rails are never deleted, keys are retired by command.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bank::http::{App, local_router};
use bank::service::Service;
use serde_json::{Value, json};

use crate::client::{self, Call, segment};
use crate::config::Config;
use crate::settings;

/// Sets up what the file says, if there is one.
pub(super) async fn set_up(service: &Arc<Service>, config: &Config) -> anyhow::Result<()> {
    let Some(path) = &config.rails else { return Ok(()) };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {}; name the right file with --rails", path.display()))?;
    let rails: toml::Table =
        text.parse().with_context(|| format!("{} is no TOML; correct it", path.display()))?;
    let router = local_router(App::new(Arc::clone(service), settings::http(config)));
    for (name, rail) in rails {
        let place = format!("/api/v1/rails/{}", segment(&name));
        let mut body = serde_json::to_value(rail)?;
        let keys = body.as_object_mut().and_then(|fields| fields.remove("keys"));
        let set = client::send_to(router.clone(), Call::put(place.as_str(), body)).await;
        let set = set.with_context(|| format!("the rail {name} in {}", path.display()))?;
        let live = set["operation"]["key_ids"].as_array().cloned().unwrap_or_default();
        for key in keys.as_ref().and_then(Value::as_array).into_iter().flatten() {
            if live.contains(&key["key_id"]) {
                continue;
            }
            let secret = secret(path, key).with_context(|| format!("a key of the rail {name}"))?;
            let body = json!({"key_id": key["key_id"], "secret": secret});
            let added = client::send_to(router.clone(), Call::post(format!("{place}/keys"), body)).await;
            added.with_context(|| format!("a key of the rail {name} in {}", path.display()))?;
        }
    }
    Ok(())
}

fn secret(file: &Path, key: &Value) -> anyhow::Result<String> {
    let Some(name) = key["secret_file"].as_str() else {
        bail!("it needs key_id and secret_file");
    };
    let path = file.parent().unwrap_or(Path::new("")).join(name);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned())
}
