//! bankcore bank
