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
    /// Sending again cannot help until somebody changes something.
    Permanent,
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
    ("ResourceNotFoundException", ErrorClass::Permanent),
    ("AccessDeniedException", ErrorClass::Permanent),
    ("InvalidArgumentException", ErrorClass::InvalidRequest),
    ("ValidationException", ErrorClass::InvalidRequest),
    ("SerializationException", ErrorClass::InvalidRequest),
    ("InvalidSignatureException", ErrorClass::Permanent),
    ("UnrecognizedClientException", ErrorClass::Permanent),
    ("MissingAuthenticationTokenException", ErrorClass::Permanent),
    ("KMSAccessDeniedException", ErrorClass::Permanent),
    ("KMSDisabledException", ErrorClass::Permanent),
    ("KMSInvalidStateException", ErrorClass::Permanent),
    ("KMSNotFoundException", ErrorClass::Permanent),
    ("KMSOptInRequired", ErrorClass::Permanent),
    ("InvalidKMSResourceException", ErrorClass::Permanent),
    ("InvalidSourceException", ErrorClass::Permanent),
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
            ("ExpiredTokenException", ErrorClass::Transient),
            ("a code of next year", ErrorClass::Transient),
            ("", ErrorClass::Transient),
            ("ResourceNotFoundException", ErrorClass::Permanent),
            ("AccessDeniedException", ErrorClass::Permanent),
            ("ValidationException", ErrorClass::InvalidRequest),
        ] {
            assert_eq!(ErrorClass::of(code), class, "{code}");
        }
    }
}
