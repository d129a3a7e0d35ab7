//! What people do: make a payment, have it cancelled, decide about what is held.

use ledger::NameId;
use uuid::Uuid;

use super::note::{Noted, Seen};
use super::order::{Refused, Wish};
use super::payment::{self, Payment, Transactions};
use super::rail::settings::{Lane, RailSettings};
use super::rail::{Party, Said, What};
use super::rows::next_number;
use super::saga::{Observation, Resolution, Saga, State};
use super::{PaymentError, Payments, case, new_id, now, transition};
use crate::database::Actor;

/// Whose intent a payment is.
#[derive(Clone, Debug)]
pub struct Maker {
    /// The principal, by name.
    pub principal: String,
    /// The same, as the books number it.
    pub principal_id: NameId,
    /// Who acts, and from where.
    pub actor: Actor,
}

/// What became of a wish.
#[derive(Debug)]
pub enum Made {
    /// There is a payment; it may have been refused by the books.
    Payment {
        /// As it stands now.
        payment: Box<Payment>,
        /// It was there before, under the same key.
        replayed: bool,
    },
    /// Nothing was written.
    Refused(Refused),
}

/// What became of a decision about a payment.
#[derive(Debug)]
pub enum Decision {
    /// It counts.
    Done(Box<Payment>),
    /// It is not possible where the payment stands.
    NotNow(Box<Payment>),
}

impl Payments {
    /// Makes a payment and has it funded. The same wish under the same key is the same payment.
    ///
    /// # Errors
    /// [`PaymentError`]; nothing was written, or the same wish under the same key finds it.
    pub async fn create(&self, wish: &Wish, key: &str, maker: &Maker) -> Result<Made, PaymentError> {
        if let Some(made) = self.made_before(wish, key, maker).await? {
            return Ok(made);
        }
        let Some(rail) = self.rail(&wish.rail).await? else {
            return Ok(Made::Refused(Refused::UnknownRail(wish.rail.clone())));
        };
        let lane = match wish.fits(&rail) {
            Ok(lane) => lane,
            Err(refused) => return Ok(Made::Refused(refused)),
        };
        let debtor = match self.debtor(wish).await? {
            Ok(debtor) => debtor,
            Err(refused) => return Ok(Made::Refused(refused)),
        };
        let Some(id) = self.insert(wish, key, maker, &rail, lane, &debtor).await? else {
            // The same key at the same moment: the other one's payment is there now.
            let made = self.made_before(wish, key, maker).await?;
            return Ok(made.unwrap_or(Made::Refused(Refused::KeyReused)));
        };
        // From here on the payment counts; if it cannot be funded at once, the driver does it.
        if let Err(error) = self.advance(id, State::Created).await {
            tracing::warn!(%error, payment = %id, "the payment is funded later");
        }
        self.wake.notify_one();
        let payment = self.payment(id).await?.expect("payments are never deleted");
        Ok(Made::Payment { payment: Box::new(payment), replayed: false })
    }

    async fn made_before(&self, wish: &Wish, key: &str, maker: &Maker) -> Result<Option<Made>, PaymentError> {
        let known = self.payment_by_key(&maker.principal, key).await?;
        Ok(known.map(|payment| {
            if payment.fingerprint == wish.fingerprint() {
                Made::Payment { payment: Box::new(payment), replayed: true }
            } else {
                Made::Refused(Refused::KeyReused)
            }
        }))
    }

