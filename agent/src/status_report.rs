//! What `status` and `shipped` are told, by a running agent or by the checkpoint file: requests and answers, which are
//! lines of JSON on the agent's socket.
//!
//! Invariant: fields are only added within a [`VERSION`]; a reader passes over those that it does not know.

use serde::{Deserialize, Serialize};

use crate::checkpoint::{FileCheckpoint, Fingerprint, Print};
use crate::statistics::FlowStatistics;
use crate::types::Node;

/// The version of requests and answers.
pub const VERSION: u32 = 1;

/// The longest request, in bytes with its newline.
pub const LONGEST_REQUEST_BYTES: usize = 4096;

/// A request: one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// [`VERSION`].
    pub version: u32,
    /// What is asked.
    #[serde(flatten)]
    pub command: Command,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// How all flows and files stand.
    Status,
    /// How one file stands, with its fingerprint.
    File {
        /// The device on which it is.
        device: u64,
        /// Its inode.
        inode: u64,
    },
}

/// An answer: one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What was asked for.
    Report(StatusReport),
    /// Why there is none.
    Error(String),
}

/// How the agent stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusReport {
    /// [`VERSION`].
    pub version: u32,
    /// Whether an agent answers; if not, this is what the checkpoint file says.
    pub is_running: bool,
    /// The agent's version.
    pub agent_version: String,
    /// The checkpoint file.
    pub checkpoint_file: String,
    /// Why checkpoints are not being saved, if they are not.
    pub checkpoint_trouble: Option<String>,
    /// The flows, in the order of the configuration.
    pub flows: Vec<FlowReport>,
}

/// How a flow stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowReport {
    /// Its id.
    pub flow: String,
    /// What is wrong with it, if anything is.
    pub trouble: Option<String>,
    /// Files that cannot be read.
    pub unreadable: Vec<String>,
    /// The same, and directories, with the reason; a thousand at most.
    #[serde(default)]
    pub not_read: Vec<UnreadableReport>,
    /// Records that the service has acknowledged since the start.
    pub records_acknowledged: u64,
    /// What else it has done since the start.
    #[serde(default)]
    pub counts: FlowCounts,
    /// The line to the service; nothing is known of it when no agent runs.
    #[serde(default)]
    pub line: LineReport,
    /// The files under way.
    pub files: Vec<FileReport>,
}

/// A file or directory that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableReport {
    /// It.
    pub path: String,
    /// Why not, and what to do.
    pub why: String,
}

/// What is known of the line to the service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LineReport {
    /// Bytes a second that it was measured to carry; with little traffic it may be faster. `null` while that is not known.
    pub bytes_per_second: Option<u64>,
    /// Whether records wait because it carries no more.
    pub is_limit: bool,
}

/// What a flow has done since the start, as far as an operator may wonder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlowCounts {
    /// Bytes read of all files.
    pub bytes_read: u64,
    /// Records cut from them.
    pub records_parsed: u64,
    /// Records that a rule of the configuration left out.
    pub records_dropped: u64,
    /// Those of them that do not have the format that LOGTOJSON names.
    pub records_unmatched: u64,
    /// Those of them that are footers.
    pub footers_skipped: u64,
    /// Records that a converter failed on, sent as they were.
    pub conversion_failures: u64,
    /// Records that were cut for their size.
    pub records_truncated: u64,
    /// Records that the service refused and that were sent again.
    pub records_republished: u64,
    /// Records that can never be sent, and are in the dead-letter file.
    pub records_dead_lettered: u64,
    /// Files that are stopped at a record that can never be sent.
    pub files_stopped: u64,
    /// Truncations and rotations seen.
    pub rotations: u64,
    /// Rotated files that were never seen before their rotation, and read from their beginning.
    pub unseen_generations: u64,
    /// Bytes that were seen in a file before it was truncated, and are in no copy of it: the gap that `copytruncate` leaves.
    pub bytes_lost_by_truncation: u64,
    /// NUL bytes at the beginning of truncated files, passed over.
    pub hole_bytes: u64,
    /// Bytes of over-long lines that were passed over.
    pub bytes_passed_over: u64,
}

/// How a file stands. Positions and sizes are bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileReport {
    /// Where it was last seen.
    pub path: String,
    /// The device on which it is.
    pub device: u64,
    /// Its inode.
    pub inode: u64,
    /// Its size when it was last looked at; `null` if that is not known.
    pub size: Option<u64>,
    /// Up to where it was read.
    pub read: u64,
    /// Up to where it was handed to the producer.
    pub sent: u64,
    /// Up to where every byte is acknowledged or dropped by a rule.
    pub acknowledged: u64,
    /// Bytes that are not acknowledged.
    pub lag_bytes: u64,
    /// For how long the oldest of them has been seen in the file, in seconds.
    pub lag_seconds: f64,
    /// The position of the first byte that was not handed to the producer yet, if there is one.
    pub oldest_unsent_byte: Option<u64>,
    /// What is happening with it.
    pub state: FileState,
    /// Why.
    pub why: String,
    /// How its content is recognised at the end of what can be vouched for; only when one file was asked for.
    pub fingerprint: Option<FingerprintReport>,
}

