//! `consume`: reads a stream from its start and prints its user records, one a line.
//!
//! Invariant: standard output holds whole records only; a reader of it that goes away ends the command quietly.

mod repeats;

use std::io::{self, Write};
use std::num::NonZeroU32;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use kpl::DedupId;
use serde::Serialize;

use repeats::Repeats;

use crate::log_output::say;
use crate::stream_reader::{ConsumedRecord, ReadError, ReadExtent, StreamReader, connect};

/// Arguments of `consume`.
#[derive(Debug, Args)]
#[command(after_help = "\
Aggregated records are taken apart as the Kinesis Client Library does.

Examples:
  kinesis-agent consume --stream clicks --endpoint http://127.0.0.1:4567
  kinesis-agent consume --stream clicks --region eu-west-1 --follow
  kinesis-agent consume --stream clicks --json | jq -r .shardId | sort | uniq -c
  kinesis-agent consume --stream clicks --dedup
  kinesis-agent consume --stream clicks --dedup-field dedupId

Exit codes: 0 everything was read, 1 the stream could not be read, 2 wrong usage.")]
pub(super) struct ConsumeArguments {
    /// The stream to read.
    #[arg(long, value_name = "NAME")]
    stream: String,
    /// Where Kinesis is, if not AWS, such as http://127.0.0.1:4567. An endpoint on this machine needs no credentials.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The AWS region; default: as every AWS tool finds it.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Go on with what is put from now on, until Ctrl-C; default: stop at the present end.
    #[arg(long)]
    follow: bool,
    /// Print a JSON object for each record: data (dataBase64 if it is not UTF-8), partitionKey, explicitHashKey,
    /// shardId, sequenceNumber, subSequenceNumber (null unless it was aggregated), approximateArrivalTimestamp, dedupId
    /// (left out where there is no tag).
    #[arg(long)]
    json: bool,
    /// Leave out records whose tag has a dedup id that was seen before ("dedupIds": "TAG" in agent.json, or kpl's own).
    /// What has no id is printed. How many were left out is said at the end, on standard error.
    #[arg(long)]
    dedup: bool,
    /// The same by this member of records that are JSON objects ("dedupIds": "FIELD"), where the tag has no id.
    #[arg(long, value_name = "NAME")]
    dedup_field: Option<String>,
    /// Remember so many ids of all shards together, the oldest forgotten first; each takes about 150 bytes once it was
    /// seen. A repeat that comes after more records than that is not recognised.
    #[arg(long, value_name = "IDS", default_value = "1000000")]
    dedup_window: NonZeroU32,
}

/// Why it ended early.
#[derive(Debug)]
enum ConsumeError {
    Read(ReadError),
    Output(io::Error),
}

/// The form of `--json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonRecord<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
    partition_key: &'r str,
    explicit_hash_key: Option<String>,
    shard_id: &'r str,
    sequence_number: &'r str,
    sub_sequence_number: Option<u64>,
    approximate_arrival_timestamp: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dedup_id: Option<&'r str>,
}

/// Prints the stream.
pub(super) async fn run(arguments: ConsumeArguments) -> ExitCode {
    match print_stream(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(ConsumeError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(ConsumeError::Output(error)) => {
            say(&format!(
                "kinesis-agent: standard output cannot be written: {error}; records were not all printed"
            ));
            ExitCode::FAILURE
        }
        Err(ConsumeError::Read(error)) => {
            say(&format!("kinesis-agent: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn print_stream(arguments: &ConsumeArguments) -> Result<(), ConsumeError> {
    let client = connect(arguments.endpoint.as_deref(), arguments.region.as_deref()).await?;
    let extent = if arguments.follow { ReadExtent::Follow } else { ReadExtent::ToTip };
    let mut reader = StreamReader::open(client, &arguments.stream, extent).await?;
    let mut output = io::BufWriter::new(io::stdout());
    let is_wanted = arguments.dedup || arguments.dedup_field.is_some();
    let mut repeats = is_wanted.then(|| Repeats::new(arguments.dedup_field.clone(), arguments.dedup_window));
    while let Some(records) = reader.next().await? {
        for record in &records {
            if repeats.as_mut().is_some_and(|repeats| repeats.is_repeat(record)) {
                continue;
            }
            print_record(&mut output, record, arguments.json)?;
        }
        if reader.is_page_empty() {
            output.flush()?;
        }
    }
    output.flush()?;
    if let Some(repeats) = repeats {
        say(&format!("kinesis-agent: {repeats}"));
    }
    Ok(())
}

fn print_record(output: &mut impl Write, record: &ConsumedRecord, json: bool) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *output, &JsonRecord::new(record))?;
    } else {
        output.write_all(record.data.strip_suffix(b"\n").unwrap_or(&record.data))?;
    }
    output.write_all(b"\n")
}

impl<'r> JsonRecord<'r> {
    fn new(record: &'r ConsumedRecord) -> Self {
        let data = std::str::from_utf8(&record.data).ok();
        Self {
            data,
            data_base64: data.is_none().then(|| STANDARD.encode(&record.data)),
            partition_key: &record.partition_key,
            explicit_hash_key: record.explicit_hash_key.map(|key| key.to_string()),
            shard_id: record.shard_id.as_str(),
            sequence_number: record.sequence_number.as_str(),
            sub_sequence_number: record.sub_sequence_number,
            approximate_arrival_timestamp: record.approximate_arrival,
            dedup_id: record.dedup_id.as_ref().map(DedupId::as_str),
        }
    }
}

impl From<ReadError> for ConsumeError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<io::Error> for ConsumeError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use kpl::HashKey;

    fn printed(data: &'static [u8], json: bool, dedup_id: Option<DedupId>) -> Vec<u8> {
        let record = ConsumedRecord {
            dedup_id,
            data: Bytes::from_static(data),
            partition_key: "key".into(),
            explicit_hash_key: Some(HashKey(7)),
            shard_id: "shardId-000000000001".into(),
            sequence_number: "49".into(),
            sub_sequence_number: Some(3),
            approximate_arrival: Some(1.5),
        };
        let mut output = Vec::new();
        print_record(&mut output, &record, json).expect("memory takes everything");
        output
    }

    #[test]
    fn every_record_ends_in_one_newline() {
        for (data, expected) in [
            (&b"a"[..], &b"a\n"[..]),
            (b"a\n", b"a\n"),
            (b"a\n\n", b"a\n\n"),
            (b"", b"\n"),
            (b"\xFF", b"\xFF\n"),
        ] {
            assert_eq!(printed(data, false, None), expected);
        }
    }

    #[test]
    fn json_says_where_the_record_was() {
        let rest = r#","partitionKey":"key","explicitHashKey":"7","shardId":"shardId-000000000001","sequenceNumber":"49","subSequenceNumber":3,"approximateArrivalTimestamp":1.5}"#;
        for (data, first) in [(&b"a\n"[..], r#"{"data":"a\n""#), (b"\xFF\x00", r#"{"dataBase64":"/wA=""#)] {
            assert_eq!(
                String::from_utf8(printed(data, true, None)).expect("JSON is text"),
                format!("{first}{rest}\n")
            );
        }
        let tagged = printed(b"a", true, DedupId::new("id").ok());
        assert!(tagged.ends_with(b",\"dedupId\":\"id\"}\n"));
    }
}
