//! The load generator's command line.

/// What to send, and where.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) endpoint: String,
    pub(crate) stream: String,
    pub(crate) records: u64,
    pub(crate) size: usize,
    pub(crate) keys: usize,
    pub(crate) aggregation: bool,
    pub(crate) ordered: bool,
    pub(crate) dedup_ids: bool,
    pub(crate) gzip: bool,
    pub(crate) cbor: bool,
    pub(crate) threads: usize,
}

impl Arguments {
    /// Reads `--name value` pairs and switches.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            endpoint: String::new(),
            stream: "load".to_owned(),
            records: 1_000_000,
            size: 100,
            keys: 10_000,
            aggregation: true,
            ordered: false,
            dedup_ids: false,
            gzip: false,
            cbor: false,
            threads: 2,
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--no-aggregation" => arguments.aggregation = false,
                "--ordered" => arguments.ordered = true,
                "--dedup-ids" => arguments.dedup_ids = true,
                "--gzip" => arguments.gzip = true,
                "--cbor" if cfg!(feature = "cbor") => arguments.cbor = true,
                "--cbor" => return Err("build with --features cbor for --cbor".to_owned()),
                _ => arguments.take_value(&word, words.next())?,
            }
        }
        if arguments.endpoint.is_empty() {
            return Err(format!("--endpoint is missing: {USAGE}"));
        }
        Ok(arguments)
    }

    fn take_value(&mut self, word: &str, value: Option<String>) -> Result<(), String> {
        let value = value.ok_or_else(|| format!("{word} is not known or needs a value: {USAGE}"))?;
        match word {
            "--endpoint" => self.endpoint = value,
            "--stream" => self.stream = value,
            "--records" => self.records = number(word, &value)?,
            "--size" => self.size = number(word, &value)? as usize,
            "--keys" => self.keys = number(word, &value)?.max(1) as usize,
            "--threads" => self.threads = number(word, &value)?.max(1) as usize,
            _ => return Err(format!("{word} is not known: {USAGE}")),
        }
        Ok(())
    }
}

const USAGE: &str = "give --endpoint URL [--stream NAME] [--records N] [--size BYTES] [--keys N] [--threads N] \
                     [--no-aggregation] [--ordered] [--dedup-ids] [--gzip] [--cbor]";

fn number(name: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{name} {value} is not a whole number"))
}
