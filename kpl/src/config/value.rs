//! A value as a configuration file gives it, before it is known what option it is for.
//!
//! Invariant: nothing here knows an option; whether a value suits one is the option's to say.

use std::fmt;

/// What a file says for one option.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nothing, by intent.
    #[cfg_attr(not(feature = "serde"), expect(dead_code, reason = "only serde's formats have it"))]
    Absent,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i128),
    /// Any text.
    Text(String),
    /// Several values.
    #[cfg_attr(not(feature = "serde"), expect(dead_code, reason = "only serde's formats have lists"))]
    List(Vec<Self>),
    /// Several values with names.
    #[cfg_attr(not(feature = "serde"), expect(dead_code, reason = "only serde's formats have maps"))]
    Map(Vec<(String, Self)>),
    /// Something that suits no option, in words.
    Other(String),
}

#[cfg(feature = "serde")]
impl Value {
    /// The value as a `.properties` file would have it.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Absent => String::new(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => formatter.write_str("empty"),
            Self::Boolean(value) => value.fmt(formatter),
            Self::Integer(value) => value.fmt(formatter),
            Self::Text(text) => write!(formatter, "{:?}", shortened(text)),
            Self::List(_) => formatter.write_str("a list"),
            Self::Map(_) => formatter.write_str("a map"),
            Self::Other(what) => formatter.write_str(&shortened(what)),
        }
    }
}

/// So much of a text as a message has room for.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
