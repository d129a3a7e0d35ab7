//! The way when no server runs: the bank is opened here and asked through the same router.

use std::sync::Arc;

use axum::Router;
use bank::http::{self, App};
use bank::service::Service;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use tower::ServiceExt as _;

use super::answer::Answer;
use crate::config::Config;
use crate::{closing, settings};

/// A bank opened for one command.
pub(super) struct Inside {
    service: Arc<Service>,
    router: Router,
}

impl Inside {
    pub(super) fn new(service: Service, config: &Config) -> Inside {
        let service = Arc::new(service);
        let router = http::local_router(App::new(Arc::clone(&service), settings::http(config)));
        Inside { service, router }
    }

    pub(super) async fn ask(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        through(self.router.clone(), request).await
    }

    pub(super) async fn close(self) {
        drop(self.router);
        closing::close(self.service).await;
    }
}

/// Asks a router.
pub(super) async fn through(router: Router, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
    let response = match router.oneshot(request.map(axum::body::Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    Answer::read(response).await
}
