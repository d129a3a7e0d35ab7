//! bankcore sim
