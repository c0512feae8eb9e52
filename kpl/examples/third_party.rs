//! Our half of `tests/third_party/run.sh`: writes records for others to read, and checks what they read and wrote.
//!
//! A vector is `NAME.bin`, the data of a Kinesis record, and `NAME.records`, its user records: one line each, with
//! partition key in hexadecimal, explicit hash key and data in hexadecimal, `-` for what there is not. A tool leaves
//! `NAME.TOOL.read`, what it read, in the same form, and maybe `NAME.TOOL.bin`, what it wrote of the same records.

#![expect(clippy::disallowed_methods, reason = "a program that exchanges files, one after the other")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use kpl::aggregation_format::{AggregateEncoder, Decoded, MAGIC, decode};
use kpl::compression::compress;
use kpl::{HashKey, RecordRef};

type Failure = Box<dyn std::error::Error>;

/// The partition key of the Kinesis record when it is handed to a reader; what is no aggregate keeps it.
const OUTER_KEY: &str = "outer";

/// A user record as the vectors have it.
struct Row {
    partition_key: String,
    hash_key: Option<u128>,
    data: Vec<u8>,
}

struct Vector {
    name: &'static str,
    rows: Vec<Row>,
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", directory] => write_all(Path::new(directory)),
        ["check", directory, tool] => check_all(Path::new(directory), tool),
        _ => Err("give `write DIRECTORY` or `check DIRECTORY TOOL`".into()),
    }
}

// === what we write ===

fn vectors() -> Vec<Vector> {
    // Hash keys beyond 2^32: a writer of the others sorts smaller ones, which look like indices to it.
    let large = |number: u128| (number + 1) << 100;
    let row = |key: String, hash_key: Option<u128>, data: &[u8]| Row {
        partition_key: key,
        hash_key,
        data: data.to_vec(),
    };
    let text = |number: usize| format!("record {number}").into_bytes();
    vec![
        Vector { name: "one-key", rows: (0..2).map(|n| row("k".to_owned(), None, &text(n))).collect() },
        Vector {
            name: "keys", rows: ["é", "日本", "k", "é"].map(|k| row(k.to_owned(), None, b"x")).into()
        },
        Vector {
            name: "hash-keys",
            rows: (0..20).map(|n| row(format!("k{n}"), Some(large(n % 7)), b"data")).collect(),
        },
        Vector {
            name: "mixed",
            rows: (0..20).map(|n| row("k".into(), (n % 3 == 1).then(|| large(n)), b"data")).collect(),
        },
        Vector { name: "empty", rows: (0..3).map(|_| row("k".to_owned(), None, b"")).collect() },
        Vector {
            name: "many",
            rows: (0..1000).map(|n| row(format!("k{}", n % 300), None, &text(n))).collect(),
        },
        Vector {
            name: "large",
            rows: [127, 128, 16_383, 16_384, 200_000]
                .map(|bytes| row("k".to_owned(), None, &vec![0xF3; bytes]))
                .into(),
        },
    ]
}

fn encode(rows: &[Row], id: impl Fn(usize) -> Option<String>) -> Bytes {
    let mut encoder = AggregateEncoder::new();
    for (number, row) in rows.iter().enumerate() {
        let id = id(number);
        let mut record = RecordRef::new(&row.partition_key, &row.data);
        record.explicit_hash_key = row.hash_key.map(HashKey);
        record.dedup_id = id.as_deref();
        // Without a limit nothing is refused.
        let _ = encoder.try_push(record, usize::MAX);
    }
    encoder.finish()
}

