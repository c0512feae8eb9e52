//! What to do about an error code: one table, with the source of each code.
//!
//! Invariant: a code that is not in the table is retried, so that a new code of the service cannot lose records.

/// What an error code means for the records that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Too fast: wait, then send again.
    Throttled,
    /// The service had trouble of its own: wait, then send again.
    Transient,
    /// Something in the request is not as it must be. Of a call with many entries that may be one entry's fault, which is
    /// looked for.
    InvalidRequest,
    /// The service refuses the call until something outside of it changes: a permission, a stream, a key, credentials, a
    /// clock. What is refused now may be taken in a moment, so it is retried, unless `fail_if_refused` says otherwise.
    Refused,
}

/// Every code that is not transient. Sources: Kinesis API reference, `PutRecords` and common errors; Firehose API
/// reference, `PutRecordBatch`.
const CLASSES: &[(&str, ErrorClass)] = &[
    ("ProvisionedThroughputExceededException", ErrorClass::Throttled),
    ("ThrottlingException", ErrorClass::Throttled),
    ("LimitExceededException", ErrorClass::Throttled),
    ("RequestLimitExceeded", ErrorClass::Throttled),
    ("SlowDown", ErrorClass::Throttled),
    ("KMSThrottlingException", ErrorClass::Throttled),
    // Firehose's word for throttling.
    ("ServiceUnavailableException", ErrorClass::Throttled),
    ("ResourceNotFoundException", ErrorClass::Refused),
    ("AccessDeniedException", ErrorClass::Refused),
    ("InvalidArgumentException", ErrorClass::InvalidRequest),
    ("ValidationException", ErrorClass::InvalidRequest),
    ("SerializationException", ErrorClass::InvalidRequest),
    ("InvalidSignatureException", ErrorClass::Refused),
    ("UnrecognizedClientException", ErrorClass::Refused),
    ("MissingAuthenticationTokenException", ErrorClass::Refused),
    ("AccessDenied", ErrorClass::Refused),
    ("IncompleteSignature", ErrorClass::Refused),
    ("InvalidClientTokenId", ErrorClass::Refused),
    ("MissingAuthenticationToken", ErrorClass::Refused),
    ("OptInRequired", ErrorClass::Refused),
    ("NotAuthorized", ErrorClass::Refused),
    ("SignatureDoesNotMatch", ErrorClass::Refused),
    ("RequestExpired", ErrorClass::Refused),
    ("ExpiredTokenException", ErrorClass::Refused),
    ("ExpiredToken", ErrorClass::Refused),
    ("InvalidSignature", ErrorClass::Refused),
    ("UnrecognizedClient", ErrorClass::Refused),
    ("InvalidAccessKeyId", ErrorClass::Refused),
    ("AuthFailure", ErrorClass::Refused),
    ("KMSAccessDeniedException", ErrorClass::Refused),
    ("KMSDisabledException", ErrorClass::Refused),
    ("KMSInvalidStateException", ErrorClass::Refused),
    ("KMSNotFoundException", ErrorClass::Refused),
    ("KMSOptInRequired", ErrorClass::Refused),
    ("InvalidKMSResourceException", ErrorClass::Refused),
    ("InvalidSourceException", ErrorClass::Refused),
];

impl ErrorClass {
    /// The class of an error code; [`ErrorClass::Transient`] for a code that is not known.
    #[must_use]
    pub fn of(code: &str) -> Self {
        let row = CLASSES.iter().find(|(known, _)| *known == code);
        row.map_or(Self::Transient, |(_, class)| *class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_classes() {
        for (code, class) in [
            ("ProvisionedThroughputExceededException", ErrorClass::Throttled),
            ("ServiceUnavailableException", ErrorClass::Throttled),
            ("InternalFailure", ErrorClass::Transient),
            ("ExpiredTokenException", ErrorClass::Refused),
            ("a code of next year", ErrorClass::Transient),
            ("", ErrorClass::Transient),
            ("ResourceNotFoundException", ErrorClass::Refused),
            ("AccessDeniedException", ErrorClass::Refused),
            ("ValidationException", ErrorClass::InvalidRequest),
        ] {
            assert_eq!(ErrorClass::of(code), class, "{code}");
        }
    }
}
