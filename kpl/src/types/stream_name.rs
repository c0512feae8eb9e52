//! How a stream is named: by its name, or by its ARN where it belongs to another account.
//!
//! Invariant: a value of [`StreamName`] is a name or an ARN that the service can take; two streams of one name in two
//! accounts are two values.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a data stream or of a Firehose delivery stream, with the ARN of a data stream that was given by ARN.
///
/// 1 to 128 characters for data streams (1 to 64 for delivery streams, which the service checks), each a letter, a
/// digit, `_`, `-` or `.` (Kinesis API reference, `CreateStream`). Cloning copies a pointer.
///
/// A stream given by name and the same stream given by ARN are two streams to a producer, each with its own pace.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName {
    /// The name, or the ARN that ends in it.
    text: Arc<str>,
    name_starts_at: usize,
}

/// A stream name that the service would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stream name {name:?} is not valid: use 1 to 128 letters, digits, '_', '-' and '.'")]
pub struct InvalidStreamName {
    /// The name as it was given.
    pub name: String,
}

/// Text that is not the ARN of a data stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{arn:?} is not the ARN of a data stream: {problem}; it looks like \
     arn:aws:kinesis:eu-west-1:123456789012:stream/orders"
)]
pub struct InvalidStreamArn {
    /// The ARN as it was given.
    pub arn: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl StreamName {
    /// Checks and takes a name.
    ///
    /// # Errors
    ///
    /// [`InvalidStreamName`] when the service would refuse it.
    pub fn new(name: &str) -> Result<Self, InvalidStreamName> {
        if !is_lawful(name) {
            return Err(InvalidStreamName { name: name.to_owned() });
        }
        Ok(Self { text: name.into(), name_starts_at: 0 })
    }

    /// Checks and takes the ARN of a data stream, such as `arn:aws:kinesis:eu-west-1:123456789012:stream/orders`. Calls
    /// then carry the ARN instead of the name, so the stream may be another account's, if its policy allows it
    /// (Kinesis developer guide, sharing a data stream with another account).
    ///
    /// Region and endpoint remain those of the transport. Without an endpoint of your own the SDK calls
    /// `https://ACCOUNT.data-kinesis.REGION.amazonaws.com` for a stream given by ARN: let firewalls know.
    ///
    /// # Errors
    ///
    /// [`InvalidStreamArn`] with what is wrong.
    pub fn from_arn(arn: &str) -> Result<Self, InvalidStreamArn> {
        match name_in_arn(arn) {
            Ok(name) => Ok(Self { text: arn.into(), name_starts_at: arn.len() - name.len() }),
            Err(problem) => Err(InvalidStreamArn { arn: arn.to_owned(), problem }),
        }
    }

    /// The name as text, without the rest of the ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.get(self.name_starts_at..).unwrap_or_default()
    }

    /// The ARN, if the stream was given by ARN.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        (self.name_starts_at > 0).then_some(&*self.text)
    }
}

/// The name at the end of an ARN, or what is wrong (Kinesis API reference, `StreamARN`).
fn name_in_arn(arn: &str) -> Result<&str, &'static str> {
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (prefix, partition, service, region, account, resource) =
        (part(), part(), part(), part(), part(), part());
    let name = resource.strip_prefix("stream/").unwrap_or_default();
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    match () {
        () if prefix != "arn" => Err("it does not begin with 'arn:'"),
        () if !partition.starts_with("aws") || !is_lawful(partition) => {
            Err("its partition is not one of AWS")
        }
        () if service != "kinesis" => Err("its service is not kinesis"),
        () if !is_lawful(region) => Err("it names no region"),
        () if !is_account => Err("its account is not 12 digits"),
        () if !is_lawful(name) => Err("it does not end in 'stream/' and a lawful stream name"),
        () => Ok(name),
    }
}

fn is_lawful(name: &str) -> bool {
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (1..=128).contains(&name.len()) && name.bytes().all(lawful)
}

impl FromStr for StreamName {
    type Err = InvalidStreamName;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_names_are_checked() {
        assert!(StreamName::new("orders_v2.eu-west").is_ok());
        for bad in ["", "with space", "slash/", &"x".repeat(129)] {
            assert!(StreamName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn arns_keep_their_name() {
        for arn in [
            "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
            "arn:aws-us-gov:kinesis:us-gov-west-1:000000000000:stream/orders",
        ] {
            let stream = StreamName::from_arn(arn).expect("lawful");
            assert_eq!((stream.as_str(), stream.arn()), ("orders", Some(arn)));
            assert_eq!(
                (stream.to_string(), format!("{stream:?}")),
                ("orders".to_owned(), format!("{arn:?}"))
            );
        }
    }

    #[test]
    fn what_is_no_arn_is_told() {
        for (arn, problem) in [
            ("orders", "begin"),
            ("", "begin"),
            ("arn:azure:kinesis:eu-west-1:123456789012:stream/orders", "partition"),
            ("arn:aws:firehose:eu-west-1:123456789012:deliverystream/orders", "service"),
            ("arn:aws:kinesis::123456789012:stream/orders", "region"),
            ("arn:aws:kinesis:eu-west-1:12345678901:stream/orders", "account"),
            ("arn:aws:kinesis:eu-west-1:12345678901é:stream/orders", "account"),
            ("arn:aws:kinesis:eu-west-1:123456789012:stream/", "end"),
            ("arn:aws:kinesis:eu-west-1:123456789012:stream/orders/consumer/app:1", "end"),
            ("arn:aws:kinesis:eu-west-1:123456789012", "end"),
        ] {
            let error = StreamName::from_arn(arn).expect_err(arn);
            assert!(error.problem.contains(problem), "{arn}: {error}");
        }
    }

    #[test]
    fn one_name_in_two_accounts_is_two_streams() {
        let arn = |account: &str| {
            StreamName::from_arn(&format!("arn:aws:kinesis:eu-west-1:{account}:stream/orders"))
                .expect("lawful")
        };
        let (ours, theirs) = (arn("111111111111"), arn("222222222222"));
        assert_ne!(ours, theirs);
        assert_ne!(ours, StreamName::new("orders").expect("lawful"));
        assert_eq!(ours, arn("111111111111"));
    }
}
