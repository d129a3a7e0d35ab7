//! One suite of behaviours over every store. Nothing in it asks which store it is.

sim::conformance!(memory, sim::conformance::Memory);
sim::conformance!(journal, sim::conformance::Journal);
sim::conformance!(mysql, sim::conformance::MySql);
