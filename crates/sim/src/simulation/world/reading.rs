//! Readers of history: pages, references, balances of the past, whole states of the past.

use bank::books::ByValue;
use bank::books::history::{self, From, Moment};
use bank::sequencer::{AccountView, Fault};
use bank::store::Reads;
use ledger::{AccountId, Date, Effect, Sequence};
use rand::Rng;

use super::World;
use crate::auditor;
use crate::model::{Fact, Model};

impl World {
    pub(super) fn read(&mut self) {
        let result = match self.rng.random_range(0..10) {
            0..3 => self.read_reference(),
            3..6 => self.read_page(),
            6..8 => self.read_balance(),
            8 => self.read_state(),
            _ => self.read_event(),
        };
        match result {
            Ok(()) => {}
            Err(Fault::Unreadable(why)) => assert!(self.luck.reads, "a healthy disk can be read: {why}"),
            Err(fault) => panic!("a reader was told {fault}"),
        }
    }

    fn reads(&self) -> &dyn Reads {
        &*self.life.as_ref().expect("alive").reading
    }

    fn read_event(&mut self) -> Result<(), Fault> {
        let at = self.rng.random_range(0..=self.model.head() + 2);
        let event = self.reads().event(Sequence(at))?;
        let expected = (at as usize).checked_sub(1).and_then(|index| self.model.facts.get(index));
        assert_eq!(event.as_ref().map(Fact::from).as_ref(), expected.map(|fact| &**fact), "event {at}");
        Ok(())
    }

    fn read_reference(&mut self) -> Result<(), Fault> {
        let reference = format!("INV-{}", self.rng.random_range(0..17));
        let before = self.rng.random_range(0..=self.model.head() + 1);
        let limit = self.rng.random_range(1..20);
        let found = self.reads().by_reference(&reference, Sequence(before), limit)?;
        let carrying = self.model.references.get(&reference).map_or(&[][..], Vec::as_slice);
        let expected: Vec<Sequence> =
            carrying.iter().rev().filter(|at| **at < before).take(limit).map(|at| Sequence(*at)).collect();
        assert_eq!(found, expected, "{reference} before {before}");
        Ok(())
    }

    /// An account, as it stands in the rules' state. Real readers have it from a question in the queue.
    fn an_account(&mut self) -> Option<(AccountId, ledger::Account)> {
        let count = self.model.accounts.len() as u64;
        let id = AccountId(self.rng.random_range(1..=count.max(1)));
        Some((id, *self.life.as_ref().expect("alive").writing.state().account(id)?))
    }

    fn read_page(&mut self) -> Result<(), Fault> {
        let Some((id, account)) = self.an_account() else { return Ok(()) };
        let (limit, up) = (self.rng.random_range(1..30), self.rng.random_bool(0.5));
        let version = self.rng.random_range(1..=account.version + 1);
        let from = if up { From::Up(version) } else { From::Down(version) };
        let page = history::page(self.reads(), id, &account, from, &(0..=u64::MAX), limit, |_| true)?;
        let touching: Vec<u64> = self.touching(id);
        let seen: Vec<u64> = page.steps.iter().map(|step| step.event.sequence.0).collect();
        let expected: Vec<u64> = if up {
            touching.iter().skip(version as usize - 1).take(limit).copied().collect()
        } else {
            touching.iter().take(version as usize).rev().take(limit).copied().collect()
        };
        assert_eq!(seen, expected, "account {id} {from:?}");
        Ok(())
    }

    fn touching(&self, id: AccountId) -> Vec<u64> {
        let touches =
            |fact: &&std::sync::Arc<crate::model::Fact>| fact.legs.iter().any(|leg| leg.account == id.0);
        self.model.facts.iter().filter(touches).map(|fact| fact.sequence).collect()
    }

    fn read_balance(&mut self) -> Result<(), Fault> {
        let Some((id, account)) = self.an_account() else { return Ok(()) };
        let at = self.rng.random_range(1..=self.model.head());
        let time = self.model.facts[at as usize - 1].time;
        let (moment, last) = if self.rng.random_bool(0.5) {
            (Moment::Sequence(Sequence(at)), at)
        } else {
            (Moment::Time(time), self.model.facts.partition_point(|fact| fact.time <= time) as u64)
        };
        let step = history::balance_at(self.reads(), id, &account, moment)?;
        let newest = self.touching(id).into_iter().rfind(|sequence| *sequence <= last);
        assert_eq!(step.map(|step| step.event.sequence.0), newest, "account {id} at {moment:?}");
        self.read_by_value(id, account, self.model.facts[at as usize - 1].value)
    }

    /// What counts by a day is the sum of the entries that do.
    fn read_by_value(&self, id: AccountId, account: ledger::Account, day: i32) -> Result<(), Fault> {
        let view = AccountView { id, account, owner: None };
        let state = self.life.as_ref().expect("alive").writing.state();
        let seen = ByValue::of(state, view, Date(day)).balance(self.reads())?;
        let by_then = self.model.facts.iter().filter(|fact| fact.value <= day);
        let legs = by_then.flat_map(|fact| &fact.legs);
        let growing = self.model.accounts[&id.0].growing();
        let posted = legs.filter(|leg| leg.account == id.0 && leg.effect == Effect::Posted);
        let expected: i128 =
            posted.map(|leg| if leg.side == growing { leg.amount } else { -leg.amount }).sum();
        assert_eq!(seen, expected, "account {id} by value on {}", Date(day));
        Ok(())
    }

    fn read_state(&mut self) -> Result<(), Fault> {
        let at = self.rng.random_range(1..=self.model.head());
        let state = self.reads().state_at(Sequence(at))?;
        let mut model = Model::new((0, 1));
        for fact in self.model.facts.iter().take(at as usize) {
            model.fold(fact, None);
        }
        auditor::same_state(&state, &model);
        Ok(())
    }
}
