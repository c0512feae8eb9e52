//! Takes test code out of a file: what stands under `#[cfg(test)]` may use clocks, files and any floor.
//!
//! Invariant: only the item under the attribute is taken; what follows it is read again.

use crate::words::Word;

/// A file without its tests.
#[derive(Debug)]
pub(crate) struct Remaining<'a> {
    pub(crate) words: Vec<Word<'a>>,
    /// The names of `#[cfg(test)] mod NAME;`, whose files are test code too.
    pub(crate) test_modules: Vec<String>,
}

/// Removes every item under a `cfg` that asks for `test`.
pub(crate) fn without_tests<'a>(words: &[Word<'a>]) -> Remaining<'a> {
    let mut remaining = Remaining { words: Vec::new(), test_modules: Vec::new() };
    let mut at = 0;
    while at < words.len() {
        let Some(attribute) = Attribute::at(words, at) else {
            remaining.words.push(words[at]);
            at += 1;
            continue;
        };
        if !attribute.asks_for_test {
            remaining.words.extend_from_slice(&words[at..attribute.end]);
            at = attribute.end;
        } else if attribute.is_inner {
            return Remaining { words: Vec::new(), test_modules: remaining.test_modules };
        } else {
            let item = skip_attributes(words, attribute.end);
            remaining.test_modules.extend(declared_module(&words[item..]));
            at = item_end(words, item);
        }
    }
    remaining
}

struct Attribute {
    /// The first word after the closing bracket.
    end: usize,
    /// `#![..]`: it speaks about the whole file.
    is_inner: bool,
    asks_for_test: bool,
}

impl Attribute {
    fn at(words: &[Word<'_>], start: usize) -> Option<Self> {
        if !words[start].is("#") {
            return None;
        }
        let is_inner = words.get(start + 1)?.is("!");
        let open = start + 1 + usize::from(is_inner);
        if !words.get(open)?.is("[") {
            return None;
        }
        let end = group_end(words, open);
        let inside = &words[open + 1..end];
        let is_cfg = inside.first().is_some_and(|word| word.is("cfg"));
        let says = |text: &str| inside.iter().any(|word| word.is(text));
        Some(Self { end, is_inner, asks_for_test: is_cfg && says("test") && !says("not") && !says("any") })
    }
}

fn skip_attributes(words: &[Word<'_>], mut at: usize) -> usize {
    while at < words.len() {
        match Attribute::at(words, at) {
            Some(attribute) => at = attribute.end,
            None => break,
        }
    }
    at
}

fn declared_module(item: &[Word<'_>]) -> Option<String> {
    let keyword = item.iter().position(|word| word.is("mod"))?;
    let [_, name, semicolon, ..] = &item[keyword..] else {
        return None;
    };
    let head_is_visibility = item[..keyword].iter().all(|word| !word.is(";") && !word.is("{"));
    (head_is_visibility && semicolon.is(";")).then(|| name.text.to_owned())
}

/// Words that begin an item; anything else is a field, a variant or an argument, which a comma ends.
const ITEMS: &[&str] = &[
    "async",
    "const",
    "enum",
    "extern",
    "fn",
    "impl",
    "let",
    "macro_rules",
    "mod",
    "pub",
    "static",
    "struct",
    "trait",
    "type",
    "unsafe",
    "use",
];

/// The first word after the item that starts at `start`.
fn item_end(words: &[Word<'_>], start: usize) -> usize {
    let head: Vec<&str> =
        words[start..].iter().map(|word| word.text).take_while(|text| !";{,".contains(text)).collect();
    let is_use = head.contains(&"use");
    let ends_at_comma = !head.first().is_some_and(|first| ITEMS.contains(first)) || is_field(&head);
    let mut at = start;
    while at < words.len() {
        match words[at].text {
            ";" => return at + 1,
            "," if ends_at_comma => return at + 1,
            "{" if !is_use => return group_end(words, at),
            "(" | "[" | "{" => at = group_end(words, at),
            ")" | "]" | "}" => return at,
            _ => at += 1,
        }
    }
    at
}

/// `pub name: Type` begins like an item and is none.
fn is_field(head: &[&str]) -> bool {
    head.first() == Some(&"pub") && !head.iter().skip(1).any(|text| ITEMS.contains(text))
}

/// The first word after the group that opens at `open`.
fn group_end(words: &[Word<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, word) in words[open..].iter().enumerate() {
        match word.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + offset + 1;
        }
    }
    words.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::words;

    fn left(source: &str) -> String {
        let texts: Vec<&str> = without_tests(&words(source)).words.iter().map(|word| word.text).collect();
        texts.join(" ")
    }

    #[test]
    fn only_the_item_under_the_attribute_goes() {
        let cases = [
            ("a; #[cfg(test)] mod tests { use tokio::x; fn f() { } } b;", "a ; b ;"),
            ("#[cfg(test)] #[path = \"x\"] mod tests; b;", "b ;"),
            ("#[cfg(test)] pub(crate) use a::{b, c}; d;", "d ;"),
            ("#[cfg(test)] const A: [u8; 2] = [1; 2]; d;", "d ;"),
            ("#[cfg(all(test, unix))] fn f(x: [u8; 2]) -> u8 { 1 } d;", "d ;"),
            ("#[cfg(not(test))] fn f() {}", "# [ cfg ( not ( test ) ) ] fn f ( ) { }"),
            ("#[cfg(unix)] fn f() {}", "# [ cfg ( unix ) ] fn f ( ) { }"),
            ("struct S { a: A, #[cfg(test)] b: B } c;", "struct S { a : A , } c ;"),
            ("struct S { #[cfg(test)] pub(crate) b: Vec<B>, a: A }", "struct S { a : A }"),
            ("enum E { #[cfg(test)] A, B { x: X } }", "enum E { B { x : X } }"),
            ("#[cfg(test)] fn f<A, B>(a: A) where A: C, B: D { } d;", "d ;"),
            ("#![cfg(test)] use tokio::x;", ""),
        ];
        for (source, expected) in cases {
            assert_eq!(left(source), expected, "in {source}");
        }
    }

    #[test]
    fn code_that_is_also_built_without_tests_stays() {
        assert!(left("#[cfg(any(test, feature = \"x\"))] use tokio::x;").contains("tokio"));
    }
}
