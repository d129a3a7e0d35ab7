//! A payment to the partner while it goes its way: made, followed line by line, and asked about at the other end.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use super::{CURRENCY, LOOK, Person, Scene, UNIT};
use crate::client::segment;
use crate::command::drill::api::{Answer, By};
use crate::command::drill::count::{commas, plain};
use crate::command::drill::story::Who;

/// How long a payment is followed at most, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A payment, as far as it was followed.
pub(in super::super) struct Paid {
    pub(in super::super) id: String,
    /// Its key at the partner.
    pub(in super::super) reference: String,
    /// How much, as the interface writes it.
    pub(in super::super) amount: String,
    told: usize,
    silences: usize,
    /// How it was shown last.
    pub(in super::super) shown: Value,
}

impl Paid {
    pub(in super::super) fn state(&self) -> &str {
        self.shown["state"].as_str().unwrap_or_default()
    }

    /// A transaction of it: funding_id, settlement_id or reversal_id.
    pub(in super::super) fn has(&self, transaction: &str) -> bool {
        self.shown[transaction].is_string()
    }
}

/// Who is paid at the partner.
const BENEFICIARY: (&str, &str) = ("Dora Demir", "GB33BUKB20201555555555");

impl Scene<'_> {
    /// A customer pays somebody at the partner's, and sees how it stands; told.
    pub(in super::super) async fn pay(&mut self, from: &Person, units: i64) -> anyhow::Result<Paid> {
        let intent = self.stage.office.intent();
        let answer = self.ask_to_pay(from, units, &intent).await?;
        let shown = answer.done().context("the payment is refused")?;
        let text = |field: &str| shown[field].as_str().unwrap_or_default().to_owned();
        let (id, reference, amount) = (text("id"), text("rail_reference"), text("amount"));
        ensure!(!reference.is_empty(), "a payment without a reference: {shown}");
        let paid = Paid { id, reference, amount, told: 0, silences: 0, shown };
        let to = BENEFICIARY.0.split(' ').next().unwrap_or_default();
        let told = format!(
            "{} pays {} to {to} at the partner's, and sees: {}",
            from.name,
            commas(&paid.amount),
            paid.state()
        );
        self.tell(Who::Customer, told).await;
        Ok(paid)
    }

    async fn ask_to_pay(&self, from: &Person, units: i64, intent: &str) -> anyhow::Result<Answer> {
        let (name, account) = BENEFICIARY;
        let rail = self.stage.rail.as_ref().context("there is no rail to a partner")?;
        let body = json!({
            "rail": rail.name, "from_account_id": from.account, "amount": plain(units * UNIT), "currency": CURRENCY,
            "beneficiary": {"name": name, "account": account},
        });
        self.stage.office.api.post("/api/v1/payments", By::intent(&from.key, intent), &body).await
    }

    /// Follows a payment until `there`, and tells every line of its timeline.
    ///
    /// # Errors
    /// If it does not get there in time, or the service does not say.
    pub(in super::super) async fn follow(
        &mut self,
        paid: &mut Paid,
        there: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            paid.shown = self.stage.office.read(&format!("/api/v1/payments/{}", segment(&paid.id))).await?;
            let lines = paid.shown["timeline"].as_array().cloned().unwrap_or_default();
            // That it was asked for is the customer's own line.
            for line in lines.iter().skip(paid.told).filter(|line| line["to"] != "created") {
                self.tell_of(paid, line).await;
            }
            paid.told = lines.len();
            if there(&paid.shown) {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                bail!("the payment is {} after {} s", paid.state(), PATIENCE.as_secs());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A silence is told once; how many there were is told when something else happens.
    async fn tell_of(&mut self, paid: &mut Paid, line: &Value) {
        let text = |field: &str| line[field].as_str().unwrap_or_default();
        if text("observed") == "silence" {
            paid.silences += 1;
            if paid.silences > 1 && text("to") == "unknown" {
                return;
            }
        } else if paid.silences > 1 {
            let asked = format!("has asked {} times by now and heard nothing", paid.silences);
            paid.silences = 0;
            self.tell(Who::Service, asked).await;
        }
        let who = match text("actor") {
            actor if actor.starts_with("rail:") => Who::Partner,
            actor if actor.starts_with("internal:") => Who::Service,
            _ => Who::Operator,
        };
        self.tell(who, sentence(line)).await;
    }

    /// How often the partner has credited a payment, from its own books; told.
    ///
    /// # Errors
    /// If the partner does not say, or credited another amount or somebody else.
    pub(in super::super) async fn ask_partner(&mut self, paid: &Paid) -> anyhow::Result<u64> {
        let found = self.stage.rail()?.partner.books(&paid.reference).await?;
        let times = found.as_ref().map_or(0, |credited| credited.times);
        let told = match &found {
            None => "its own books: never heard of this payment".to_owned(),
            Some(_) if times == 0 => "its own books: nobody credited".to_owned(),
            Some(credited) => {
                let right = credited.amount == paid.amount && credited.account == BENEFICIARY.1;
                ensure!(right, "the partner credited {} to {}", credited.amount, credited.account);
                let often = if times == 1 { "once".to_owned() } else { format!("{times} times") };
                format!("its own books: {} credited to {}, {often}", commas(&credited.amount), BENEFICIARY.0)
            }
        };
        self.tell(Who::Partner, told).await;
        Ok(times)
    }
}

/// A line of a payment's timeline, in words.
fn sentence(line: &Value) -> String {
    let text = |field: &str| line[field].as_str().unwrap_or_default();
    let said = match (text("observed"), text("to")) {
        ("posted", "funded") => "customer debited, clearing credited: the money is on its way",
        ("posted", "settled") => "clearing debited, nostro credited: paid",
        ("posted", "reversed") => "clearing debited, customer credited: the money is back",
        ("window_open", _) => "hands the payment to the partner",
        ("silence", "unknown") => "no answer; a silence is no refusal, so it asks under the same reference",
        ("silence", _) => "no answer",
        ("not_found", _) => "does not know the payment; it is sent again under the same reference",
        ("accepted", _) => "has accepted it",
        ("settled", _) => "says: settled",
        ("rejected", _) => "says: rejected",
        ("not_paid", _) => "decides: not paid",
        _ => return plainly(line),
    };
    let transaction = text("transaction_id");
    let reason = text("reason");
    match (transaction.is_empty(), reason.is_empty()) {
        (false, _) => format!("{said} (transaction {transaction})"),
        (true, false) => format!("{said} ({})", reason.trim_end_matches('.')),
        (true, true) => said.to_owned(),
    }
}

/// A line that has no words of its own.
fn plainly(line: &Value) -> String {
    let text = |field: &str| line[field].as_str().unwrap_or_default();
    match text("reason") {
        "" => format!("{}: {}", text("to"), text("observed")),
        reason => format!("{}: {} ({reason})", text("to"), text("observed")),
    }
}
