//! Follows a named path to the file of the same crate that it leads to.
//!
//! Invariant: a path that starts in this crate always leads to a file; if no module file matches, to the
//! crate's root, so that a name taken through the root's re-exports counts as an import of the root.

use crate::paths::NamedPath;
use crate::tree::SourceTree;

/// Where paths of one file lead.
#[derive(Debug)]
pub(crate) struct Resolver<'a> {
    tree: &'a SourceTree,
    library: &'a str,
    /// The key of the file that names the paths.
    from: &'a str,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(tree: &'a SourceTree, library: &'a str, from: &'a str) -> Self {
        Self { tree, library, from }
    }

    /// The key of the file that `path` leads to, or `None` when it leads out of the crate.
    pub(crate) fn target(&self, path: &NamedPath) -> Option<String> {
        let (first, rest) = path.names.split_first()?;
        let here = self.here(&path.inside);
        match first.as_str() {
            "crate" => Some(self.file_of(rest, self.root())),
            "self" => Some(self.file_of(&joined(&here, rest), self.root())),
            "super" => Some(self.file_of(&self.above(&here, &path.names), self.root())),
            name if name == self.library => Some(self.file_of(rest, "lib")),
            name => {
                let child = joined(&here, std::slice::from_ref(first));
                let is_child = !name.is_empty() && self.tree.has(&child.join("/"));
                is_child.then(|| self.file_of(&joined(&here, &path.names), self.root()))
            }
        }
    }

    fn is_root(&self) -> bool {
        matches!(self.from, "lib" | "main")
    }

    fn root(&self) -> &'static str {
        if self.from == "main" { "main" } else { "lib" }
    }

    /// The module around a path: the file's own, then the inline ones.
    fn here(&self, inside: &[String]) -> Vec<String> {
        let own: Vec<String> = match self.is_root() {
            true => Vec::new(),
            false => self.from.split('/').map(str::to_owned).collect(),
        };
        joined(&own, inside)
    }

    fn above(&self, here: &[String], names: &[String]) -> Vec<String> {
        let ups = names.iter().take_while(|name| *name == "super").count();
        let kept = here.len().saturating_sub(ups);
        joined(&here[..kept], &names[ups..])
    }

    /// The deepest module file on the way.
    fn file_of(&self, modules: &[String], root: &str) -> String {
        (1..=modules.len())
            .rev()
            .map(|length| modules[..length].join("/"))
            .find(|key| key != "lib" && key != "main" && self.tree.has(key))
            .unwrap_or_else(|| root.to_owned())
    }
}

fn joined(front: &[String], back: &[String]) -> Vec<String> {
    front.iter().chain(back).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(from: &str, inside: &[&str], path: &str) -> Option<String> {
        let tree = SourceTree::of(&[
            ("lib.rs", ""),
            ("main.rs", ""),
            ("types.rs", ""),
            ("core.rs", ""),
            ("core/flow.rs", ""),
            ("core/processor.rs", ""),
            ("core/processor/csv.rs", ""),
        ]);
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let names = owned(&path.split("::").collect::<Vec<_>>());
        Resolver::new(&tree, "mine", from).target(&NamedPath { names, line: 1, inside: owned(inside) })
    }

    #[test]
    fn paths_lead_to_files() {
        let cases = [
            ("core/flow", "crate::types::FlowId", Some("types")),
            ("core/flow", "crate::core::processor::csv::Row", Some("core/processor/csv")),
            ("core/flow", "crate::core::Contract", Some("core")),
            ("core/flow", "crate::Reexported", Some("lib")),
            ("core/flow", "super::processor::X", Some("core/processor")),
            ("core/flow", "super::X", Some("core")),
            ("core/flow", "super::super::types::X", Some("types")),
            ("core/flow", "super::super::X", Some("lib")),
            ("core/flow", "self::Inner", Some("core/flow")),
            ("core", "flow::X", Some("core/flow")),
            ("core/processor", "csv::Row", Some("core/processor/csv")),
            ("core/flow", "csv::Row", None),
            ("core/flow", "std::fs", None),
            ("lib", "core::flow::X", Some("core/flow")),
            ("main", "mine::core::flow::X", Some("core/flow")),
            ("main", "mine::run", Some("lib")),
            ("main", "crate::X", Some("main")),
        ];
        for (from, path, expected) in cases {
            assert_eq!(target(from, &[], path).as_deref(), expected, "{path} in {from}");
        }
    }

    #[test]
    fn super_in_an_inline_module_stays_in_the_file() {
        assert_eq!(target("core/flow", &["inner"], "super::X").as_deref(), Some("core/flow"));
        assert_eq!(target("core/flow", &["inner"], "super::super::X").as_deref(), Some("core"));
    }
}
