//! The floors of `kpl` and `kinesis-agent`, as data: one line a module.
//!
//! Dependencies point downwards only. The test beside this file (`main.rs`) reads the sources of both
//! crates and fails when an import goes up, when a file stands in no row, or when a row names nothing.
//! A new module gets its line here in the change that creates it.
//!
//! A row names a file by its path below `src`, without `.rs`. A row that ends in `/*` stands for
//! everything below that folder; a row that names the file itself is stronger.

/// A floor, lowest first: a module may import its own floor and the floors below it.
///
/// Three floors are stricter than that; see [`Floor::Stages`], [`Floor::Edges`] and [`Floor::is_pure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Floor {
    /// Names, numbers, identifiers and the service's limits.
    Words,
    /// Values without behaviour over time: records, requests, configuration, outcomes.
    Nouns,
    /// Small pure machines that a stage is built from.
    Parts,
    /// The steps of the work. A stage imports no other stage; only a parent imports the files in its own folder.
    Stages,
    /// The one pure machine that knows the order of the stages.
    Core,
    /// The files that touch the outside. They import words, nouns and their own parent or children, nothing else.
    Edges,
    /// Tasks, timers and channels that join the core to the edges.
    Shell,
    /// What users see: the public API, the command line.
    Face,
}

impl Floor {
    /// The name that messages use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Nouns => "nouns",
            Self::Parts => "parts",
            Self::Stages => "stages",
            Self::Core => "core",
            Self::Edges => "edges",
            Self::Shell => "shell",
            Self::Face => "face",
        }
    }

    /// Whether files of this floor decide without acting: no clock, no runtime, no file system, no chance.
    #[must_use]
    pub fn is_pure(self) -> bool {
        self <= Self::Core
    }
}

/// One line of a floors table: the file, or the folder with `/*`, and its floor.
#[derive(Clone, Copy, Debug)]
pub struct Row(pub &'static str, pub Floor);

/// Names that only the listed files of a crate may say.
#[derive(Clone, Copy, Debug)]
pub struct Reserved {
    /// The first word of a path; a `*` at its end stands for any continuation.
    pub name: &'static str,
    /// The files that may say it, written as in a [`Row`].
    pub files: &'static [&'static str],
    /// Why the others may not.
    pub reason: &'static str,
}

/// A file that is allowed to be longer than [`LONGEST_FILE_LINES`].
#[derive(Clone, Copy, Debug)]
pub struct LongFile {
    /// The file, written as in a [`Row`].
    pub file: &'static str,
    /// Why it is better whole.
    pub reason: &'static str,
}

/// The walls of one crate.
#[derive(Clone, Copy, Debug)]
pub struct Walls {
    /// Where its sources stand, from the workspace's root.
    pub source: &'static str,
    /// The name by which its binary imports its library.
    pub library: &'static str,
    /// The floor of every file.
    pub rows: &'static [Row],
    /// Names that belong to a few files.
    pub reserved: &'static [Reserved],
    /// Files that may be long.
    pub long_files: &'static [LongFile],
}

/// The most lines a source file may have without standing in [`Walls::long_files`].
pub const LONGEST_FILE_LINES: usize = 500;

