//! bankcore ledger
