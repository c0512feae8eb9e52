//! Tags of a delivery stream.
//!
//! Source: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_TagDeliveryStream.html>. Invariant: a refused
//! call changes no tag.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde_json::{Value, json};

use crate::aws_error::AwsError;

const MOST_TAGS: usize = 50;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;
/// AWS's own tags begin with it.
const RESERVED: &str = "aws:";

/// Values by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Tags(BTreeMap<String, String>);

impl Tags {
    /// Those of a request, which may have none.
    pub(super) fn read(tree: &Value) -> Result<Self, AwsError> {
        let mut tags = Self::default();
        tags.add(tree)?;
        Ok(tags)
    }

    /// Adds the tags of a request; a key that is there gets the new value.
    pub(super) fn add(&mut self, tree: &Value) -> Result<(), AwsError> {
        let mut tags = self.0.clone();
        for tag in items(&tree["Tags"]) {
            let (key, value) =
                (tag["Key"].as_str().unwrap_or_default(), tag["Value"].as_str().unwrap_or_default());
            check(key, value)?;
            tags.insert(key.to_owned(), value.to_owned());
        }
        if tags.len() > MOST_TAGS {
            let message = format!("a delivery stream takes {MOST_TAGS} tags, not {}", tags.len());
            return Err(AwsError::new(400, "LimitExceededException", message));
        }
        self.0 = tags;
        Ok(())
    }

    /// Removes the keys of a request; unknown ones are no fault.
    pub(super) fn remove(&mut self, tree: &Value) {
        for key in items(&tree["TagKeys"]).iter().filter_map(Value::as_str) {
            self.0.remove(key);
        }
    }

    /// A page of them, in the order of their keys.
    pub(super) fn list(&self, tree: &Value) -> Value {
        let after = tree["ExclusiveStartTagKey"].as_str().map_or(Bound::Unbounded, Bound::Excluded);
        let page = tree["Limit"].as_u64().map_or(MOST_TAGS, |limit| limit.min(MOST_TAGS as u64) as usize);
        let mut rest = self.0.range::<str, _>((after, Bound::Unbounded));
        let tags: Vec<Value> =
            rest.by_ref().take(page).map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        json!({"Tags": tags, "HasMoreTags": rest.next().is_some()})
    }
}

fn check(key: &str, value: &str) -> Result<(), AwsError> {
    let fits = |text: &str, longest: usize| text.chars().count() <= longest;
    if key.is_empty() || !fits(key, LONGEST_KEY) || !fits(value, LONGEST_VALUE) || key.starts_with(RESERVED) {
        return Err(AwsError::invalid_argument(format!(
            "the tag `{key}` is refused: a key has 1 to {LONGEST_KEY} characters and does not begin with {RESERVED}, a \
             value has at most {LONGEST_VALUE} characters"
        )));
    }
    Ok(())
}

fn items(tree: &Value) -> &[Value] {
    tree.as_array().map_or(&[], Vec::as_slice)
}