const KPL_ROWS: &[Row] = &[
    Row("types", Floor::Words),
    Row("types/*", Floor::Words),
    Row("limits", Floor::Words),
    Row("partition_key", Floor::Words),
    Row("dedup_id", Floor::Words),
    Row("user_record", Floor::Nouns),
    Row("incoming_record", Floor::Nouns),
    Row("kinesis_record", Floor::Nouns),
    Row("put_records", Floor::Nouns),
    Row("outcome", Floor::Nouns),
    Row("compression", Floor::Nouns),
    Row("aggregation_format", Floor::Nouns),
    Row("aggregation_format/*", Floor::Nouns),
    Row("metric", Floor::Nouns),
    Row("metric/*", Floor::Nouns),
    Row("snapshot", Floor::Nouns),
    Row("config", Floor::Nouns),
    Row("config/*", Floor::Nouns),
    Row("error_class", Floor::Nouns),
    Row("call_failure", Floor::Nouns),
    Row("glue/schema", Floor::Nouns),
    Row("glue/registry_calls", Floor::Nouns),
    Row("glue/configuration", Floor::Nouns),
    Row("glue/error", Floor::Nouns),
    Row("glue/framing", Floor::Nouns),
    Row("glue/validator", Floor::Parts),
    Row("glue/cache", Floor::Parts),
    Row("glue/resolver", Floor::Shell),
    Row("glue/serializer", Floor::Shell),
    Row("glue/serializer/*", Floor::Shell),
    Row("glue", Floor::Face),
    Row("core/shard_map", Floor::Parts),
    Row("core/shard_map/*", Floor::Parts),
    Row("core/token_bucket", Floor::Parts),
    Row("core/keys_under_way", Floor::Parts),
    Row("core/hot_keys", Floor::Parts),
    Row("core/last_key", Floor::Parts),
    Row("core/troubles", Floor::Parts),
    Row("core/shared_copy", Floor::Parts),
    Row("core/room", Floor::Parts),
    Row("core/suspects", Floor::Parts),
    Row("core/learned_shards", Floor::Parts),
    Row("core/undecided", Floor::Parts),
    Row("core/jitter", Floor::Parts),
    Row("core/line", Floor::Parts),
    Row("core/line/*", Floor::Parts),
    Row("dedup", Floor::Parts),
    Row("dedup/*", Floor::Parts),
    Row("core/numbering", Floor::Parts),
    Row("core/open_aggregate", Floor::Parts),
    Row("core/flushes", Floor::Parts),
    Row("core/upload_schedule", Floor::Parts),
    Row("core/aggregator", Floor::Stages),
    Row("core/compressor", Floor::Stages),
    Row("core/limiter/queue", Floor::Parts),
    Row("core/limiter", Floor::Stages),
    Row("core/limiter/*", Floor::Stages),
    Row("core/collector", Floor::Stages),
    Row("core/sender", Floor::Stages),
    Row("core/retrier", Floor::Stages),
    Row("core", Floor::Core),
    Row("core/call_summary", Floor::Core),
    Row("core/totals", Floor::Core),
    Row("core/last_error", Floor::Core),
    Row("core/pipeline", Floor::Core),
    Row("core/pipeline/*", Floor::Core),
    Row("transport", Floor::Edges),
    Row("transport/aws", Floor::Edges),
    Row("transport/aws/*", Floor::Edges),
    Row("clock", Floor::Edges),
    Row("metrics", Floor::Edges),
    Row("metrics/*", Floor::Edges),
    Row("driver", Floor::Shell),
    Row("driver/*", Floor::Shell),
    Row("reporter", Floor::Shell),
    Row("call_log", Floor::Shell),
    Row("metrics_upload", Floor::Shell),
    Row("metrics_upload/*", Floor::Shell),
    Row("delivery", Floor::Shell),
    Row("permits", Floor::Shell),
    Row("permits/*", Floor::Shell),
    Row("shared_budget", Floor::Shell),
    Row("shared_budget/*", Floor::Shell),
    Row("control_plane", Floor::Shell),
    Row("producer", Floor::Face),
    Row("producer/*", Floor::Face),
    Row("lib", Floor::Face),
];

