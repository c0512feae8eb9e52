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
    pub(crate) threads: usize,
}

impl Arguments {
    /// Reads `--name value` pairs and `--no-aggregation`.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            endpoint: String::new(),
            stream: "load".to_owned(),
            records: 1_000_000,
            size: 100,
            keys: 10_000,
            aggregation: true,
            threads: 2,
        };
        while let Some(word) = words.next() {
            if word == "--no-aggregation" {
                arguments.aggregation = false;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--endpoint" => arguments.endpoint = value,
                "--stream" => arguments.stream = value,
                "--records" => arguments.records = number(&word, &value)?,
                "--size" => arguments.size = number(&word, &value)? as usize,
                "--keys" => arguments.keys = number(&word, &value)?.max(1) as usize,
                "--threads" => arguments.threads = number(&word, &value)?.max(1) as usize,
                _ => return Err(format!("{word} is not known: {USAGE}")),
            }
        }
        if arguments.endpoint.is_empty() {
            return Err(format!("--endpoint is missing: {USAGE}"));
        }
        Ok(arguments)
    }
}

const USAGE: &str = "give --endpoint URL [--stream NAME] [--records N] [--size BYTES] [--keys N] [--threads N] \
                     [--no-aggregation]";

fn number(name: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{name} {value} is not a whole number"))
}
