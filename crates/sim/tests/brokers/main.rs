//! The outbox over real brokers: NATS and RabbitMQ from Debian, killed and started again under load.

mod bank;
mod intake;
mod nats;
mod rabbitmq;
