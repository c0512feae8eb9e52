//! How the logs of a round are rotated.

use crate::log_writer::Rotation;
use crate::logrotate::{Manner, logrotate};

/// A kind of rotation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) way: Way,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// The program does it itself.
    Own(Rotation),
    /// The real logrotate does it.
    Logrotate(Manner),
}

impl Kind {
    /// Whether a file that is rotated gets a name by which an agent that never saw it could not find it. What is rotated
    /// so before the agent has saved that it knows the file is lost by design, if the agent is killed.
    pub(super) fn hides(self) -> bool {
        use Rotation::{CopyTruncateAndMove, MoveAway, PointElsewhere};
        matches!(self.way, Way::Own(MoveAway | PointElsewhere | CopyTruncateAndMove))
    }

    /// The log's first name, and the pattern's file part.
    pub(super) fn names(self, is_exact: bool) -> (&'static str, &'static str) {
        match (self.way, is_exact) {
            (Way::Own(Rotation::NewName), _) => ("app-0.log", "app-*.log"),
            (_, true) => ("app.log", "app.log"),
            (_, false) => ("app.log", "app.log*"),
        }
    }
}

const fn own(name: &'static str, rotation: Rotation) -> Kind {
    Kind { name, way: Way::Own(rotation) }
}

const fn by_logrotate(name: &'static str, directives: &'static str, reopens: bool) -> Kind {
    Kind { name, way: Way::Logrotate(Manner { directives, is_forced: true, reopens }) }
}

const OWN: [Kind; 10] = [
    own("rename, create", Rotation::Rename),
    own("rename, create, compress at once", Rotation::RenameAndCompress),
    own("copytruncate", Rotation::CopyTruncate),
    own("copytruncate, compress at once", Rotation::CopyTruncateAndCompress),
    own("copytruncate, copy moved away when it arrived", Rotation::CopyTruncateAndMove),
    own("rename to a name with a date", Rotation::DateName),
    own("rename into another directory", Rotation::MoveAway),
    own("replaced by an editor", Rotation::Replace),
    own("symbolic link re-pointed", Rotation::PointElsewhere),
    own("a new name for each file", Rotation::NewName),
];

const MAXSIZE: Manner = Manner { directives: "create\ndaily\nmaxsize 1k", is_forced: false, reopens: true };

const BY_LOGROTATE: [Kind; 7] = [
    by_logrotate("logrotate: create", "create", true),
    by_logrotate("logrotate: copytruncate", "copytruncate", false),
    by_logrotate("logrotate: create, compress", "create\ncompress", true),
    by_logrotate("logrotate: copytruncate, compress", "copytruncate\ncompress", false),
    by_logrotate("logrotate: create, delaycompress", "create\ncompress\ndelaycompress", true),
    by_logrotate("logrotate: create, dateext", "create\ndateext\ndateformat -%Y%m%d-%s", true),
    Kind { name: "logrotate: create, maxsize", way: Way::Logrotate(MAXSIZE) },
];

/// All kinds that this machine can do.
pub(super) fn kinds() -> Vec<Kind> {
    let by_logrotate = if logrotate().is_some() { &BY_LOGROTATE[..] } else { &[] };
    OWN.iter().chain(by_logrotate).copied().collect()
}
