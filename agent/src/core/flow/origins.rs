//! When a file gets its origin.
//!
//! Invariant: a record leaves with an id only when the origin in it was there before [`Flow::pump`] was called, so that
//! whoever pumps can save it first.

use super::Flow;
use crate::core::origin::{Generation, Origins, first_line};
use crate::types::FileId;

impl Flow {
    /// The same machine, of the agent on this host.
    #[must_use]
    pub fn on_host(mut self, host: &str) -> Self {
        self.origins =
            Origins::new(host, &self.config.id, self.memory.iter().filter_map(|known| known.origin));
        self
    }

    /// Gives a file its origin as soon as its first line is known; no record of it can leave before that. Answers
    /// whether it got it now: then [`Flow::checkpoints`] are to be saved before [`Flow::pump`].
    pub fn name_origin(&mut self, id: FileId) -> bool {
        let Some(mut file) = self.files.get_mut(id) else { return false };
        if file.origin.is_some() {
            return false;
        }
        let Some(first_line) = first_line(file.head().bytes(), file.is_over()) else { return false };
        let origin = self.origins.make(Generation { file: id, node: file.node, first_line });
        file.origin = Some(origin);
        true
    }
}
