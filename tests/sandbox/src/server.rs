//! The server: connections in, requests to the backend or to the control requests.
//!
//! Invariant: at most [`MAX_CONNECTIONS`] are open at once; dropping the [`serve`] future closes every one of them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::aws_error::AwsError;
use crate::backend::{Backend, Dropped};
use crate::call::{Call, Protocol, header};
use crate::codec::{MAX_BODY_BYTES, gzip};
use crate::pause::pause;
use crate::{control, reply};

/// Beyond it new connections wait to be accepted.
const MAX_CONNECTIONS: usize = 4096;
/// How long to wait when the operating system cannot give a connection, as when descriptors have run out.
const PAUSE_AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// Serves until it is dropped.
pub(crate) async fn serve(listener: TcpListener, backend: Arc<Backend>) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    // The semaphore is never closed, so the loop ends only by being dropped.
    while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let backend = Arc::clone(&backend);
                connections.spawn(async move {
                    serve_connection(stream, backend).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the sandbox cannot accept a connection; trying again");
                pause(PAUSE_AFTER_FAILED_ACCEPT).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve_connection(stream: TcpStream, backend: Arc<Backend>) {
    // Answers are small and awaited.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY on a connection");
    }
    let service = service_fn(move |request| {
        let backend = Arc::clone(&backend);
        async move { respond(&backend, request).await }
    });
    // An error of the service closes the connection without an answer: exactly what a dropped call needs.
    if let Err(error) =
        auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
    {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn respond(backend: &Backend, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let Ok(body) = to_bytes(Body::new(body), MAX_BODY_BYTES).await else {
        return Ok(refuse(backend, Protocol::Json { minor: 1 }, &body_error()));
    };
    if path.starts_with(control::PREFIX) {
        return Ok(control::respond(backend, &head.method, path, &body));
    }
    let body: Bytes = match gzip::unpack(body, header(&head.headers, "content-encoding")) {
        Ok(body) => body,
        Err(error) => return Ok(refuse(backend, Protocol::Json { minor: 1 }, &error)),
    };
    match Call::recognise(path, &head.headers, &body) {
        Ok(call) => backend.answer(&call, &body).await,
        Err((protocol, error)) => Ok(refuse(backend, protocol, &error)),
    }
}

fn refuse(backend: &Backend, protocol: Protocol, error: &AwsError) -> Response<Body> {
    reply::failure(protocol, error, &backend.request_id())
}

fn body_error() -> AwsError {
    AwsError::new(413, "RequestEntityTooLargeException", gzip::too_large())
}
