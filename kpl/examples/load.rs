//! A load generator: how fast, how soon and how cheaply records go through the producer.
//!
//! `cargo run --release -p kpl --example load -- --endpoint http://127.0.0.1:4567 --stream load --records 1000000
//! --size 100 --keys 10000 [--no-aggregation] [--ordered] [--dedup-ids] [--gzip] [--threads 2]` prints one line of JSON. Give it a service in another
//! process that throws records away, or it measures the service.
//!
//! Allocations are counted by a wrapper around the system's allocator, which costs a little on each of them.

mod load {
    pub(crate) mod arguments;
    pub(crate) mod latencies;
    pub(crate) mod process;
}

use aws_credential_types::Credentials;
use aws_sdk_kinesis::config::{BehaviorVersion, Region};
use kpl::{AwsTransport, CallTimeouts, Compression, Config, Delivery, Producer};
use kpl::{RecordRef, StreamName, StreamProducer, UserRecord};
use load::arguments::Arguments;
use load::latencies::Latencies;
use load::process::{cpu_seconds, max_rss_bytes};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::sync::mpsc;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<std::alloc::System> = &INSTRUMENTED_SYSTEM;

/// Records between two looks at one: latency is measured on a sample, so that measuring costs little.
const SAMPLE_EVERY: u64 = 16;

/// Deliveries are handed to the task that looks at them in batches of so many, and so many batches may wait.
const BATCH: usize = 1024;
const BATCHES: usize = 1024;

/// A delivery, and when its record was handed over, if it belongs to the sample.
type Sent = (Delivery, Option<tokio::time::Instant>);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(arguments.threads).enable_all().build()?;
    println!("{}", runtime.block_on(run(&arguments))?);
    Ok(())
}

async fn run(arguments: &Arguments) -> Result<String, Box<dyn std::error::Error>> {
    let mut config = Config::default();
    config.aggregation_enabled = arguments.aggregation;
    config.strict_order = arguments.ordered;
    config.dedup_ids = arguments.dedup_ids;
    config.compression = if arguments.gzip { Compression::Gzip } else { Compression::None };
    // The question is what the producer costs, not what a shard takes.
    config.rate_limit = u32::MAX;
    let producer = Producer::builder(transport(arguments)).config(config).start()?;
    let name = StreamName::new(&arguments.stream)?;
    // The connection and the shard map are not part of the measurement.
    producer.send(UserRecord::new(name.clone(), "warm-up", "x")).await?.await?;
    let calls =
        |producer: &Producer| producer.snapshot().streams.iter().map(|stream| stream.calls).sum::<u64>();
    let calls_before = calls(&producer);

    let (allocations, cpu, started) = (ALLOCATOR.stats().allocations, cpu_seconds(), Latencies::now());
    let mut latencies = send_all(arguments, &producer, &name).await;
    let seconds = (Latencies::now() - started).as_secs_f64();
    let (allocations, cpu) = (ALLOCATOR.stats().allocations - allocations, cpu_seconds() - cpu);
    producer.close().await;

    let records = arguments.records as f64;
    let [p50, p99, p999] = latencies.percentiles_ms([0.5, 0.99, 0.999]);
    Ok(format!(
        "{{\"records\":{},\"size\":{},\"failed\":{},\"seconds\":{seconds:.3},\"cpu_seconds\":{cpu:.2},\
         \"records_per_second\":{:.0},\"records_per_cpu_second\":{:.0},\"p50_ms\":{p50:.1},\"p99_ms\":{p99:.1},\
         \"p999_ms\":{p999:.1},\"put_records_calls\":{},\"max_rss_bytes\":{},\"allocations_per_record\":{:.3}}}",
        arguments.records,
        arguments.size,
        latencies.failed,
        records / seconds,
        records / cpu.max(0.01),
        calls(&producer) - calls_before,
        max_rss_bytes(),
        allocations as f64 / records,
    ))
}

/// One task fills the producer, another looks at the outcomes.
async fn send_all(arguments: &Arguments, producer: &Producer, name: &StreamName) -> Latencies {
    let (to_look_at, mut from_sender) = mpsc::channel::<Vec<Sent>>(BATCHES);
    #[expect(clippy::disallowed_methods, reason = "awaited below")]
    let looking = tokio::spawn(async move {
        let mut latencies = Latencies::default();
        while let Some(batch) = from_sender.recv().await {
            for (delivery, handed_over) in batch {
                latencies.note(delivery.await.is_ok(), handed_over);
            }
        }
        latencies
    });
    let stream: StreamProducer = producer.stream(name);
    let data = vec![b'x'; arguments.size];
    let keys: Vec<String> = (0..arguments.keys).map(|key| format!("key-{key}")).collect();
    let mut batch = Vec::with_capacity(BATCH);
    for number in 0..arguments.records {
        let key = &keys[(number as usize).wrapping_mul(7919) % keys.len()];
        let record = RecordRef::new(key, &data);
        let handed_over = (number % SAMPLE_EVERY == 0).then(Latencies::now);
        let Ok(delivery) = stream.send(record).await else { break };
        batch.push((delivery, handed_over));
        if batch.len() == BATCH {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            if to_look_at.send(full).await.is_err() {
                break;
            }
        }
    }
    let _ = to_look_at.send(batch).await;
    stream.flush().await;
    drop(to_look_at);
    looking.await.unwrap_or_default()
}

fn transport(arguments: &Arguments) -> AwsTransport {
    let builder = aws_sdk_kinesis::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("AKIDLOAD", "secret", None, None, "load"))
        .endpoint_url(&arguments.endpoint);
    let transport = AwsTransport::from_builder(builder, CallTimeouts::default());
    #[cfg(feature = "cbor")]
    if arguments.cbor {
        return transport.with_wire(kpl::Wire::Cbor);
    }
    transport
}
