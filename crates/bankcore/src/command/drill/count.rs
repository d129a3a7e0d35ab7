//! Where every unit is: each account before and after, and whether debits equal credits. Pure.

/// An account before and after, minor units on its normal side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    /// A customer's.
    pub(super) customer: bool,
    /// It grows by debits: an asset or an expense.
    pub(super) debit_side: bool,
    pub(super) before: i64,
    pub(super) after: i64,
    /// By how much it should have changed.
    pub(super) expected: i64,
}

impl Row {
    fn change(&self) -> i64 {
        self.after - self.before
    }

    /// What it was debited by, all in all; zero if it was credited.
    pub(super) fn debit(&self) -> i64 {
        let debited = if self.debit_side { self.change() } else { -self.change() };
        debited.max(0)
    }

    /// What it was credited by, all in all; zero if it was debited.
    pub(super) fn credit(&self) -> i64 {
        let credited = if self.debit_side { -self.change() } else { self.change() };
        credited.max(0)
    }

    /// It changed.
    pub(super) fn moved(&self) -> bool {
        self.before != self.after
    }
}

/// All that was ever debited and credited in the bank, in one currency, as the trial balance says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Total {
    pub(super) currency: String,
    pub(super) debits: String,
    pub(super) credits: String,
}

/// The count of one scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Count {
    pub(super) rows: Vec<Row>,
    pub(super) totals: Vec<Total>,
}

impl Count {
    /// What left one of the accounts is on another of them, and debits equal credits in the whole bank.
    pub(super) fn balanced(&self) -> bool {
        let (debits, credits) = self.sums();
        debits == credits && equal(&self.totals)
    }

    /// Debits and credits of the accounts, minor units.
    pub(super) fn sums(&self) -> (i64, i64) {
        (self.rows.iter().map(Row::debit).sum(), self.rows.iter().map(Row::credit).sum())
    }

    /// The first account that did not change as it should.
    pub(super) fn astray(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.change() != row.expected)
    }
}

/// Debits equal credits in every currency; a bank without any is none.
pub(super) fn equal(totals: &[Total]) -> bool {
    !totals.is_empty() && totals.iter().all(|total| total.debits == total.credits)
}

/// Minor units from a text with two decimals, as the interface writes them.
pub(super) fn minor(text: &str) -> Option<i64> {
    let (whole, cents) = text.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if cents.len() != 2 || !digits(cents) || !digits(whole.trim_start_matches('-')) {
        return None;
    }
    format!("{whole}{cents}").parse().ok()
}

/// Minor units as the interface takes them: 2000.00.
pub(super) fn plain(minor: i64) -> String {
    let (sign, size) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs());
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

/// Minor units as people read them: 2,000.00.
pub(super) fn grouped(minor: i64) -> String {
    commas(&plain(minor))
}

/// An amount with commas between thousands.
pub(super) fn commas(amount: &str) -> String {
    let (whole, cents) = amount.split_once('.').unwrap_or((amount, ""));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut text = sign.to_owned();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if cents.is_empty() { text } else { format!("{text}.{cents}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(debit_side: bool, before: i64, after: i64) -> Row {
        let (id, name) = ("7".to_owned(), "Alice".to_owned());
        Row { id, name, customer: !debit_side, debit_side, before, after, expected: after - before }
    }

    fn total(debits: &str, credits: &str) -> Total {
        Total { currency: "BDT".into(), debits: debits.into(), credits: credits.into() }
    }

    /// A customer is owed less, the partner is owed less by us: paid.
    #[test]
    fn what_left_one_account_and_is_on_another_is_balanced() {
        let rows = vec![row(false, 500_000, 300_000), row(false, 0, 0), row(true, 900_000, 700_000)];
        let count = Count { rows, totals: vec![total("1.00", "1.00")] };
        assert_eq!(count.sums(), (200_000, 200_000));
        assert!(count.balanced());
        assert_eq!(count.astray(), None);
    }

    /// The lost leg: the sender was debited, and nobody was credited.
    #[test]
    fn a_lost_leg_is_not_balanced() {
        let rows = vec![row(false, 500_000, 300_000), row(false, 0, 0)];
        assert!(!Count { rows, totals: vec![total("1.00", "1.00")] }.balanced());
    }

    #[test]
    fn a_bank_whose_debits_and_credits_differ_is_not_balanced_whatever_the_accounts_say() {
        let rows = || vec![row(false, 500_000, 300_000), row(false, 0, 200_000)];
        assert!(Count { rows: rows(), totals: vec![total("1.00", "1.00")] }.balanced());
        assert!(
            !Count { rows: rows(), totals: vec![total("1.00", "1.00"), total("2.00", "1.99")] }.balanced()
        );
        assert!(
            !Count { rows: rows(), totals: Vec::new() }.balanced(),
            "a bank that says nothing proves nothing"
        );
    }

    /// Balanced and wrong: the money is all there, and somebody else has it.
    #[test]
    fn money_that_is_with_somebody_else_is_told() {
        let mut rows = vec![row(false, 500_000, 300_000), row(false, 0, 200_000)];
        rows[1].expected = 0;
        let count = Count { rows, totals: vec![total("1.00", "1.00")] };
        assert!(count.balanced());
        assert_eq!(count.astray(), Some(&count.rows[1]));
    }

    #[test]
    fn amounts_are_read_strictly_and_written_for_people() {
        assert_eq!(minor("1234567.80"), Some(123_456_780));
        assert_eq!(minor("-0.05"), Some(-5));
        for text in ["", "5", "5.0", "5.000", "five", "1,000.00", "--1.00", "-.00"] {
            assert_eq!(minor(text), None, "{text}");
        }
        assert_eq!(grouped(123_456_780), "1,234,567.80");
        assert_eq!(grouped(-10_000), "-100.00");
        assert_eq!(plain(-5), "-0.05");
        assert_eq!(commas("1000"), "1,000");
    }
}