    /// Writes the row; none if the key was used meanwhile.
    async fn insert(
        &self,
        wish: &Wish,
        key: &str,
        maker: &Maker,
        rail: &RailSettings,
        lane: &Lane,
        debtor: &Party,
    ) -> Result<Option<Uuid>, PaymentError> {
        let fault = |error| self.database.fault(error);
        let at = now();
        let id = new_id(at)?;
        let mut change = self.database.begin(&maker.actor, at).await?;
        let used: Option<i64> =
            sqlx::query_scalar("SELECT number FROM payments WHERE principal = ? AND idempotency_key = ?")
                .bind(maker.principal.as_str())
                .bind(key)
                .fetch_optional(change.connection())
                .await
                .map_err(fault)?;
        if used.is_some() {
            return Ok(None);
        }
        let number = next_number(change.connection(), "payments").await.map_err(fault)?;
        let opens = rail.next_window(at);
        let payment = Payment {
            id,
            number,
            rail: rail.name.clone(),
            reference: id.simple().to_string(),
            principal: maker.principal.clone(),
            principal_id: maker.principal_id.0,
            key: key.to_owned(),
            fingerprint: wish.fingerprint(),
            account: wish.account,
            amount: wish.amount,
            currency: wish.currency,
            clearing: lane.clearing,
            settlement: lane.settlement,
            suspense: lane.suspense,
            debtor: debtor.clone(),
            beneficiary: wish.beneficiary.clone(),
            client_reference: wish.client_reference.clone(),
            description: wish.description.clone(),
            mode: wish.mode,
            saga: Saga::NEW,
            version: 1,
            due_at: Some(at),
            queued_until: (opens > at).then_some(opens),
            expected_at: Some(opens.saturating_add(rail.answers_within_us(wish.mode))),
            created_at: at,
            changed_at: at,
            transactions: Transactions::default(),
            refusal: None,
        };
        payment::insert(change.connection(), &payment).await.map_err(fault)?;
        let line = transition::New {
            payment: id,
            version: 1,
            at,
            by: &maker.actor,
            from: None,
            to: State::Created,
            attempt: 0,
            observed: "asked",
            reason: None,
            transaction: None,
        };
        transition::write(change.connection(), line).await.map_err(fault)?;
        change.commit().await?;
        Ok(Some(id))
    }

    /// Has a payment cancelled: at once if it has not been handed over, else by asking the rail. A cancel that was
    /// asked for before, or confirmed, counts again.
    ///
    /// # Errors
    /// [`PaymentError`].
    pub async fn cancel(
        &self,
        id: Uuid,
        by: &Actor,
        reason: Option<&str>,
    ) -> Result<Option<Decision>, PaymentError> {
        let seen = Seen { by, reason, event: None, resolves: None };
        let Some(noted) = self.note(id, Observation::CancelAsked, &seen).await? else { return Ok(None) };
        let saga = noted.payment.saga;
        let asked = matches!(saga.state, State::CancelRequested | State::Cancelled) || saga.cancel;
        let gone_back = saga.state == State::Reversed;
        let payment = Box::new(noted.payment);
        let counts = noted.changed || asked || gone_back;
        Ok(Some(if counts { Decision::Done(payment) } else { Decision::NotNow(payment) }))
    }

    /// Decides about the payment of a case, with a reason that stays. The case is resolved by it.
    ///
    /// # Errors
    /// [`PaymentError`].
    pub async fn decide(
        &self,
        case: Uuid,
        payment: Uuid,
        resolution: Resolution,
        by: &Actor,
        reason: &str,
    ) -> Result<Option<Decision>, PaymentError> {
        let seen = Seen { by, reason: Some(reason), event: None, resolves: Some(case) };
        let noted = self.note(payment, Observation::Operator(resolution), &seen).await?;
        Ok(noted.map(|Noted { payment, changed }| {
            let payment = Box::new(payment);
            if changed { Decision::Done(payment) } else { Decision::NotNow(payment) }
        }))
    }

    /// Resolves a case without touching anything else; false if it was resolved before.
    ///
    /// # Errors
    /// [`PaymentError`].
    pub async fn close_case(&self, case: Uuid, by: &Actor, reason: &str) -> Result<bool, PaymentError> {
        let at = now();
        let mut change = self.database.begin(by, at).await?;
        let done = case::resolve(change.connection(), case, "closed", reason, by, at).await;
        let done = done.map_err(|error| self.database.fault(error))?;
        change.commit().await?;
        Ok(done)
    }
}

impl Payments {
    /// A rail told where a payment stands; false if no such payment was ever given to it.
    ///
    /// # Errors
    /// [`PaymentError`]; the rail tells it again.
    pub async fn told(&self, rail: &str, reference: &str, said: &Said) -> Result<bool, PaymentError> {
        let Some(payment) = self.payment_by_reference(rail, reference).await? else { return Ok(false) };
        let saw = match said.what {
            What::Stands(answer) => Observation::Rail(answer),
            What::CancelDenied => Observation::Denied,
        };
        let by = Actor::new(&format!("rail:{rail}"), "notice");
        let words = said.words();
        let seen = Seen { by: &by, reason: words.as_deref(), event: None, resolves: None };
        self.note(payment.id, saw, &seen).await?;
        Ok(true)
    }
}
