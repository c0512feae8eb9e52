//! Imports point down: the rule between floors, and the stricter ones within the stages and the edges.

use kinesis_tests::{Floor, Walls};

use super::{is_below, table::floor_of};
use crate::paths::NamedPath;
use crate::resolve::Resolver;
use crate::tree::{SourceFile, SourceTree};
use crate::violation::Violation;

/// Every import of `file` that its floor forbids.
pub(super) fn check(
    walls: &Walls,
    tree: &SourceTree,
    key: &str,
    file: &SourceFile,
    paths: &[NamedPath],
) -> Vec<Violation> {
    let resolver = Resolver::new(tree, walls.library, key);
    let mut found = Vec::new();
    for path in paths {
        let Some(target) = resolver.target(path).filter(|target| target != key) else {
            continue;
        };
        let (Some(from), Some(to)) = (floor_of(walls, key), floor_of(walls, &target)) else {
            continue;
        };
        if let Some(why) = objection((key, from), (&target, to)) {
            let message = format!(
                "names {} of `{target}` (floor {}) from `{key}` (floor {}): {why}",
                path.text(),
                to.name(),
                from.name()
            );
            found.push(Violation::new(&file.path, path.line, message));
        }
    }
    found
}

/// Why a file may not import another, if it may not.
fn objection((from, from_floor): (&str, Floor), (to, to_floor): (&str, Floor)) -> Option<&'static str> {
    let is_parent = is_below(to, from);
    let is_child = is_below(from, to);
    match (from_floor, to_floor) {
        (low, high) if low < high => {
            Some("a lower floor never imports a higher one; move the shared type down")
        }
        (Floor::Stages, Floor::Stages) if !is_parent => Some(
            "a stage never imports another stage; the core joins them, or the shared piece becomes a part",
        ),
        (Floor::Edges, Floor::Words | Floor::Nouns) => None,
        (Floor::Edges, Floor::Edges) if is_parent || is_child => None,
        (Floor::Edges, _) => Some("an edge imports words and nouns only; the shell joins it to the rest"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kinesis_tests::Row;

    use super::*;
    use crate::rules;

    const WALLS: Walls = Walls {
        source: "src",
        library: "mine",
        rows: &[
            Row("types", Floor::Words),
            Row("record", Floor::Nouns),
            Row("core/bucket", Floor::Parts),
            Row("core/splitter", Floor::Stages),
            Row("core/processor", Floor::Stages),
            Row("core/processor/*", Floor::Stages),
            Row("core", Floor::Core),
            Row("transport", Floor::Edges),
            Row("transport/aws", Floor::Edges),
            Row("clock", Floor::Edges),
            Row("driver", Floor::Shell),
            Row("lib", Floor::Face),
        ],
        reserved: &[],
        long_files: &[],
    };

    /// The findings when the file `from`, with the given code, joins a crate of empty files.
    fn findings(from: &str, code: &str) -> Vec<String> {
        let mut files: Vec<(String, String)> = WALLS
            .rows
            .iter()
            .filter(|row| !row.0.ends_with('*'))
            .map(|row| (format!("{}.rs", row.0), "//! A.\n".to_owned()))
            .collect();
        files.push(("core/processor/csv.rs".to_owned(), "//! A.\n".to_owned()));
        files.push(("core/processor/log.rs".to_owned(), "//! A.\n".to_owned()));
        let path = format!("{from}.rs");
        for (name, text) in &mut files {
            if *name == path {
                text.push_str(code);
            }
        }
        let borrowed: Vec<(&str, &str)> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        rules::check(&WALLS, &SourceTree::of(&borrowed)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lawful_imports_pass() {
        let cases = [
            ("record", "use crate::types::A;"),
            ("core/splitter", "use super::bucket::Bucket;\nuse crate::{record::R, types};"),
            ("core/processor", "use self::csv::Csv;\nmod csv;\nmod log;"),
            ("core", "use processor::csv::Csv;\nuse crate::core::splitter::S;"),
            ("transport", "use crate::record::R;\npub use aws::Aws;"),
            ("transport/aws", "use super::Transport;"),
            ("driver", "use crate::{clock, core::splitter, transport::aws};"),
            ("lib", "pub use driver::D;\nuse core::splitter::S;"),
            ("types", "// use crate::lib;\nconst A: &str = \"crate::driver\";"),
            ("types", "#[cfg(test)]\nmod tests {\n use crate::driver::D;\n}"),
        ];
        for (from, code) in cases {
            assert_eq!(findings(from, code), Vec::<String>::new(), "{code} in {from}");
        }
    }

    #[test]
    fn every_unlawful_import_is_found() {
        let cases = [
            ("types", "use crate::record::R;", "a lower floor"),
            ("core/bucket", "use super::splitter::S;", "a lower floor"),
            ("core/splitter", "use super::Contract;", "a lower floor"),
            ("core/splitter", "use crate::Reexported;", "a lower floor"),
            ("core", "fn f() { crate::driver::go() }", "a lower floor"),
            ("core", "use crate::{types, clock::Clock};", "a lower floor"),
            ("record", "mod inner { use super::super::driver; }", "a lower floor"),
            ("core/splitter", "use super::processor::P;", "a stage never"),
            ("core/processor", "use crate::core::splitter::S;", "a stage never"),
            ("core/processor/csv", "use super::log::L;", "a stage never"),
            ("transport", "use crate::core::bucket::B;", "an edge imports"),
            ("transport", "use crate::core::splitter::S;", "an edge imports"),
            ("transport/aws", "use crate::clock::C;", "an edge imports"),
            ("clock", "use crate::transport::aws::A;", "an edge imports"),
            ("transport", "use crate::driver::D;", "a lower floor"),
            ("driver", "use mine::Producer;", "a lower floor"),
        ];
        for (from, code, why) in cases {
            let found = findings(from, code);
            assert_eq!(found.len(), 1, "{code} in {from}: {found:?}");
            assert!(found[0].contains(why), "{code} in {from}: {found:?}");
            assert!(found[0].starts_with(&format!("src/{from}.rs:2: names ")), "{found:?}");
        }
    }

    #[test]
    fn the_message_names_the_import_and_both_floors() {
        assert_eq!(
            findings("types", "\n\nuse crate::driver::Driver;"),
            [
                "src/types.rs:4: names crate::driver::Driver of `driver` (floor shell) from `types` (floor words): \
                 a lower floor never imports a higher one; move the shared type down"
            ]
        );
    }
}
