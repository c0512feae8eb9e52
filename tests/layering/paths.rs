//! Finds every path a file names: the branches of its `use` trees, and `a::b` in its code.
//!
//! Invariant: a path comes out whole, group prefixes included, with the line of its last name and the inline
//! modules around it, so that `super` can be followed.

use crate::words::{Kind, Word};

/// A path as the file names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedPath {
    /// Its names; the last may be `*`.
    pub(crate) names: Vec<String>,
    pub(crate) line: usize,
    /// The inline modules of this file that it stands in, outermost first.
    pub(crate) inside: Vec<String>,
}

impl NamedPath {
    /// The path as written in source.
    pub(crate) fn text(&self) -> String {
        self.names.join("::")
    }

    /// Whether the path begins with these names, written `a::b`.
    pub(crate) fn starts_with(&self, prefix: &str) -> bool {
        let mut names = self.names.iter();
        prefix.split("::").all(|wanted| names.next().is_some_and(|name| name == wanted))
    }

    /// Whether the path ends with these names, written `a::b`.
    pub(crate) fn ends_with(&self, suffix: &str) -> bool {
        let mut names = self.names.iter().rev();
        suffix.rsplit("::").all(|wanted| names.next().is_some_and(|name| name == wanted))
    }
}

/// All paths of a file whose test code has been taken out.
pub(crate) fn named_paths(words: &[Word<'_>]) -> Vec<NamedPath> {
    let mut reader = Reader { words, at: 0, depth: 0, inside: Vec::new(), found: Vec::new() };
    while reader.at < words.len() {
        reader.step();
    }
    reader.found
}

struct Reader<'a> {
    words: &'a [Word<'a>],
    at: usize,
    /// Open braces around the present word.
    depth: usize,
    /// The inline modules around the present word, with the depth outside each.
    inside: Vec<(String, usize)>,
    found: Vec<NamedPath>,
}

