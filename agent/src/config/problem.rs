//! What is wrong with a configuration file, said so that the operator can mend it.
//!
//! Invariant: [`Problems`] holds at least one error, and everything that was found in the file, so that
//! nobody has to start the agent five times to learn of five mistakes.

use std::error::Error;
use std::fmt;

use super::path::ConfigPath;

/// A place in the text of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
}

/// One mistake or doubt.
///
/// Displayed as `agent.json:12:7: flows[0].initialPostion: unknown key; did you mean "initialPosition"?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The name of the file, as it was handed to the parser.
    pub file: String,
    /// Where the key, or the value without a key, stands.
    pub position: Position,
    /// Where in the tree; the root for a problem of the whole file.
    pub path: ConfigPath,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Why a file is no configuration: its errors, and its warnings, which often explain the errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// At least one.
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Problems {
    /// The errors (in the order of the file) beside the warnings; `None` when there is no error.
    #[must_use]
    pub fn from_errors(mut errors: Vec<Problem>, warnings: Vec<Problem>) -> Option<Self> {
        errors.sort_by_key(|problem| problem.position);
        (!errors.is_empty()).then_some(Self { errors, warnings })
    }

    /// The errors in the order of the file; at least one.
    #[must_use]
    pub fn errors(&self) -> &[Problem] {
        &self.errors
    }

    /// What would have been only a warning in a file without errors.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { errors: vec![problem], warnings: Vec::new() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.position.line, self.position.column)?;
        if !self.path.steps().is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.errors.iter().map(|error| ("", error));
        let warnings = self.warnings.iter().map(|warning| ("warning: ", warning));
        for (position, (kind, problem)) in errors.chain(warnings).enumerate() {
            let line_break = if position > 0 { "\n" } else { "" };
            write!(f, "{line_break}{kind}{problem}")?;
        }
        Ok(())
    }
}

impl Error for Problems {}