/// What is happening with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Everything in it is acknowledged.
    Idle,
    /// It is being read, or will be.
    Reading,
    /// What was read is with the service, or about to be.
    Sending,
    /// The destination takes no more for now.
    Blocked,
    /// Its last line has no end yet.
    OpenLine,
    /// It is not followed any more: it was rotated away and is acknowledged to its end.
    Finished,
    /// No agent runs.
    Stopped,
}

/// A [`Fingerprint`] on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FingerprintReport {
    /// The position that it is about.
    pub offset: u64,
    /// Bytes at the beginning that it covers.
    pub head_length: u32,
    /// Their MD5.
    pub head_md5: [u8; 16],
    /// Bytes before the position that it covers.
    pub marker_length: u32,
    /// Their MD5.
    pub marker_md5: [u8; 16],
}

impl From<&FlowStatistics> for FlowCounts {
    fn from(statistics: &FlowStatistics) -> Self {
        Self {
            bytes_read: statistics.bytes_read.get(),
            records_parsed: statistics.records_parsed.get(),
            records_dropped: statistics.records_dropped.get(),
            records_unmatched: statistics.records_unmatched.get(),
            footers_skipped: statistics.footers_skipped.get(),
            conversion_failures: statistics.conversion_failures.get(),
            records_truncated: statistics.records_truncated.get(),
            records_republished: statistics.records_republished.get(),
            records_dead_lettered: statistics.records_dead_lettered.get(),
            files_stopped: statistics.files_stopped.get(),
            rotations: statistics.rotations.get(),
            unseen_generations: statistics.unseen_generations.get(),
            bytes_lost_by_truncation: statistics.bytes_lost_by_truncation.get(),
            hole_bytes: statistics.hole_bytes.get(),
            bytes_passed_over: statistics.bytes_passed_over.get(),
        }
    }
}

impl From<Fingerprint> for FingerprintReport {
    fn from(Fingerprint { offset, head, marker }: Fingerprint) -> Self {
        Self {
            offset,
            head_length: head.length,
            head_md5: head.digest,
            marker_length: marker.length,
            marker_md5: marker.digest,
        }
    }
}

impl From<FingerprintReport> for Fingerprint {
    fn from(report: FingerprintReport) -> Self {
        Self {
            offset: report.offset,
            head: Print { length: report.head_length, digest: report.head_md5 },
            marker: Print { length: report.marker_length, digest: report.marker_md5 },
        }
    }
}

impl FileReport {
    /// The report of a file of which only a checkpoint is known. `size`: its size, if it was found.
    #[must_use]
    pub fn of_checkpoint(checkpoint: &FileCheckpoint, size: Option<u64>) -> Self {
        let offset = checkpoint.fingerprint.offset;
        let (state, why) = if checkpoint.is_finished {
            (FileState::Finished, "rotated away and shipped to its end")
        } else {
            (FileState::Stopped, "no agent runs")
        };
        let lag_bytes = size.unwrap_or(offset).saturating_sub(offset);
        Self {
            path: checkpoint.path.display().to_string(),
            device: checkpoint.node.device,
            inode: checkpoint.node.inode,
            size,
            read: offset,
            sent: offset,
            acknowledged: offset,
            lag_bytes,
            lag_seconds: 0.0,
            oldest_unsent_byte: (lag_bytes > 0).then_some(offset),
            state,
            why: why.to_owned(),
            fingerprint: Some(checkpoint.fingerprint.into()),
        }
    }

    /// Why a file of `size` bytes is not shipped, of which `vouched` ones are known to be.
    fn why_short_of(&self, size: u64, vouched: u64) -> String {
        let (bytes, has_grown) = (size - vouched, self.size.is_some_and(|seen| seen < size));
        match self.state {
            FileState::Idle | FileState::Finished if has_grown => {
                format!("{bytes} bytes are not acknowledged: the file has grown since it was looked at")
            }
            FileState::Idle => format!("{bytes} bytes belong to a record or a header that may still grow"),
            _ => format!("{bytes} bytes are not acknowledged: {}", self.why),
        }
    }

    /// Where the file system keeps the file, as far as the report tells.
    #[must_use]
    pub fn node(&self) -> Node {
        Node { device: self.device, inode: self.inode, birth: 0 }
    }
}

/// Whether a file is shipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shipped {
    /// Every byte in it is acknowledged, by every flow that follows it.
    Yes,
    /// This flow is not done with it.
    NotYet {
        /// The flow.
        flow: String,
        /// Why not.
        why: String,
    },
    /// No flow follows it, or ever did.
    Unknown,
}

