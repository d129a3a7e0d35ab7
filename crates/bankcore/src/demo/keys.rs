//! One key for each role, and for each customer.

use std::collections::BTreeMap;

use anyhow::anyhow;
use bank::database::Actor;
use bank::identity::{KeyMaterial, KeyRef, NewKey, Role};
use bank::sequencer::{Clock as _, SystemClock};
use bank::service::Service;

use super::accounts::{Accounts, CUSTOMERS};

/// Bearer tokens, by the names that `demo.json` gives them.
pub type Keys = BTreeMap<String, String>;

const MAKER: &str = "demo";

/// Makes all keys anew. Those that an earlier start made and could not show are revoked.
pub(super) async fn make(service: &Service, accounts: &Accounts) -> anyhow::Result<Keys> {
    let actor = Actor::new(MAKER, "command line");
    let now = SystemClock::new().wall();
    for key in service.keys.list_keys().await? {
        if key.created_by == MAKER && key.revoked_at_us.is_none() {
            service.keys.revoke_key(&KeyRef::Id(key.id), &actor, now).await?;
        }
    }
    let mut keys = Keys::new();
    // A microsecond apart, so that lists show them in this order.
    for ((name, new), now) in wanted(accounts)?.into_iter().zip(now..) {
        let material = KeyMaterial::from_system()
            .map_err(|error| anyhow!("the system gives no randomness ({error}); check /dev/urandom"))?;
        let (_, secret) = service.keys.create_key(new, &actor, &material, now).await?;
        keys.insert(name, secret.expose().to_owned());
    }
    Ok(keys)
}

fn wanted(accounts: &Accounts) -> anyhow::Result<Vec<(String, NewKey)>> {
    let id = |key: &str| -> anyhow::Result<u64> { Ok(accounts[key].parse()?) };
    let key = |principal: &str, role, accounts, drawer| -> anyhow::Result<(String, NewKey)> {
        let new = NewKey {
            name: format!("Demonstration: {principal}"),
            principal: principal.parse()?,
            role,
            accounts,
            drawer,
            expires_at_us: None,
        };
        Ok((principal.replace('-', "_"), new))
    };
    let mut wanted = vec![
        key("admin", Role::Admin, Vec::new(), None)?,
        key("teller-1", Role::Banker, Vec::new(), Some(id("drawer_1")?))?,
        key("teller-2", Role::Banker, Vec::new(), Some(id("drawer_2")?))?,
        key("operations", Role::Operations, Vec::new(), None)?,
        key("auditor", Role::Auditor, Vec::new(), None)?,
    ];
    for (customer, _) in CUSTOMERS {
        let own = vec![id(&format!("{customer}_savings"))?, id(&format!("{customer}_current"))?];
        wanted.push(key(customer, Role::Customer, own, None)?);
    }
    Ok(wanted)
}
