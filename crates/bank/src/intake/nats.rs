//! Messages from a stream of NATS JetStream; dead letters to the stream of the same name with `-DEAD` behind it.
//!
//! The id of a message is its header `Nats-Msg-Id`.

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::{self, AckKind, Context, Message, stream};
use futures::StreamExt as _;

use super::desk::{Desk, Verdict};
use super::{AT_A_TIME, PAUSE};
use crate::outbox::Broker;

type Broken = Box<dyn std::error::Error + Send + Sync>;

/// The name under which the server remembers how far was read.
const DURABLE: &str = "bankcore";

/// Reads for ever; connects again after the connection broke.
pub(super) async fn run(broker: Broker, desk: Desk) {
    loop {
        let ended = read(&broker, &desk).await;
        let why = ended.err().map_or_else(|| "the stream ended".to_owned(), |error| error.to_string());
        tracing::warn!(stream = broker.place, why, "messages cannot be read; it is tried again");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn read(broker: &Broker, desk: &Desk) -> Result<(), Broken> {
    let client = async_nats::connect(broker.url.expose()).await?;
    let context = jetstream::new(client);
    let subject = broker.place.to_lowercase();
    let dead = format!("{subject}-dead");
    let wanted = |name: String, subject: &str| stream::Config {
        name,
        subjects: vec![format!("{subject}.>")],
        ..stream::Config::default()
    };
    context.get_or_create_stream(wanted(format!("{}-DEAD", broker.place), &dead)).await?;
    let stream = context.get_or_create_stream(wanted(broker.place.clone(), &subject)).await?;
    let durable = pull::Config {
        durable_name: Some(DURABLE.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ..pull::Config::default()
    };
    let consumer: PullConsumer = stream.get_or_create_consumer(DURABLE, durable).await?;
    let messages = consumer.stream().max_messages_per_batch(AT_A_TIME).messages().await?;
    let each = messages.map(|message| {
        let (context, dead) = (context.clone(), dead.clone());
        async move { settle(&context, desk, message?, &dead).await }
    });
    let mut each = std::pin::pin!(each.buffer_unordered(AT_A_TIME));
    while let Some(settled) = each.next().await {
        settled?;
    }
    Ok(())
}

async fn settle(context: &Context, desk: &Desk, message: Message, dead: &str) -> Result<(), Broken> {
    let headers = message.headers.clone().unwrap_or_default();
    let id = headers.get(async_nats::header::NATS_MESSAGE_ID).map(|id| id.as_str().to_owned());
    match desk.decide(id.as_deref(), &message.payload).await {
        Verdict::Done => message.double_ack().await,
        Verdict::Dead { code, detail } => {
            bury(context, &message, headers, dead, &code, &detail).await?;
            message.double_ack().await
        }
        Verdict::Later(why) => {
            tracing::warn!(why, "a message is not decided now; it comes again");
            message.ack_with(AckKind::Nak(Some(PAUSE))).await
        }
    }
}

/// Puts a message among the dead letters, and waits until the server has it for good.
async fn bury(
    context: &Context,
    message: &Message,
    mut headers: HeaderMap,
    dead: &str,
    code: &str,
    detail: &str,
) -> Result<(), Broken> {
    // A line break would end the header.
    let detail = detail.replace(['\r', '\n'], " ");
    headers.insert("bankcore-code", code);
    headers.insert("bankcore-detail", &*detail);
    let subject = format!("{dead}.{code}");
    context.publish_with_headers(subject, headers, message.payload.clone()).await?.await?;
    Ok(())
}
