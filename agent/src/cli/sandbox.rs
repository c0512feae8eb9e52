//! `sandbox`: the loopback AWS endpoint on its own, for any AWS client.
//!
//! Invariant: the line on standard output comes when the streams exist and calls are answered, so a script can wait
//! for it.

use std::io::Write as _;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::process::ExitCode;

use clap::Args;
use kinesis_sandbox::{FaultRule, Sandbox, SandboxError, SandboxOptions};

use crate::log_output::say;
use crate::signals::Termination;

/// How fault rules are written; shown by every command that takes them.
pub(super) const FAULT_RULES: &str = "\
Fault rules are written FAULT:PARAMETER=VALUE,PARAMETER=VALUE and may be given several times:
  throttle     entries of a put are refused as too fast         own parameters: shard
  fail         entries of a put fail with an error code         shard, code (InternalFailure)
  delay        a call waits before it is carried out            ms (required)
  drop-before  the connection is closed, nothing is stored
  drop-after   the call is carried out, then the connection is closed without an answer
  error500     HTTP 500, nothing is stored
  hang         never answered, nothing is stored
Parameters that all have:
  share   of what the rule could strike, 0 to 1 (1)
  op      an operation, such as PutRecords or firehose:PutRecord (all; for throttle and fail all puts)
  stream  a stream or delivery stream (all)
  times   strike at most so many calls, or entries for throttle and fail
  after   leave so many matching calls alone first
Examples:
  --fault throttle:share=0.3
  --fault fail:shard=0,code=InternalFailure,times=100
  --fault drop-after:share=0.1,op=PutRecords --fault delay:ms=300";

const EXAMPLES: &str = "\
Examples:
  kinesis-agent sandbox --stream clicks
  kinesis-agent sandbox --listen 127.0.0.1:0 --stream clicks --shards 2 --enforce-limits
  aws --endpoint-url http://127.0.0.1:4567 kinesis list-streams
";

/// Arguments of `sandbox`.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n{FAULT_RULES}"))]
pub(super) struct SandboxArguments {
    /// Address to listen on; must be of this machine only. Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4567")]
    listen: SocketAddr,
    /// Create this stream; may be given several times.
    #[arg(long = "stream", value_name = "NAME")]
    streams: Vec<String>,
    /// Create this Firehose delivery stream; may be given several times.
    #[arg(long = "delivery-stream", value_name = "NAME")]
    delivery_streams: Vec<String>,
    /// Shards of each stream that is created here, or by a client without a count.
    #[arg(long, value_name = "COUNT", default_value = "4")]
    shards: NonZeroU32,
    /// Enforce the limits of a shard: 1 MiB and 1000 records a second.
    #[arg(long)]
    enforce_limits: bool,
    /// Answer puts without storing the records, for benchmarks.
    #[arg(long)]
    discard: bool,
    /// Seed of the random choices of the faults; the same seed and calls give the same faults.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
    /// A fault to inject, such as throttle:share=0.3; may be given several times.
    #[arg(long = "fault", value_name = "RULE")]
    faults: Vec<FaultRule>,
}

/// Runs a sandbox until SIGINT or SIGTERM.
pub(super) async fn run(arguments: SandboxArguments) -> ExitCode {
    let mut termination = match Termination::listen() {
        Ok(termination) => termination,
        Err(error) => {
            say(&format!(
                "kinesis-agent: signals cannot be received, so the sandbox could not be ended: {error}"
            ));
            return ExitCode::FAILURE;
        }
    };
    let sandbox = match start(&arguments).await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            say(&format!("kinesis-agent: {error}"));
            return ExitCode::FAILURE;
        }
    };
    announce(&sandbox.endpoint(), arguments.streams.first().map(String::as_str));
    termination.received().await;
    sandbox.shutdown().await;
    ExitCode::SUCCESS
}

async fn start(arguments: &SandboxArguments) -> Result<Sandbox, SandboxError> {
    let sandbox = Sandbox::start(SandboxOptions {
        listen: arguments.listen,
        default_shards: arguments.shards,
        enforce_limits: arguments.enforce_limits,
        discard_records: arguments.discard,
        faults: arguments.faults.clone(),
        seed: arguments.seed,
        ..SandboxOptions::default()
    })
    .await?;
    for stream in &arguments.streams {
        sandbox.create_stream(stream, arguments.shards.get()).await?;
    }
    for stream in &arguments.delivery_streams {
        sandbox.create_delivery_stream(stream)?;
    }
    Ok(sandbox)
}

fn announce(endpoint: &str, stream: Option<&str>) {
    say(&greeting(endpoint, stream));
    let mut output = std::io::stdout().lock();
    // Whoever started us need not read it.
    let _ = writeln!(output, "listening on {endpoint}").and_then(|()| output.flush());
}

/// What a newcomer can do next. Commands for a stream that does not exist come with the one that makes it.
fn greeting(endpoint: &str, stream: Option<&str>) -> String {
    let aws = format!(
        "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test aws --region us-east-1 --endpoint-url {endpoint} kinesis"
    );
    let name = stream.unwrap_or("clicks");
    let first = match stream {
        Some(_) => format!("{aws} list-streams"),
        None => format!("{aws} create-stream --stream-name {name} --shard-count 2"),
    };
    format!(
        "Kinesis, Firehose, CloudWatch and STS at {endpoint}; records stay in memory. Ctrl-C ends it. Try:\n  \
         {first}\n  \
         {aws} put-record --stream-name {name} --partition-key k --data aGVsbG8K\n  \
         kinesis-agent consume --stream {name} --endpoint {endpoint}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_fault_rules_are_valid() {
        let examples = FAULT_RULES.split("--fault ").skip(1).map(str::trim);
        let rules: Result<Vec<FaultRule>, _> = examples.map(str::parse).collect();
        assert_eq!(rules.expect("all valid").len(), 4);
    }

    #[test]
    fn the_greeting_makes_the_stream_that_it_uses() {
        assert!(greeting("http://127.0.0.1:1", None).contains("create-stream --stream-name clicks"));
        assert!(!greeting("http://127.0.0.1:1", Some("s")).contains("create-stream"));
        assert!(
            greeting("http://127.0.0.1:1", Some("s"))
                .contains("consume --stream s --endpoint http://127.0.0.1:1")
        );
    }
}
