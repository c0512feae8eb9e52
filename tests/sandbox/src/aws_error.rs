//! An error as AWS answers it, before it is put into the words of a protocol.
//!
//! Invariant: an error says the same in every protocol; only [`reply`](crate::reply) knows the forms.

use ferrokinesis::error::KinesisErrorResponse;

/// A refused call: HTTP status, AWS error code and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl AwsError {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidArgumentException", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(400, "ResourceNotFoundException", message)
    }

    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::new(400, "SerializationException", message)
    }

    pub(crate) fn unknown_operation(operation: &str) -> Self {
        Self::new(
            400,
            "UnknownOperationException",
            format!("the sandbox does not know the operation `{operation}`"),
        )
    }

    /// The failure that AWS means by a bare HTTP 500.
    pub(crate) fn internal() -> Self {
        Self::new(500, "InternalFailure", "Internal service failure.")
    }

    /// Whose fault it was, in the query protocol's words.
    pub(crate) fn fault(&self) -> &'static str {
        if self.status < 500 { "Sender" } else { "Receiver" }
    }
}

impl From<KinesisErrorResponse> for AwsError {
    fn from(error: KinesisErrorResponse) -> Self {
        Self {
            status: error.status_code,
            code: error.body.error_type,
            message: error.body.message.unwrap_or_default(),
        }
    }
}
