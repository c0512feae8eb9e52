//! Collects everything that is wrong or doubtful in one file while it is being resolved.
//!
//! Invariant: nothing is dropped; resolving goes on after an error, and the collected errors decide at the
//! end whether there is a configuration at all.

use super::path::ConfigPath;
use super::problem::{Problem, Problems};
use super::source::Source;

/// A problem whose place in the text has not been looked up yet.
#[derive(Debug)]
struct Finding {
    path: ConfigPath,
    message: String,
    hint: Option<String>,
}

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    errors: Vec<Finding>,
    warnings: Vec<Finding>,
}

impl Findings {
    /// The file cannot be used.
    pub(super) fn error(&mut self, path: ConfigPath, message: String, hint: Option<String>) {
        self.errors.push(Finding { path, message, hint });
    }

    /// The file can be used, but perhaps not as its author thinks.
    pub(super) fn warn(&mut self, path: ConfigPath, message: String, hint: Option<String>) {
        self.warnings.push(Finding { path, message, hint });
    }

    /// The warnings of a file without errors, else all its problems.
    pub(super) fn settle(self, source: &Source) -> Result<Vec<Problem>, Problems> {
        let locate = |finding: Finding| source.problem(finding.path, finding.message, finding.hint);
        let mut warnings: Vec<Problem> = self.warnings.into_iter().map(locate).collect();
        warnings.sort_by_key(|problem| problem.position);
        match Problems::from_errors(self.errors.into_iter().map(locate).collect(), warnings.clone()) {
            Some(problems) => Err(problems),
            None => Ok(warnings),
        }
    }

    #[cfg(test)]
    pub(super) fn warning_count(&self) -> usize {
        self.warnings.len()
    }
}
