//! Cuts Rust source into words: names and signs, each with its line.
//!
//! Comments vanish; a literal becomes one word without content, so nothing inside a string is ever taken for
//! an import. It need not reject wrong Rust: the compiler has already accepted what is read here.

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Name,
    /// `::`
    PathSeparator,
    /// Any other single character.
    Sign,
    /// A string, a character, a number or a lifetime.
    Literal,
}

/// One word of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    pub(crate) kind: Kind,
    /// Its text; empty for literals.
    pub(crate) text: &'a str,
    /// Its line, counted from one.
    pub(crate) line: usize,
}

impl Word<'_> {
    /// Whether this is the sign or the name `text`.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.kind != Kind::Literal && self.text == text
    }
}

/// The words of `source`, in order.
pub(crate) fn words(source: &str) -> Vec<Word<'_>> {
    let mut cutter = Cutter { source, at: 0, line: 1, found: Vec::new() };
    while cutter.at < source.len() {
        cutter.step();
    }
    cutter.found
}

struct Cutter<'a> {
    source: &'a str,
    at: usize,
    line: usize,
    found: Vec<Word<'a>>,
}

impl<'a> Cutter<'a> {
    fn step(&mut self) {
        let rest = self.rest();
        if let Some(length) = comment_length(rest) {
            self.skip(length);
        } else if let Some(length) = string_length(rest).or_else(|| character_length(rest)) {
            self.push(Kind::Literal, length);
        } else if rest.starts_with("::") {
            self.push(Kind::PathSeparator, 2);
        } else {
            self.step_plain(rest);
        }
    }

    fn step_plain(&mut self, rest: &'a str) {
        let Some(first) = rest.chars().next() else { return };
        if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else if first == '\'' {
            self.push(Kind::Literal, 1 + name_length(&rest[1..]));
        } else if first.is_ascii_digit() {
            self.push(Kind::Literal, name_length(rest));
        } else if name_length(rest) > 0 {
            self.push_name(rest);
        } else {
            self.push(Kind::Sign, first.len_utf8());
        }
    }

    fn push_name(&mut self, rest: &str) {
        if rest.starts_with("r#") {
            self.skip(2);
        }
        let length = name_length(self.rest());
        self.push(Kind::Name, length);
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let text = if kind == Kind::Literal { "" } else { &self.rest()[..length] };
        self.found.push(Word { kind, text, line: self.line });
        self.skip(length);
    }

    fn skip(&mut self, length: usize) {
        self.line += self.rest()[..length].matches('\n').count();
        self.at += length;
    }

    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }
}

fn name_length(rest: &str) -> usize {
    rest.find(|character: char| character != '_' && !character.is_alphanumeric()).unwrap_or(rest.len())
}

fn comment_length(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    rest.starts_with("/*").then(|| block_comment_length(rest))
}

/// Block comments nest.
fn block_comment_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a string literal of any kind that starts here.
fn string_length(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        rest.strip_prefix(prefix).is_some_and(|after| after.trim_start_matches('#').starts_with('"'))
    })?;
    let after = &rest[prefix.len()..];
    let hashes = after.len() - after.trim_start_matches('#').len();
    let raw = prefix.ends_with('r');
    if hashes > 0 && !raw {
        return None;
    }
    let body = prefix.len() + hashes + 1;
    let end = if raw { raw_end(&rest[body..], hashes) } else { escaped_end(&rest[body..], b'"') };
    Some(body + end)
}

fn raw_end(body: &str, hashes: usize) -> usize {
    let close = format!("\"{}", "#".repeat(hashes));
    body.find(&close).map_or(body.len(), |at| at + close.len())
}

fn escaped_end(body: &str, quote: u8) -> usize {
    let bytes = body.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    body.len()
}

/// The length of a character literal that starts here; a lifetime is none.
fn character_length(rest: &str) -> Option<usize> {
    let prefix = usize::from(rest.starts_with("b'"));
    let body = rest[prefix..].strip_prefix('\'')?;
    let first = body.chars().next()?;
    if first == '\\' {
        return Some(prefix + 1 + escaped_end(body, b'\''));
    }
    let quoted = body[first.len_utf8()..].starts_with('\'');
    quoted.then(|| prefix + first.len_utf8() + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        words(source).into_iter().filter(|word| word.kind != Kind::Literal).map(|word| word.text).collect()
    }

    #[test]
    fn comments_and_literals_leave_no_names() {
        let cases: &[(&str, &[&str])] = &[
            ("use a::b;", &["use", "a", "::", "b", ";"]),
            ("a // tokio\nb", &["a", "b"]),
            ("a /* x /* tokio */ y */ b", &["a", "b"]),
            (r#"a "tokio \" x" b"#, &["a", "b"]),
            (r##"a r#"tokio " x"# b"##, &["a", "b"]),
            (r#"a br"tokio" cr"x" b"y" c"z" b"#, &["a", "b"]),
            (r"a '\'' '\\' b'x' 'y' '{' b", &["a", "b"]),
            ("fn f<'a>(x: &'a str)", &["fn", "f", "<", ">", "(", "x", ":", "&", "str", ")"]),
            ("r#type 1_000u64 0.5", &["type", "."]),
            ("'outer: loop", &[":", "loop"]),
            ("'é' é", &["é"]),
            ("a \"never closed", &["a"]),
        ];
        for (source, expected) in cases {
            assert_eq!(texts(source), *expected, "in {source}");
        }
    }

    #[test]
    fn lines_are_counted_through_comments_and_strings() {
        let lines: Vec<usize> = words("a\n/*\n*/ b\n\"x\ny\" c").iter().map(|word| word.line).collect();
        assert_eq!(lines, [1, 3, 4, 5]);
    }
}
