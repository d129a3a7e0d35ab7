//! Shapes: which accounts a load moves money between.

use clap::ValueEnum;
use ledger::AccountId;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Which accounts transfers go between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// Any two accounts.
    Spread,
    /// One account pays everybody.
    HotSource,
    /// Everybody pays one account.
    HotDestination,
    /// Two accounts pay each other.
    HotPair,
    /// A few accounts get most of it, many get a little (exponent 1).
    Zipf,
}

/// Draws pairs of accounts; the same seed draws the same pairs.
pub struct Pairs {
    shape: Shape,
    accounts: u64,
    random: SmallRng,
}

impl Pairs {
    /// Over the accounts 1 to `accounts`, at least two.
    pub fn new(shape: Shape, accounts: u64, seed: u64) -> Pairs {
        Pairs { shape, accounts: accounts.max(2), random: SmallRng::seed_from_u64(seed) }
    }

    /// The next payer and payee, which differ.
    pub fn draw(&mut self) -> (AccountId, AccountId) {
        let (from, to) = match self.shape {
            Shape::Spread => (self.any(), self.any()),
            Shape::HotSource => (1, self.any()),
            Shape::HotDestination => (self.any(), 1),
            Shape::HotPair => {
                if self.random.random() {
                    (1, 2)
                } else {
                    (2, 1)
                }
            }
            Shape::Zipf => (self.zipf(), self.zipf()),
        };
        let to = if to == from { from % self.accounts + 1 } else { to };
        (AccountId(from), AccountId(to))
    }

    fn any(&mut self) -> u64 {
        self.random.random_range(1..=self.accounts)
    }

    /// By inversion: for exponent 1 the rank is the account count to the power of a uniform number.
    fn zipf(&mut self) -> u64 {
        let uniform: f64 = self.random.random();
        ((self.accounts as f64).powf(uniform) as u64).clamp(1, self.accounts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_pays_himself() {
        for shape in [Shape::Spread, Shape::HotSource, Shape::HotDestination, Shape::HotPair, Shape::Zipf] {
            for accounts in [2, 3, 1_000] {
                let mut pairs = Pairs::new(shape, accounts, 7);
                for _ in 0..2_000 {
                    let (from, to) = pairs.draw();
                    assert_ne!(from, to, "{shape:?}");
                    assert!((1..=accounts).contains(&from.0) && (1..=accounts).contains(&to.0), "{shape:?}");
                }
            }
        }
    }
}