impl Reader<'_> {
    fn step(&mut self) {
        if self.sees(0, "{") {
            self.depth += 1;
        } else if self.sees(0, "}") {
            self.close_brace();
        } else if self.sees(0, "pub") && self.sees(1, "(") {
            return self.skip_visibility();
        } else if self.sees(0, "use") && !self.sees(1, "<") {
            self.at += 1;
            return self.use_tree(&mut Vec::new());
        } else if self.sees(0, "extern") && self.sees(1, "crate") {
            self.at += 2;
            return self.use_tree(&mut Vec::new());
        } else if self.sees(0, "mod") && self.sees(2, "{") {
            self.inside.push((self.words[self.at + 1].text.to_owned(), self.depth));
        } else if self.is_name(0) && self.kind(1) == Some(Kind::PathSeparator) {
            return self.path_in_code();
        }
        self.at += 1;
    }

    fn close_brace(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.inside.last().is_some_and(|(_, outside)| *outside == self.depth) {
            self.inside.pop();
        }
    }

    /// `pub(in crate::x)` says who may look in; it is no import.
    fn skip_visibility(&mut self) {
        while self.at < self.words.len() && !self.sees(0, ")") {
            self.at += 1;
        }
    }

    fn path_in_code(&mut self) {
        let mut names = vec![self.words[self.at].text.to_owned()];
        self.at += 1;
        while self.kind(0) == Some(Kind::PathSeparator) && self.is_name(1) {
            names.push(self.words[self.at + 1].text.to_owned());
            self.at += 2;
        }
        self.push(&names);
    }

    /// Reads one branch of a `use` tree, which goes on from `prefix`.
    fn use_tree(&mut self, prefix: &mut Vec<String>) {
        let outer = prefix.len();
        loop {
            if self.kind(0) == Some(Kind::PathSeparator) {
                self.at += 1;
            } else if self.sees(0, "{") {
                self.use_group(prefix);
                break;
            } else if (self.is_name(0) && !self.sees(0, "as")) || self.sees(0, "*") {
                prefix.push(self.words[self.at].text.to_owned());
                self.at += 1;
            } else {
                self.end_branch(prefix, outer);
                break;
            }
        }
        prefix.truncate(outer);
    }

    fn use_group(&mut self, prefix: &mut Vec<String>) {
        self.at += 1;
        while self.at < self.words.len() && !self.sees(0, "}") {
            if self.sees(0, ",") {
                self.at += 1;
            } else {
                self.use_tree(prefix);
            }
        }
        self.at += 1;
    }

    fn end_branch(&mut self, prefix: &mut Vec<String>, outer: usize) {
        if outer > 0 && prefix.last().is_some_and(|name| name == "self") {
            prefix.pop();
        }
        self.push(prefix);
        if self.sees(0, "as") {
            self.at += 2;
        } else if !self.sees(0, ",") && !self.sees(0, "}") {
            self.at += 1;
        }
    }

    fn push(&mut self, names: &[String]) {
        if names.is_empty() {
            return;
        }
        let line = self.words.get(self.at.saturating_sub(1)).map_or(1, |word| word.line);
        let inside = self.inside.iter().map(|(name, _)| name.clone()).collect();
        self.found.push(NamedPath { names: names.to_vec(), line, inside });
    }

    fn sees(&self, ahead: usize, text: &str) -> bool {
        self.words.get(self.at + ahead).is_some_and(|word| word.is(text))
    }

    fn kind(&self, ahead: usize) -> Option<Kind> {
        self.words.get(self.at + ahead).map(|word| word.kind)
    }

    fn is_name(&self, ahead: usize) -> bool {
        self.kind(ahead) == Some(Kind::Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::words;

    fn texts(source: &str) -> Vec<String> {
        named_paths(&words(source)).iter().map(NamedPath::text).collect()
    }

    #[test]
    fn every_path_comes_out_whole() {
        let cases: &[(&str, &[&str])] = &[
            ("use crate::a::B;", &["crate::a::B"]),
            ("use crate::{a, b::c, d::{E, self}};", &["crate::a", "crate::b::c", "crate::d::E", "crate::d"]),
            ("pub use {a::b, c::d as e, f::*,};", &["a::b", "c::d", "f::*"]),
            ("use ::tokio::sync as s; use x;", &["tokio::sync", "x"]),
            ("extern crate tokio as t;", &["tokio"]),
            ("use super::super::x; use self::y;", &["super::super::x", "self::y"]),
            ("fn f() { let x = std::fs::read(a)?; }", &["std::fs::read"]),
            ("fn f(x: Vec<crate::a::B>) -> u8 {}", &["crate::a::B"]),
            ("pub(in crate::core) fn f() {} pub(crate) struct S;", &[]),
            ("fn f() -> impl A + use<'a, T> { g::h() }", &["g::h"]),
            ("#[tokio::main] fn main() {}", &["tokio::main"]),
            ("$crate::core::x!()", &["crate::core::x"]),
            ("match x { A::B => c::D, }", &["A::B", "c::D"]),
            ("use a::b; use c::d; e::f", &["a::b", "c::d", "e::f"]),
            ("use {}; use ;", &[]),
            ("if x { use a::b; } y::z", &["a::b", "y::z"]),
        ];
        for (source, expected) in cases {
            assert_eq!(texts(source), *expected, "in {source}");
        }
    }

    #[test]
    fn lines_and_inline_modules_are_kept() {
        let source =
            "mod outer {\n mod inner {\n  use super::x;\n }\n use super::{\n  a,\n  y,\n };\n}\nuse z::q;";
        let found = named_paths(&words(source));
        let seen: Vec<(String, usize, String)> =
            found.iter().map(|path| (path.text(), path.line, path.inside.join("/"))).collect();
        let expected = [
            ("super::x", 3, "outer/inner"),
            ("super::a", 6, "outer"),
            ("super::y", 7, "outer"),
            ("z::q", 10, ""),
        ];
        assert_eq!(seen, expected.map(|(text, line, inside)| (text.to_owned(), line, inside.to_owned())));
    }
}
