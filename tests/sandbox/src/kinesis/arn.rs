//! Streams named by ARN.
//!
//! Invariant: the emulator sees a `StreamName` wherever AWS takes a name or an ARN; an operation that takes the ARN
//! alone keeps it.

use ferrokinesis::actions::Operation;
use serde_json::{Value, json};

use crate::aws_error::AwsError;

/// Puts the name in the place of the ARN, if the operation knows names.
pub(super) fn names_for_arns(operation: Operation, tree: &mut Value) -> Result<(), AwsError> {
    let takes_names = operation.validation_rules().iter().any(|(field, _)| *field == "StreamName");
    let Some(arn) = tree["StreamARN"].as_str().filter(|_| takes_names) else {
        return Ok(());
    };
    let name = stream_in(arn)
        .ok_or_else(|| AwsError::invalid_argument(format!("`{arn}` is not the ARN of a stream")))?;
    if tree["StreamName"].as_str().is_some_and(|given| given != name) {
        return Err(AwsError::invalid_argument(format!(
            "StreamName and StreamARN `{arn}` name different streams"
        )));
    }
    // A page's token says itself which stream it belongs to.
    let name = if tree["NextToken"].is_string() { Value::Null } else { json!(name) };
    tree["StreamName"] = name;
    tree["StreamARN"] = Value::Null;
    Ok(())
}

/// The stream that a request names: by name, by ARN, or inside a shard iterator.
pub(super) fn stream_of(tree: &Value) -> Option<String> {
    let by_name = tree["StreamName"].as_str();
    let by_arn = tree["StreamARN"].as_str().or_else(|| tree["ConsumerARN"].as_str()).and_then(stream_in);
    by_name.or(by_arn).map(str::to_owned).or_else(|| in_iterator(&tree["ShardIterator"]))
}

fn in_iterator(iterator: &Value) -> Option<String> {
    let (_, stream, _, _) = ferrokinesis::shard_iterator::decode_shard_iterator(iterator.as_str()?).ok()?;
    Some(stream)
}

/// The stream's name in the ARN of a stream or of one of its consumers.
pub(super) fn stream_in(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let (Some("arn"), Some(_partition), Some("kinesis")) = (parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let name = parts.nth(2)?.strip_prefix("stream/")?.split('/').next()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_out_of_arns() {
        for (arn, name) in [
            ("arn:aws:kinesis:us-east-1:000000000000:stream/clicks", Some("clicks")),
            ("arn:aws-cn:kinesis:cn-north-1:1:stream/clicks/consumer/app:1700000000", Some("clicks")),
            ("arn:aws:firehose:us-east-1:000000000000:deliverystream/clicks", None),
            ("arn:aws:kinesis:us-east-1:000000000000:stream/", None),
            ("clicks", None),
        ] {
            assert_eq!(stream_in(arn), name, "{arn}");
        }
    }

    #[test]
    fn an_arn_is_replaced_where_names_are_known() {
        let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/clicks";
        let mut tree = json!({"StreamARN": arn});
        names_for_arns(Operation::ListShards, &mut tree).unwrap();
        assert_eq!(tree, json!({"StreamARN": null, "StreamName": "clicks"}));

        let mut both = json!({"StreamARN": arn, "StreamName": "other"});
        assert_eq!(
            names_for_arns(Operation::PutRecord, &mut both).unwrap_err().code,
            "InvalidArgumentException"
        );

        let mut arn_alone = json!({"StreamARN": arn, "ConsumerName": "app"});
        names_for_arns(Operation::RegisterStreamConsumer, &mut arn_alone).unwrap();
        assert_eq!(arn_alone["StreamARN"], arn);
    }
}
