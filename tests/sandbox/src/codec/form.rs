//! Form bodies of the query protocol.
//!
//! Invariant: `List.member.N.Field=x` becomes the same tree as the JSON `{"List":[{"Field":"x"}]}`, with every leaf as
//! text.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The word before an index in a list's parameter name.
const MEMBER: &str = "member";
/// Deeper than any AWS request; parameters that nest deeper are left out.
const MAX_DEPTH: usize = 16;

/// The first parameter called `name`.
pub(crate) fn parameter(body: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The tree of a form body.
pub(crate) fn read(body: &[u8]) -> Value {
    let mut root = Node::default();
    for (name, value) in form_urlencoded::parse(body) {
        let path: Vec<&str> = name.split('.').collect();
        if path.len() <= MAX_DEPTH {
            root.insert(&path, value.into_owned());
        }
    }
    root.into_tree()
}

#[derive(Default)]
struct Node {
    text: Option<String>,
    fields: BTreeMap<String, Node>,
}

impl Node {
    fn insert(&mut self, path: &[&str], text: String) {
        match path {
            [] => self.text = Some(text),
            [name, rest @ ..] => self.fields.entry((*name).to_owned()).or_default().insert(rest, text),
        }
    }

    fn into_tree(mut self) -> Value {
        if let Some(members) = self.fields.remove(MEMBER) {
            return members.into_list();
        }
        match self.text {
            Some(text) if self.fields.is_empty() => Value::String(text),
            _ => self
                .fields
                .into_iter()
                .map(|(name, node)| (name, node.into_tree()))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    fn into_list(self) -> Value {
        // "10" sorts before "2" as text.
        let mut items: Vec<(u32, Node)> =
            self.fields.into_iter().filter_map(|(index, node)| Some((index.parse().ok()?, node))).collect();
        items.sort_by_key(|(index, _)| *index);
        items.into_iter().map(|(_, node)| node.into_tree()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_become_lists_in_the_order_of_their_numbers() {
        let body = b"Action=PutMetricData&Namespace=a%2Fb&MetricData.member.10.MetricName=ten&\
            MetricData.member.2.MetricName=two&MetricData.member.2.Dimensions.member.1.Name=n+1&\
            MetricData.member.2.StatisticValues.Sum=1.5";
        assert_eq!(
            read(body),
            json!({
                "Action": "PutMetricData",
                "MetricData": [
                    {"Dimensions": [{"Name": "n 1"}], "MetricName": "two", "StatisticValues": {"Sum": "1.5"}},
                    {"MetricName": "ten"},
                ],
                "Namespace": "a/b",
            })
        );
        assert_eq!(parameter(body, "Namespace").as_deref(), Some("a/b"));
        assert_eq!(parameter(body, "Nothing"), None);
    }
}