const AGENT_ROWS: &[Row] = &[
    Row("types", Floor::Words),
    Row("wall_time", Floor::Words),
    Row("shown", Floor::Words),
    Row("config", Floor::Nouns),
    Row("config/*", Floor::Nouns),
    Row("checkpoint", Floor::Nouns),
    Row("dead_letter", Floor::Nouns),
    Row("source_file", Floor::Nouns),
    Row("statistics", Floor::Nouns),
    Row("watchdog", Floor::Nouns),
    Row("java_checkpoint", Floor::Nouns),
    Row("metric", Floor::Nouns),
    Row("status_report", Floor::Nouns),
    Row("core/dedup_ids", Floor::Parts),
    Row("core/content_sum", Floor::Parts),
    Row("core/descriptors", Floor::Parts),
    Row("core/file_head", Floor::Parts),
    Row("core/former_paths", Floor::Parts),
    Row("core/identity", Floor::Parts),
    Row("core/idle_pause", Floor::Parts),
    Row("core/java_handover", Floor::Parts),
    Row("core/lag", Floor::Parts),
    Row("core/last_write", Floor::Parts),
    Row("core/origin", Floor::Parts),
    Row("core/partition_key", Floor::Parts),
    Row("core/read_window", Floor::Parts),
    Row("core/record_limit", Floor::Parts),
    Row("core/refusal", Floor::Parts),
    Row("core/rescan", Floor::Parts),
    Row("core/room", Floor::Parts),
    Row("core/rotated_name", Floor::Parts),
    Row("core/processor/delimiter", Floor::Parts),
    Row("core/processor/json", Floor::Parts),
    Row("core/processor/text", Floor::Parts),
    Row("core/processor/log_format", Floor::Parts),
    Row("core/processor/log_format/*", Floor::Parts),
    Row("core/rotation", Floor::Stages),
    Row("core/splitter", Floor::Stages),
    Row("core/splitter/*", Floor::Stages),
    Row("core/ledger", Floor::Stages),
    Row("core/processor", Floor::Stages),
    Row("core/processor/*", Floor::Stages),
    Row("core", Floor::Core),
    Row("core/trail", Floor::Parts),
    Row("core/tracked_file", Floor::Core),
    Row("core/flow", Floor::Core),
    Row("core/flow/*", Floor::Core),
    Row("fs", Floor::Edges),
    Row("fs/*", Floor::Edges),
    Row("clock", Floor::Edges),
    Row("publisher", Floor::Edges),
    Row("checkpoint_store", Floor::Edges),
    Row("checkpoint_store/*", Floor::Edges),
    Row("dead_letter_file", Floor::Edges),
    Row("dead_letter_file/*", Floor::Edges),
    Row("cloudwatch", Floor::Edges),
    Row("aws_clients", Floor::Edges),
    Row("aws_clients/*", Floor::Edges),
    Row("stream_reader", Floor::Edges),
    Row("stream_reader/*", Floor::Edges),
    Row("descriptors", Floor::Shell),
    Row("inbox", Floor::Shell),
    Row("discovery", Floor::Shell),
    Row("checkpoint_saver", Floor::Shell),
    Row("checkpoint_recovery", Floor::Shell),
    Row("java_import", Floor::Shell),
    Row("flow_task", Floor::Shell),
    Row("flow_task/*", Floor::Shell),
    Row("metrics", Floor::Shell),
    Row("status", Floor::Shell),
    Row("status_socket", Floor::Shell),
    Row("signals", Floor::Shell),
    Row("log_output", Floor::Shell),
    Row("agent", Floor::Face),
    Row("cli", Floor::Face),
    Row("cli/*", Floor::Face),
    Row("main", Floor::Face),
    Row("lib", Floor::Face),
];

const AWS_EDGES: &[&str] = &[
    "transport/aws",
    "transport/aws/cloudwatch",
    "transport/aws/connection",
    "transport/aws/credentials_refresh",
    "transport/aws/glue",
    "transport/aws/kinesis",
    "transport/aws/kinesis/cbor",
    "transport/aws/kinesis/own_json",
    "transport/aws/kinesis/shard_listing",
    "transport/aws/firehose",
    "transport/aws/reloaded_credentials",
    "transport/aws/seen_endpoint",
];

/// The producer library.
pub const KPL: Walls = Walls {
    source: "kpl/src",
    library: "kpl",
    rows: KPL_ROWS,
    reserved: &[
        Reserved {
            name: "aws_sdk_*",
            files: AWS_EDGES,
            reason: "the AWS SDK stays behind the transport, so that it can be exchanged and left out",
        },
        Reserved {
            name: "aws_config",
            files: AWS_EDGES,
            reason: "the AWS SDK stays behind the transport, so that it can be exchanged and left out",
        },
    ],
    long_files: &[],
};

/// The agent.
pub const AGENT: Walls = Walls {
    source: "agent/src",
    library: "kinesis_agent",
    rows: AGENT_ROWS,
    reserved: &[
        Reserved {
            name: "notify",
            files: &["discovery"],
            reason: "one file knows what to ask the kernel for, so that applications are not slowed",
        },
        Reserved {
            name: "rusqlite",
            files: &[
                "checkpoint_store",
                "checkpoint_store/java",
                "checkpoint_store/reader",
                "checkpoint_store/rows",
                "checkpoint_store/salvage",
                "checkpoint_store/schema",
            ],
            reason: "one module knows the checkpoint tables",
        },
    ],
    long_files: &[
        LongFile {
            file: "core/flow/tests/shell",
            reason: "the simulated shell; it is to become the shell's own body",
        },
        LongFile { file: "core/tracked_file", reason: "to be taken apart into states of its own" },
    ],
};
