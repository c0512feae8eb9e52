//! One trial: so many bytes of one kind of traffic over one line, and what came of it.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use kinesis_sandbox::Sandbox;
use kinesis_slow_line::{Shape, SlowLine};
use kpl::{AwsTransport, CallTimeouts, Config, Producer, StreamName, UserRecord};

use crate::reader::read_back;
use crate::support::{STREAM, behavior, credentials, region, sandbox};

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    name: &'static str,
    record_bytes: usize,
    aggregation: bool,
}

/// Traffic over a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trial {
    pub(crate) shape: Shape,
    pub(crate) traffic: Traffic,
    /// Bytes of data in all.
    pub(crate) bytes: usize,
}

/// What came of a trial; displayed as a row of the table.
#[derive(Debug)]
pub(crate) struct TrialResult {
    trial: Trial,
    pub(crate) records: usize,
    pub(crate) missing: usize,
    pub(crate) repeats: usize,
    took: Duration,
    bytes_sent: u64,
}

impl Traffic {
    pub(crate) const AGGREGATED_LINES: Self =
        Self { name: "500 bytes, aggregated", record_bytes: 500, aggregation: true };
    pub(crate) const LONG_LINES: Self =
        Self { name: "10 KB, aggregated", record_bytes: 10_000, aggregation: true };
    pub(crate) const SINGLE_RECORDS: Self =
        Self { name: "100 bytes, alone", record_bytes: 100, aggregation: false };

    /// Bytes that a record takes of the line at least: base64, and the names in an entry that is alone.
    fn line_bytes(self) -> usize {
        self.record_bytes.div_ceil(3) * 4 + if self.aggregation { 8 } else { 45 }
    }
}

impl Trial {
    pub(crate) async fn run(self) -> TrialResult {
        let sandbox = sandbox(&[]).await;
        sandbox.create_stream(STREAM, 4).await.expect("created");
        let line = SlowLine::start(sandbox.address(), self.shape).expect("a free port");
        let records = self.bytes / self.traffic.record_bytes;
        let started = now();
        self.send(&line, records).await;
        let took = now() - started;
        let bytes_sent = line.bytes_sent();
        let (missing, repeats) = count(&sandbox, records).await;
        TrialResult { trial: self, records, missing, repeats, took, bytes_sent }
    }

    /// Everything is there at once, as a backlog is.
    async fn send(&self, line: &SlowLine, records: usize) {
        let mut config = Config::default();
        config.record_ttl = None;
        config.aggregation_enabled = self.traffic.aggregation;
        let builder = aws_sdk_kinesis::Config::builder()
            .behavior_version(behavior())
            .region(region())
            .credentials_provider(credentials())
            .endpoint_url(line.endpoint());
        let transport = AwsTransport::from_builder(builder, CallTimeouts::default());
        let producer = Producer::builder(transport).config(config).start().expect("a valid configuration");
        let stream = StreamName::new(STREAM).expect("a valid name");
        for number in 0..records {
            let mut data = format!("{number:09} ").into_bytes();
            data.resize(self.traffic.record_bytes, b'x');
            let record = UserRecord::new(stream.clone(), format!("key-{}", number % 1000), data);
            drop(producer.send(record).await.expect("an open producer"));
        }
        producer.close().await;
    }
}

/// How many records are not in the stream, and how many more than once.
async fn count(sandbox: &Sandbox, records: usize) -> (usize, usize) {
    let mut counts = HashMap::<Vec<u8>, usize>::new();
    for arrived in read_back(sandbox).await {
        *counts.entry(arrived.data[..9].to_vec()).or_default() += 1;
    }
    (records - counts.len(), counts.values().map(|count| count - 1).sum())
}

#[expect(clippy::disallowed_methods, reason = "the table says how long a trial took; no test judges it")]
fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

impl fmt::Display for TrialResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trial { shape, traffic, .. } = self.trial;
        let line_bytes = (self.records * traffic.line_bytes()) as f64;
        let ideal = line_bytes / f64::from(shape.bytes_per_second) + 2.0 * shape.latency.as_secs_f64();
        let took = self.took.as_secs_f64();
        let verdict = match self.missing {
            0 if took <= ideal * 1.3 + 5.0 => "yes".to_owned(),
            0 => "**no**".to_owned(),
            missing => format!("**{missing} missing**"),
        };
        write!(
            formatter,
            "| {} KB/s | {} ms | {} % | {} | {} KB | {ideal:.1} | {took:.1} | {:.2} % | {verdict} |",
            shape.bytes_per_second / 1000,
            2 * shape.latency.as_millis(),
            shape.stalls * 100.0,
            traffic.name,
            self.bytes_sent / 1000,
            self.repeats as f64 * 100.0 / self.records as f64,
        )
    }
}
