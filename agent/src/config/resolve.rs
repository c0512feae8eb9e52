//! Resolves the tree of a file into the typed configuration.
//!
//! Invariant: resolving never stops at the first mistake. It returns a configuration only together with the
//! findings, and the caller throws the configuration away if there are errors among them.

mod dedup_ids;
mod flow;
mod processing;
mod record_policy;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::findings::Findings;
use super::options::{IntegerOption, Place, TextOption, agent};
use super::path::ConfigPath;
use super::section::Section;
use super::{AgentConfig, FlowConfig, Secret};

/// What the producer takes for its `connect_timeout` and `request_timeout` (kpl's `CONFIGURATION.md`).
const SHORTEST_LIMIT: Duration = Duration::from_millis(100);
const LONGEST_CONNECT: Duration = Duration::from_secs(300);
const LONGEST_ANSWER: Duration = Duration::from_secs(600);

/// The configuration in `tree`; `None` if the tree is no object.
pub(super) fn resolve(tree: &Value, findings: &mut Findings) -> Option<AgentConfig> {
    let mut section = Section::open(Place::Agent, tree, ConfigPath::root(), findings)?;
    section.check_keys();
    check_static_keys(&mut section);
    let flows = flows(&mut section);
    let day = Duration::from_secs(24 * 60 * 60);
    let days = u32::try_from(section.whole_number(&agent::CHECKPOINT_TIME_TO_LIVE_DAYS)).unwrap_or(0);
    let period = section.whole_number(&agent::STATUS_REPORTING_PERIOD_SECONDS);
    let checkpoint_file = section.non_empty_text(&agent::CHECKPOINT_FILE).unwrap_or_default();
    let status_socket = section.non_empty_text(&agent::STATUS_SOCKET);
    Some(AgentConfig {
        flows,
        kinesis_endpoint: endpoint(&mut section, &agent::KINESIS_ENDPOINT),
        kinesis_region: section.non_empty_text(&agent::KINESIS_REGION),
        firehose_endpoint: endpoint(&mut section, &agent::FIREHOSE_ENDPOINT),
        firehose_region: section.non_empty_text(&agent::FIREHOSE_REGION),
        cloudwatch_endpoint: endpoint(&mut section, &agent::CLOUDWATCH_ENDPOINT),
        cloudwatch_region: section.non_empty_text(&agent::CLOUDWATCH_REGION),
        sts_endpoint: endpoint(&mut section, &agent::STS_ENDPOINT),
        aws_access_key_id: section.non_empty_text(&agent::AWS_ACCESS_KEY_ID),
        aws_secret_access_key: section.non_empty_text(&agent::AWS_SECRET_ACCESS_KEY).map(Secret::new),
        assume_role_arn: section.non_empty_text(&agent::ASSUME_ROLE_ARN),
        assume_role_external_id: section.non_empty_text(&agent::ASSUME_ROLE_EXTERNAL_ID).map(Secret::new),
        emit_metrics: section.boolean(&agent::EMIT_METRICS),
        cloudwatch_namespace: section.non_empty_text(&agent::CLOUDWATCH_NAMESPACE).unwrap_or_default(),
        metrics_buffer_time: section.milliseconds(&agent::METRICS_BUFFER_TIME_MILLIS, 1),
        tag_instance: section.boolean(&agent::TAG_INSTANCE),
        status_socket: status_socket.unwrap_or_else(|| format!("{checkpoint_file}.sock")).into(),
        checkpoint_file: checkpoint_file.into(),
        import_checkpoint_file: section
            .text(&agent::IMPORT_CHECKPOINT_FILE)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from),
        dead_letter_directory: section.non_empty_text(&agent::DEAD_LETTER_DIRECTORY).map(PathBuf::from),
        dead_letter_max_bytes: u64::try_from(section.whole_number(&agent::DEAD_LETTER_MAX_BYTES))
            .unwrap_or(0),
        max_open_files: usize::try_from(section.whole_number(&agent::MAX_OPEN_FILES)).unwrap_or(usize::MAX),
        checkpoint_time_to_live: day * days,
        shutdown_timeout: section.milliseconds(&agent::SHUTDOWN_TIMEOUT_MILLIS, 0),
        connection_timeout: time_limit(&mut section, &agent::CONNECTION_TIMEOUT_MILLIS, LONGEST_CONNECT),
        socket_timeout: time_limit(&mut section, &agent::SOCKET_TIMEOUT_MILLIS, LONGEST_ANSWER),
        status_reporting_period: Duration::from_secs(u64::try_from(period).unwrap_or(0)),
    })
}

/// A time limit of a call. The Java agent takes zero for none; here no call is without one.
fn time_limit(section: &mut Section<'_>, option: &IntegerOption, longest: Duration) -> Duration {
    let limit = section.milliseconds(option, 0);
    if limit.is_zero() { longest } else { limit.clamp(SHORTEST_LIMIT, longest) }
}

fn flows(section: &mut Section<'_>) -> Vec<FlowConfig> {
    let Some(items) = section.items(agent::FLOWS.name) else {
        if section.value(agent::FLOWS.name).is_none() {
            section.missing(agent::FLOWS.name, Some("it says which files go to which streams".to_owned()));
        }
        return Vec::new();
    };
    if items.is_empty() {
        let hint =
            "add an object with \"filePattern\" and \"kinesisStream\" or \"deliveryStream\"".to_owned();
        section.error(agent::FLOWS.name, "there are no flows".to_owned(), Some(hint));
    }
    let mut seen = HashMap::new();
    let mut flows = Vec::with_capacity(items.len());
    for (path, item) in items {
        let Some(flow) = flow::resolve(item, path.clone(), section.findings()) else { continue };
        if let Some(first) = seen.insert(flow.id.clone(), path.clone()) {
            let message = format!("the same files go to the same stream as in {first}");
            section.findings().error(path, message, Some("remove one of the two".to_owned()));
        }
        flows.push(flow);
    }
    flows
}

/// An endpoint as an address; like the Java agent, takes a bare host name too.
fn endpoint(section: &mut Section<'_>, option: &TextOption) -> Option<String> {
    let text = section.non_empty_text(option)?;
    let (scheme, host) = text.split_once("://").unwrap_or(("https", &text));
    if !matches!(scheme, "http" | "https") || host.is_empty() || host.contains(char::is_whitespace) {
        let message = format!("\"{text}\" is no endpoint");
        let hint = "write a host name or an address like https://kinesis.eu-west-1.amazonaws.com".to_owned();
        section.error(option.name, message, Some(hint));
    }
    Some(format!("{scheme}://{host}"))
}

/// One static key without the other is no credential; the Java agent goes on to the next source without a
/// word.
fn check_static_keys(section: &mut Section<'_>) {
    let both = [agent::AWS_ACCESS_KEY_ID.name, agent::AWS_SECRET_ACCESS_KEY.name];
    let is_set = |name: &str| section.value(name).is_some_and(|value| value.as_str() != Some(""));
    let [id, secret] = both.map(is_set);
    if id != secret {
        let (there, absent) = if id { (both[0], both[1]) } else { (both[1], both[0]) };
        section.warn(there, "has no effect alone", &format!("set \"{absent}\" too, or remove both"));
    }
}
