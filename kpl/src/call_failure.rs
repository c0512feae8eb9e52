//! Failed calls by cause, and what cures each: one table.
//!
//! Invariant: every code has a cause and a cure, also one that the table does not know.

use crate::error_class::ErrorClass;

/// The cause of a failed call, as the counters of [`StreamSnapshot`](crate::StreamSnapshot) tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CallFailure {
    /// The service was called too often.
    Throttled,
    /// The service does not take the call: permissions, credentials, stream, or contents.
    Refused,
    /// There was no answer within the time limit.
    TimedOut,
    /// The call or its answer did not get through: network, TLS, proxy, unreadable answer.
    Transport,
    /// The service had trouble of its own.
    Service,
}

/// Codes of this crate for calls that got no readable answer; see [`CallError::code`](crate::CallError).
const TRANSPORT: &[&str] =
    &["DispatchFailure", "ConstructionFailure", "TransportFailure", "ResponseUnreadable", "ListingEndless"];

/// What to do about a code. Sources: Kinesis API reference, `PutRecords` and common errors; Firehose API reference,
/// `PutRecordBatch`. A row that ends in `*` stands for all codes that begin so; the first row that fits counts.
const CURES: &[(&str, &str)] = &[
    (
        "AccessDenied*",
        "allow the action that the message names in the IAM policy of these credentials: kinesis:PutRecords, \
         kinesis:ListShards and kinesis:DescribeStreamSummary, firehose:PutRecordBatch for a delivery stream; for a \
         stream of another account in its resource policy, too",
    ),
    ("ResourceNotFound*", "create the stream, or check its name, the region, the account and the endpoint"),
    ("UnrecognizedClient*", "check the access key: it was deleted, or is of another partition or region"),
    ("InvalidClientTokenId", "check the access key: it was deleted, or is of another partition or region"),
    ("InvalidSignature*", "check the secret access key, and this machine's clock"),
    ("SignatureDoesNotMatch", "check the secret access key, and this machine's clock"),
    ("RequestExpired", "check this machine's clock"),
    ("RequestTimeTooSkewed", "check this machine's clock"),
    ("ExpiredToken*", "renew the credentials: their session token has expired"),
    ("MissingAuthenticationToken*", "configure credentials"),
    ("IncompleteSignature", "check the credentials, and proxies that change requests"),
    ("OptInRequired", "enable the service or the region for this account"),
    ("KMSAccessDenied*", "allow kms:GenerateDataKey on the stream's key for these credentials"),
    ("KMSThrottling*", "raise the account's KMS request quota"),
    ("KMS*", "check the state of the KMS key that encrypts the stream"),
    ("InvalidKMSResource*", "check the state of the KMS key that encrypts the stream"),
    ("InvalidSource*", "let the delivery stream take direct puts: it has a Kinesis stream as its source"),
    ("ProvisionedThroughputExceeded*", "add shards, spread the partition keys, or lower rate_limit"),
    ("ServiceUnavailable*", "raise the delivery stream's quota, or send less"),
    ("Throttling*", "send less, or add shards"),
    ("LimitExceeded*", "let fewer programs call, or raise the quota"),
    ("RequestLimitExceeded", "let fewer programs call, or raise the quota"),
    ("SlowDown", "let fewer programs call, or raise the quota"),
    ("ValidationException", "check the sizes and keys of the records against the stream's limits"),
    ("InvalidArgument*", "check the sizes and keys of the records against the stream's limits"),
    ("Serialization*", "check the endpoint: it does not read what this program writes"),
    ("Timeout", "check the endpoint and the network; on a slow line raise request_timeout"),
    (
        "DispatchFailure",
        "check the endpoint, the network, the proxy, TLS, and where the credentials come from",
    ),
    ("ConstructionFailure", "configure a region, and check the endpoint"),
    ("TransportFailure", "report it: the transport panicked"),
    ("ResponseUnreadable", "check what answers at the endpoint: a proxy, or another service"),
    ("ListingEndless", "check what answers at the endpoint: its list of shards does not end"),
];

const UNKNOWN_CURE: &str = "see the AWS Health Dashboard and the endpoint's own log";

impl CallFailure {
    /// The cause that a code stands for; [`CallFailure::Service`] for a code that is not known.
    pub(crate) fn of(code: &str) -> Self {
        if code == "Timeout" {
            return Self::TimedOut;
        }
        if TRANSPORT.contains(&code) {
            return Self::Transport;
        }
        match ErrorClass::of(code) {
            ErrorClass::Throttled => Self::Throttled,
            ErrorClass::Transient => Self::Service,
            _ => Self::Refused,
        }
    }

    /// The word for it in logs and metric labels.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Transport => "transport",
            Self::Service => "service",
        }
    }
}

/// What an operator can do about this code.
pub(crate) fn cure(code: &str) -> &'static str {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => code.starts_with(start),
        None => code == pattern,
    };
    CURES.iter().find(|(pattern, _)| fits(pattern)).map_or(UNKNOWN_CURE, |(_, cure)| cure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_causes() {
        for (code, cause) in [
            ("ProvisionedThroughputExceededException", CallFailure::Throttled),
            ("AccessDeniedException", CallFailure::Refused),
            ("ResourceNotFoundException", CallFailure::Refused),
            ("ValidationException", CallFailure::Refused),
            ("Timeout", CallFailure::TimedOut),
            ("DispatchFailure", CallFailure::Transport),
            ("ResponseUnreadable", CallFailure::Transport),
            ("InternalFailure", CallFailure::Service),
            ("a code of next year", CallFailure::Service),
            ("", CallFailure::Service),
        ] {
            assert_eq!(CallFailure::of(code), cause, "{code}");
        }
    }

    #[test]
    fn codes_have_cures() {
        for (code, word) in [
            ("AccessDeniedException", "kinesis:PutRecords"),
            ("AccessDenied", "IAM policy"),
            ("ResourceNotFoundException", "create the stream"),
            ("UnrecognizedClientException", "access key"),
            ("InvalidSignatureException", "clock"),
            ("RequestExpired", "clock"),
            ("ExpiredTokenException", "renew"),
            ("KMSAccessDeniedException", "kms:GenerateDataKey"),
            ("KMSDisabledException", "KMS key"),
            ("ProvisionedThroughputExceededException", "shards"),
            ("Timeout", "network"),
            ("DispatchFailure", "endpoint"),
            ("a code of next year", "Health Dashboard"),
            ("", "Health Dashboard"),
        ] {
            assert!(cure(code).contains(word), "{code}: {}", cure(code));
        }
    }

    #[test]
    fn every_row_can_be_reached() {
        for (place, (pattern, _)) in CURES.iter().enumerate() {
            let code = pattern.trim_end_matches('*');
            let hides = |(earlier, _): &(&str, &str)| match earlier.strip_suffix('*') {
                Some(start) => code.starts_with(start),
                None => code == *earlier,
            };
            assert!(!CURES[..place].iter().any(hides), "{pattern}");
        }
    }
}
