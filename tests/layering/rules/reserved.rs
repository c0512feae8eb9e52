//! Some names belong to a few files of a crate: whoever else says them is told where they live.

use kinesis_tests::{Reserved, Walls};

use crate::paths::NamedPath;
use crate::tree::SourceFile;
use crate::violation::Violation;

/// Every reserved name that `file` says without being on its list.
pub(super) fn check(walls: &Walls, key: &str, file: &SourceFile, paths: &[NamedPath]) -> Vec<Violation> {
    let mut found = Vec::new();
    for reserved in walls.reserved.iter().filter(|reserved| !reserved.files.contains(&key)) {
        for path in paths.iter().filter(|path| is_meant(reserved, &path.names[0])) {
            let message = format!(
                "names {}, which only {} may: {}",
                path.text(),
                reserved.files.join(" and "),
                reserved.reason
            );
            found.push(Violation::new(&file.path, path.line, message));
        }
    }
    found
}

fn is_meant(reserved: &Reserved, first: &str) -> bool {
    match reserved.name.strip_suffix('*') {
        Some(beginning) => first.starts_with(beginning),
        None => first == reserved.name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::named_paths;
    use crate::tree::SourceTree;

    const WALLS: Walls = Walls {
        source: "src",
        library: "mine",
        rows: &[],
        reserved: &[
            Reserved { name: "aws_sdk_*", files: &["transport/aws"], reason: "it can be exchanged" },
            Reserved { name: "aws_config", files: &["transport/aws"], reason: "it can be exchanged" },
        ],
        long_files: &[],
    };

    fn findings(path: &str, code: &str) -> Vec<String> {
        let tree = SourceTree::of(&[(path, code)]);
        let (key, file) = tree.files().next().unwrap();
        check(&WALLS, key, file, &named_paths(&file.words())).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_the_listed_files_say_the_name() {
        assert_eq!(
            findings("driver.rs", "\nuse aws_sdk_kinesis::Client;"),
            [
                "src/driver.rs:2: names aws_sdk_kinesis::Client, which only transport/aws may: it can be exchanged"
            ]
        );
        assert_eq!(findings("lib.rs", "fn f(c: aws_config::SdkConfig) {}").len(), 1);
        assert_eq!(findings("transport/aws.rs", "use aws_sdk_kinesis::Client;\nuse aws_config;").len(), 0);
        assert_eq!(findings("driver.rs", "// aws_config::load\nuse aws_configuration::x;").len(), 0);
    }
}