/// Judges whether a file of `size` is shipped. `standings`: how it stands in a flow, and whether the fingerprint was found
/// in the file. `followers`: the flows whose pattern matches its name.
#[must_use]
pub fn judge(size: u64, standings: &[(String, FileReport, bool)], followers: &[String]) -> Shipped {
    let not_yet = |flow: &String, why: String| Shipped::NotYet { flow: flow.clone(), why };
    for (flow, standing, holds) in standings {
        let vouched = standing.fingerprint.map_or(0, |fingerprint| fingerprint.offset);
        if vouched < size {
            return not_yet(flow, standing.why_short_of(size, vouched));
        }
        if vouched > size || !holds {
            return not_yet(flow, "it was truncated or replaced, which is not seen yet".to_owned());
        }
    }
    let is_known = |flow: &&String| !standings.iter().any(|(known, _, _)| known == *flow);
    if let Some(flow) = followers.iter().find(is_known) {
        return not_yet(flow, "it is not taken up yet".to_owned());
    }
    if standings.is_empty() { Shipped::Unknown } else { Shipped::Yes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::FileId;

    fn standing(flow: &str, offset: u64, holds: bool) -> (String, FileReport, bool) {
        let checkpoint = FileCheckpoint {
            file: FileId(1),
            path: "/log/a".into(),
            former_paths: Vec::new(),
            node: Node { device: 1, inode: 2, birth: 0 },
            fingerprint: Fingerprint { offset, ..Fingerprint::default() },
            is_finished: false,
            origin: None,
        };
        (flow.to_owned(), FileReport::of_checkpoint(&checkpoint, None), holds)
    }

    #[test]
    fn a_file_is_shipped_when_every_flow_vouches_for_every_byte() {
        let [one, two] = ["one", "two"].map(str::to_owned);
        for (name, size, standings, followers, expected) in [
            ("all of it", 10, vec![standing("one", 10, true)], vec![one.clone()], "yes"),
            (
                "all of it, under a name that nobody follows",
                10,
                vec![standing("one", 10, true)],
                vec![],
                "yes",
            ),
            ("an empty one", 0, vec![standing("one", 0, true)], vec![one.clone()], "yes"),
            ("a part", 10, vec![standing("one", 9, true)], vec![one.clone()], "one"),
            ("truncated", 10, vec![standing("one", 11, true)], vec![one.clone()], "one"),
            ("replaced", 10, vec![standing("one", 10, false)], vec![one.clone()], "one"),
            ("one of two", 10, vec![standing("one", 10, true), standing("two", 5, true)], vec![], "two"),
            ("not yet seen by one", 10, vec![standing("one", 10, true)], vec![one.clone(), two], "two"),
            ("not yet seen", 10, vec![], vec![one.clone()], "one"),
            ("a stranger", 10, vec![], vec![], "unknown"),
            ("an empty stranger", 0, vec![], vec![], "unknown"),
        ] {
            let judged = match judge(size, &standings, &followers) {
                Shipped::Yes => "yes".to_owned(),
                Shipped::NotYet { flow, .. } => flow,
                Shipped::Unknown => "unknown".to_owned(),
            };
            assert_eq!(judged, expected, "{name}");
        }
    }

    #[test]
    fn why_a_file_is_not_shipped_agrees_with_how_it_stands() {
        for (state, seen, expected) in [
            (FileState::Idle, 9, "1 bytes are not acknowledged: the file has grown since it was looked at"),
            (FileState::Idle, 10, "1 bytes belong to a record or a header that may still grow"),
            (
                FileState::Finished,
                9,
                "1 bytes are not acknowledged: the file has grown since it was looked at",
            ),
            (FileState::Sending, 10, "1 bytes are not acknowledged: no agent runs"),
        ] {
            let (flow, mut report, holds) = standing("one", 9, true);
            (report.state, report.size) = (state, Some(seen));
            let Shipped::NotYet { why, .. } = judge(10, &[(flow, report, holds)], &[]) else {
                panic!("a byte is missing")
            };
            assert_eq!(why, expected, "{state:?} {seen}");
        }
    }

    #[test]
    fn requests_on_the_wire() {
        let reads = |text: &str| serde_json::from_str::<Request>(text).map(|request| request.command).ok();
        assert_eq!(reads(r#"{"version":1,"command":"status"}"#), Some(Command::Status));
        let file = Command::File { device: 1, inode: 2 };
        assert_eq!(
            reads(r#"{"version":1,"command":"file","device":1,"inode":2,"more":0}"#),
            Some(file.clone())
        );
        let written = serde_json::to_string(&Request { version: 1, command: file }).expect("is written");
        assert_eq!(written, r#"{"version":1,"command":"file","device":1,"inode":2}"#);
        assert_eq!(reads(r#"{"version":1,"command":"stop"}"#), None);
    }
}
