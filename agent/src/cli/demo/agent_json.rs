//! The agent.json of the demo: what a user would write, with the sandbox's endpoint.
//!
//! Invariant: it is text and goes through the ordinary parser; the agent knows nothing of the demo.

use std::path::Path;

use serde_json::json;

/// The log's name in its directory.
pub(super) const LOG_NAME: &str = "access.log";
/// The checkpoint file's name in the same directory.
pub(super) const CHECKPOINT_NAME: &str = "checkpoints.db";

/// What the text depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'p> {
    /// Of all services.
    pub(super) endpoint: &'p str,
    /// Where the records go.
    pub(super) stream: &'p str,
    /// Where log and checkpoints are.
    pub(super) directory: &'p Path,
}

/// The text.
pub(super) fn text(places: &Places<'_>) -> String {
    let Places { endpoint, stream, directory } = places;
    let configuration = json!({
        "kinesis.endpoint": endpoint,
        "kinesis.region": "us-east-1",
        "cloudwatch.endpoint": endpoint,
        "cloudwatch.region": "us-east-1",
        "cloudwatch.emitMetrics": true,
        "cloudwatch.metricsBufferTimeMillis": 1000,
        "awsAccessKeyId": "test",
        "awsSecretAccessKey": "test",
        "checkpointFile": directory.join(CHECKPOINT_NAME),
        "flows": [{
            "filePattern": directory.join(LOG_NAME),
            "kinesisStream": stream,
            "initialPosition": "START_OF_FILE",
            "aggregation": true,
            "maxBufferAgeMillis": 1000,
            "dataProcessingOptions": [{ "optionName": "LOGTOJSON", "logFormat": "COMBINEDAPACHELOG" }],
        }],
    });
    format!("{configuration:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AgentConfig;

    #[test]
    fn the_agent_takes_it_without_a_warning() {
        let places =
            Places { endpoint: "http://127.0.0.1:4567", stream: "s", directory: Path::new("/scratch") };
        let parsed = AgentConfig::parse(&text(&places), "agent.json").expect("is valid");
        assert_eq!(parsed.warnings, []);
        assert!(parsed.config.flows[0].aggregation);
        assert_eq!(parsed.config.checkpoint_file, Path::new("/scratch/checkpoints.db"));
    }
}
