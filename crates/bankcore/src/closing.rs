//! The end of a bank that was shared with a server or a router.

use std::sync::Arc;
use std::time::Duration;

use bank::service::Service;

/// How long the last users may take to let go: longer than any request under way.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);

/// Closes a bank once everybody has let go of it. What was answered is durable with or without that.
pub async fn close(mut service: Arc<Service>) {
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        service = match Arc::try_unwrap(service) {
            Ok(service) => return service.close().await,
            Err(shared) => shared,
        };
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
    tracing::warn!("something still uses the bank; it is left as it is, and the next start confirms its end");
}
