//! The sandbox as a program sees it that runs it in process.
//!
//! Invariant: the server runs exactly as long as its [`Sandbox`] lives; dropping it closes every connection.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::aws_error::AwsError;
use crate::backend::Backend;
use crate::cloudwatch::metric_datum::MetricDatum;
use crate::counters::Counters;
use crate::faults::FaultStatus;
use crate::faults::rule::FaultRule;
use crate::options::{SandboxError, SandboxOptions};
use crate::server;

/// A running sandbox.
pub struct Sandbox {
    address: SocketAddr,
    backend: Arc<Backend>,
    /// A set of one, because a set stops its tasks when it is dropped.
    server: JoinSet<()>,
}

impl Sandbox {
    /// Starts a sandbox on the tokio runtime that this is called in; it answers from then on.
    ///
    /// # Errors
    ///
    /// [`SandboxError::NotLoopback`] for an address that other machines could reach, and [`SandboxError::Listen`] if
    /// the operating system refuses the address.
    pub async fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        let wanted = options.listen;
        if !wanted.ip().is_loopback() {
            return Err(SandboxError::NotLoopback { address: wanted });
        }
        let refused = |source| SandboxError::Listen { address: wanted, source };
        let listener = TcpListener::bind(wanted).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let backend = Arc::new(Backend::new(options));
        let mut server = JoinSet::new();
        server.spawn(server::serve(listener, Arc::clone(&backend)));
        tracing::debug!(%address, "the sandbox listens");
        Ok(Self { address, backend, server })
    }

    /// The endpoint URL for AWS clients, such as `http://127.0.0.1:40000`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address that the sandbox listens on, with the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Creates a stream with so many shards (at least 1); it is ACTIVE when this returns.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Refused`] for a name or count that Kinesis would refuse, and for a stream that exists.
    pub async fn create_stream(&self, name: &str, shards: u32) -> Result<(), SandboxError> {
        let created = self.backend.kinesis.create_stream(name, shards).await;
        created.map_err(|error| refused("CreateStream", name, error))
    }

    /// Creates a delivery stream; it is ACTIVE when this returns.
    ///
    /// # Errors
    ///
    /// [`SandboxError::Refused`] for a name that Firehose would refuse, and for a delivery stream that exists.
    pub fn create_delivery_stream(&self, name: &str) -> Result<(), SandboxError> {
        let created = self.backend.firehose.create(name);
        created.map(drop).map_err(|error| refused("CreateDeliveryStream", name, error))
    }

    /// What a delivery stream received, in the order in which it was stored; `None` if there is no such delivery
    /// stream.
    pub fn delivered(&self, name: &str) -> Option<Vec<Bytes>> {
        self.backend.firehose.delivered(name)
    }

    /// Every metric datum received, oldest first; the newest 100,000 are kept.
    pub fn metrics(&self) -> Vec<MetricDatum> {
        self.backend.cloudwatch.metrics()
    }

    /// What was received since the start.
    pub fn counters(&self) -> Counters {
        self.backend.counters()
    }

    /// Puts other fault rules in the place of all rules; the random choices begin anew from the seed.
    pub fn set_faults(&self, rules: Vec<FaultRule>) {
        self.backend.faults.replace(rules);
    }

    /// The fault rules and how often each fired.
    pub fn faults(&self) -> Vec<FaultStatus> {
        self.backend.faults.status()
    }

    /// Stops the sandbox: nothing listens any more when this returns, and every connection is closed, calls that hang
    /// included.
    pub async fn shutdown(mut self) {
        self.server.shutdown().await;
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sandbox").field("address", &self.address).finish_non_exhaustive()
    }
}

fn refused(operation: &'static str, name: &str, error: AwsError) -> SandboxError {
    SandboxError::Refused { operation, name: name.to_owned(), code: error.code, message: error.message }
}
