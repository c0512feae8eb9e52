//! The built-in log formats of LOGTOJSON, one file each, written by hand from their grammars for speed.
//!
//! Invariant: each `parse` accepts a line only as a whole and returns slices of it, in the order of the
//! format's field names ([`LogFormat::field_names`](crate::config::LogFormat::field_names)).

pub(super) mod apache_error;
pub(super) mod combined_apache;
pub(super) mod common_apache;
mod cursor;
mod date;
#[cfg(test)]
mod oracle;
pub(super) mod rfc3339_syslog;
pub(super) mod syslog;
