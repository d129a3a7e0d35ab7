//! Who plays in every scenario: two tellers with a drawer each, and the accounts of the rail.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::office::{Account, CURRENCY, Office};

/// What lies in each drawer and at the partner at first, major units.
const FLOAT: &str = "100000.00";

/// A teller.
pub(in super::super) struct Teller {
    pub(in super::super) key: String,
    pub(in super::super) drawer: Account,
}

/// The cast.
pub(in super::super) struct Cast {
    pub(in super::super) tellers: [Teller; 2],
    /// Money on its way to the partner.
    pub(in super::super) clearing: Account,
    /// The bank's money at the partner.
    pub(in super::super) nostro: Account,
    /// Money whose owner is unclear.
    pub(in super::super) suspense: Account,
}

impl Cast {
    /// Opens the accounts, gives the tellers their drawers and keys, and puts money where it is needed.
    pub(super) async fn gather(office: &mut Office) -> anyhow::Result<Cast> {
        let capital = json!({"name": "Drill, capital", "type": "equity", "currency": CURRENCY});
        let capital = office.open("capital", false, &capital).await?;
        let first = teller(office, 1).await?;
        let second = teller(office, 2).await?;
        let clearing = office.open_own("clearing: on its way to the partner", false).await?;
        let nostro = office.open_own("nostro: ours at the partner", true).await?;
        let suspense = office.open_own("suspense", false).await?;
        for to in [&first.drawer, &second.drawer, &nostro] {
            let entry = |account: &Account, side: &str| -> Value {
                json!({"account_id": account.id, "side": side, "amount": FLOAT, "currency": CURRENCY})
            };
            let entries = json!({"entries": [entry(to, "debit"), entry(&capital, "credit")]});
            let posted = office.act("/api/v1/transactions", &entries).await?;
            posted.done().with_context(|| format!("{} gets no money", to.name))?;
        }
        Ok(Cast { tellers: [first, second], clearing, nostro, suspense })
    }

    /// The accounts that every scenario is counted over.
    pub(in super::super) fn accounts(&self) -> [&Account; 5] {
        let [first, second] = &self.tellers;
        [&first.drawer, &second.drawer, &self.clearing, &self.nostro, &self.suspense]
    }
}

async fn teller(office: &mut Office, number: usize) -> anyhow::Result<Teller> {
    let drawer = office.open_own(&format!("drawer of teller {number}"), true).await?;
    let more = json!({"drawer_account_id": drawer.id});
    let key = office.key(&format!("drill:teller-{number}"), "banker", &more).await?;
    Ok(Teller { key, drawer })
}