fn write_all(directory: &Path) -> Result<(), Failure> {
    for Vector { name, rows } in vectors() {
        let without_ids = encode(&rows, |_| None);
        let with_ids = encode(&rows, |number| match number % 3 {
            0 => Some(format!("~producer.1-{number}")),
            1 => Some(format!("order {number}")),
            _ => None,
        });
        let zipped = compress(&with_ids).unwrap_or_else(|| with_ids.clone());
        let alone = encode(&rows[..1], |_| Some("alone".to_owned()));
        put(directory, name, &without_ids, &rows)?;
        put(directory, &format!("{name}+ids"), &with_ids, &rows)?;
        put(directory, &format!("{name}+alone+ids"), &alone, &rows[..1])?;
        if zipped.len() < with_ids.len() {
            put(directory, &format!("{name}+gzip"), &zipped, &rows)?;
        }
    }
    let false_magic = [&MAGIC[..], b"not an aggregate, though it begins as one"].concat();
    for (name, data) in [("plain", &b"a line as long as others"[..]), ("plain-magic", &false_magic)] {
        let row = Row { partition_key: OUTER_KEY.to_owned(), hash_key: None, data: data.to_vec() };
        put(directory, name, data, &[row])?;
    }
    Ok(())
}

fn put(directory: &Path, name: &str, data: &[u8], rows: &[Row]) -> Result<(), Failure> {
    std::fs::write(directory.join(format!("{name}.bin")), data)?;
    std::fs::write(directory.join(format!("{name}.records")), lines(rows))?;
    Ok(())
}

fn lines(rows: &[Row]) -> String {
    let mut lines = String::new();
    for Row { partition_key, hash_key, data } in rows {
        let hash_key = hash_key.map_or_else(|| "-".to_owned(), |key| key.to_string());
        // Writing to a String does not fail.
        let _ = writeln!(lines, "{} {hash_key} {}", hex(partition_key.as_bytes()), hex(data));
    }
    lines
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() { "-".to_owned() } else { bytes.iter().map(|byte| format!("{byte:02x}")).collect() }
}

// === what we check ===

fn check_all(directory: &Path, tool: &str) -> Result<(), Failure> {
    let (mut read, mut written, mut problems) = (0, 0, Vec::new());
    for name in names(directory)? {
        let file = |ending: &str| directory.join(format!("{name}.{ending}"));
        let expected = std::fs::read_to_string(file("records"))?;
        if !is_beyond(tool, &name) {
            read += 1;
            let seen = std::fs::read_to_string(file(&format!("{tool}.read"))).unwrap_or_default();
            if comparable(&seen, tool, &name) != comparable(&expected, tool, &name) {
                problems.push(format!("{tool} read {name} otherwise"));
            }
        }
        let theirs = file(&format!("{tool}.bin"));
        if theirs.exists() {
            written += 1;
            problems.extend(check_written(&theirs, &file("bin"), &expected, &name)?);
        }
    }
    println!("{tool}: read {read} of our records, wrote {written} of its own that we read");
    if read < 10 || written < 5 {
        problems.push(format!("{tool} did too little"));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ").into()) }
}

fn names(directory: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".records").map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

/// What a tool is known to fail at, whoever wrote the record.
fn is_beyond(tool: &str, name: &str) -> bool {
    // It looks at the magic and not at the digest.
    tool == "npm" && name == "plain-magic"
}

/// The lines without the hash keys where a tool is known to invent them: both of these give a record without one the
/// first that any other record has.
fn comparable(lines: &str, tool: &str, name: &str) -> String {
    if !(name.starts_with("mixed") && matches!(tool, "python" | "npm")) {
        return lines.to_owned();
    }
    let without = |line: &str| line.split(' ').step_by(2).collect::<Vec<_>>().join(" ") + "\n";
    lines.lines().map(without).collect()
}

fn check_written(
    theirs: &PathBuf,
    ours: &PathBuf,
    expected: &str,
    name: &str,
) -> Result<Option<String>, Failure> {
    let data = Bytes::from(std::fs::read(theirs)?);
    let Decoded::Aggregated(records) = decode(&data) else {
        return Ok(Some(format!("{} is no aggregate to us", theirs.display())));
    };
    let rows: Vec<_> = records
        .into_iter()
        .map(|record| Row {
            partition_key: record.partition_key.to_string(),
            hash_key: record.explicit_hash_key.map(|key| key.0),
            data: record.data.to_vec(),
        })
        .collect();
    if lines(&rows) != expected {
        return Ok(Some(format!("we read {} otherwise", theirs.display())));
    }
    // Where there are no ids the format leaves no choice.
    let same = name.contains('+') || data == std::fs::read(ours)?;
    Ok((!same).then(|| format!("{} differs from our bytes", theirs.display())))
}
