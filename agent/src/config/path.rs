//! Where in a configuration a value stands, for example `flows[1].filePattern`.
//!
//! Invariant: a path names steps of the *tree*, never of the text. Keys such as `cloudwatch.emitMetrics`
//! are one step, because the Java agent's keys are flat names that happen to contain a dot.

use std::fmt;

/// One step down the configuration tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into the member of an object.
    Key(String),
    /// Into the item of an array, counted from 0.
    Index(usize),
}

/// A position in the configuration tree; the default is the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigPath(Vec<Step>);

impl ConfigPath {
    /// The whole document.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// This path and then the member `name`.
    #[must_use]
    pub fn key(&self, name: &str) -> Self {
        self.then(Step::Key(name.to_owned()))
    }

    /// This path and then the item `index`, counted from 0.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// The steps from the root.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for ConfigPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(name) if position == 0 => write!(f, "{name}")?,
                Step::Key(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_operators_write_it() {
        let flow = ConfigPath::root().key("flows").index(1);
        assert_eq!(flow.key("filePattern").to_string(), "flows[1].filePattern");
        assert_eq!(ConfigPath::root().key("kinesis.endpoint").to_string(), "kinesis.endpoint");
        assert_eq!(ConfigPath::root().to_string(), "");
    }
}
