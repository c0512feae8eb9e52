//! The fuzzers' corpora as ordinary tests: what the fuzzers found interesting, or wrong, stays tested.

#[cfg(test)]
#[path = "../fuzz/targets.rs"]
mod targets;

#[cfg(test)]
mod tests {
    use super::targets;
    use std::path::Path;

    #[expect(clippy::disallowed_methods, reason = "a test reads its files one after the other")]
    fn run(name: &str, target: fn(&[u8])) {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut inputs = 0;
        for entry in std::fs::read_dir(&directory).expect("the corpus is there") {
            let path = entry.expect("readable").path();
            let input = std::fs::read(&path).expect("readable");
            println!("{}", path.display()); // shown when it fails
            target(&input);
            inputs += 1;
        }
        assert!(inputs >= 10, "{} has only {inputs} inputs", directory.display());
    }

    #[test]
    fn decode() {
        run("decode", targets::decode);
    }

    #[test]
    fn round_trip() {
        run("round_trip", targets::round_trip);
    }

    #[test]
    fn decompress() {
        run("decompress", targets::decompress);
    }
}
