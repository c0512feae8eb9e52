//! What a sandbox is started with, and why starting or using it can fail.
//!
//! Invariant: the defaults alone give a working sandbox on a free port.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;

use crate::faults::rule::FaultRule;

/// The shards that AWS gives a new stream in on-demand mode.
const DEFAULT_SHARDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(3);

/// How a [`Sandbox`](crate::Sandbox) is set up.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// The address to listen on; must be a loopback address. Port 0 takes a free one. Default: `127.0.0.1:0`.
    pub listen: SocketAddr,
    /// Shards of a stream that is created without a count (on-demand mode). Default: 4, as in AWS.
    pub default_shards: NonZeroU32,
    /// Enforce the limits of a shard: 1 MiB and 1000 records a second. The limits of a record (1 MiB of data and
    /// partition key, 256 characters of key) and of a call (500 records, 5 MiB) always hold. Default: false.
    pub enforce_limits: bool,
    /// Answer writes to streams and delivery streams without storing the records, for benchmarks. Counters still
    /// count, faults still strike; a shard takes what comes, even with `enforce_limits`. Default: false.
    pub discard_records: bool,
    /// The faults to begin with. Default: none.
    pub faults: Vec<FaultRule>,
    /// Seed of the random choices of the faults. Default: 0.
    pub seed: u64,
    /// The region in every ARN. Default: `us-east-1`.
    pub region: String,
    /// The account in every ARN, 12 digits. Default: `000000000000`.
    pub account_id: String,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            default_shards: DEFAULT_SHARDS,
            enforce_limits: false,
            discard_records: false,
            faults: Vec::new(),
            seed: 0,
            region: "us-east-1".to_owned(),
            account_id: "000000000000".to_owned(),
        }
    }
}

/// Why the sandbox could not do what it was asked to in process.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address would have been reachable from other machines.
    #[error("the sandbox cannot listen on {address}: only loopback addresses are allowed; use 127.0.0.1:{}", address.port())]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The operating system refused the address.
    #[error(
        "the sandbox cannot listen on {address}: {source}; choose another port, or port 0 for a free one"
    )]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The emulated service refused a call made in process, as it would have refused a client's.
    #[error("{operation} of `{name}` was refused: {code}: {message}")]
    Refused {
        /// The AWS operation.
        operation: &'static str,
        /// The stream or delivery stream.
        name: String,
        /// AWS's code, such as `ResourceInUseException`.
        code: String,
        /// AWS's message.
        message: String,
    },
}
