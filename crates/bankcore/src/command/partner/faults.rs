//! What goes wrong: by rule (a beneficiary), by probability, by request of whoever tests; from a seed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

/// What can go wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fault {
    /// The payment is refused for good.
    Refuse,
    /// It is accepted now and settled later, by notice.
    Late,
    /// The answer comes, and twice more as a notice.
    Twice,
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// The request is lost.
    LoseRequest,
    /// Nothing is served for a while.
    Down,
    /// The process dies, before or after the work.
    Crash,
    /// The end is told by notice before the answer says that it was accepted.
    OutOfOrder,
    /// The opposite of what was decided is told later.
    Contradict,
}

impl Fault {
    const ALL: [(&str, Fault); 9] = [
        ("refuse", Fault::Refuse),
        ("late", Fault::Late),
        ("twice", Fault::Twice),
        ("lose_answer", Fault::LoseAnswer),
        ("lose_request", Fault::LoseRequest),
        ("down", Fault::Down),
        ("crash", Fault::Crash),
        ("out_of_order", Fault::OutOfOrder),
        ("contradict", Fault::Contradict),
    ];

    fn named(name: &str) -> anyhow::Result<Fault> {
        let known = Fault::ALL.iter().find(|(known, _)| *known == name);
        let names = || Fault::ALL.map(|(name, _)| name).join(", ");
        known
            .map(|(_, fault)| *fault)
            .with_context(|| format!("there is no fault {name}; there are {}", names()))
    }
}

/// The dice.
pub(super) struct Faults {
    chances: BTreeMap<Fault, f64>,
    rules: BTreeMap<String, Fault>,
    random: StdRng,
}

impl Faults {
    /// From the flags.
    pub(super) fn parse(list: &str, rules: &[String], seed: u64) -> anyhow::Result<Faults> {
        let mut faults =
            Faults { chances: BTreeMap::new(), rules: BTreeMap::new(), random: StdRng::seed_from_u64(seed) };
        for one in list.split(',').filter(|one| !one.is_empty()) {
            let (name, chance) =
                one.split_once('=').with_context(|| format!("{one}: say FAULT=PROBABILITY"))?;
            let chance = chance.parse().with_context(|| format!("{one}: the probability is a number"))?;
            faults.chances.insert(Fault::named(name)?, chance);
        }
        for rule in rules {
            let (account, fault) =
                rule.split_once('=').with_context(|| format!("{rule}: say ACCOUNT=FAULT"))?;
            faults.rules.insert(account.to_owned(), Fault::named(fault)?);
        }
        faults.check()?;
        Ok(faults)
    }

    fn check(&self) -> anyhow::Result<()> {
        match self.chances.iter().find(|(_, chance)| !(0.0..=1.0).contains(*chance)) {
            Some((fault, chance)) => bail!("{fault:?}={chance}: a probability lies between 0 and 1"),
            None => Ok(()),
        }
    }

    /// Other probabilities from now on.
    pub(super) fn set(&mut self, chances: BTreeMap<Fault, f64>) -> anyhow::Result<()> {
        let before = std::mem::replace(&mut self.chances, chances);
        self.check().inspect_err(|_| self.chances = before)
    }

    /// What goes wrong with this request.
    pub(super) fn draw(&mut self, beneficiary: Option<&str>) -> Drawn {
        let mut drawn: BTreeSet<Fault> = BTreeSet::new();
        for (fault, chance) in &self.chances {
            // Each die is thrown, so that one fault more or less does not change all the others.
            if self.random.random_bool(*chance) {
                drawn.insert(*fault);
            }
        }
        drawn.extend(beneficiary.and_then(|account| self.rules.get(account)));
        Drawn { faults: drawn, coin: self.random.random_bool(0.5) }
    }
}

/// What goes wrong with one request.
pub(super) struct Drawn {
    faults: BTreeSet<Fault>,
    /// For what can happen before or after.
    pub(super) coin: bool,
}

impl Drawn {
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_faults_and_a_rule_always_holds() {
        let drawn = || {
            let mut faults = Faults::parse("late=0.5,refuse=0.1", &["7001=down".into()], 7).unwrap();
            (0..100).map(|_| faults.draw(Some("7001")).faults).collect::<Vec<_>>()
        };
        assert_eq!(drawn(), drawn());
        assert!(drawn().iter().all(|faults| faults.contains(&Fault::Down)));
        assert!((30..70).contains(&drawn().iter().filter(|faults| faults.contains(&Fault::Late)).count()));
    }

    #[test]
    fn what_is_no_fault_and_no_probability_is_told() {
        for (list, rule) in
            [("sleepy=0.1", ""), ("late=2", ""), ("late=x", ""), ("late", ""), ("", "7001"), ("", "7=x")]
        {
            let rules: Vec<String> =
                [rule].iter().filter(|rule| !rule.is_empty()).map(|r| (*r).to_owned()).collect();
            assert!(Faults::parse(list, &rules, 1).is_err(), "{list} {rule}");
        }
    }
}
