//! Attacks by whoever may write to a log directory, or owns what the agent's log goes to. None of them stops the agent,
//! ends it, or makes it ship what its attacker may not read.

mod hangs;
mod links;
mod log_readers;
mod special_files;
