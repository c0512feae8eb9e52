//! Tags of delivery streams.

use aws_sdk_firehose::types::Tag;

use crate::support::{firehose, sandbox};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

async fn tags(client: &aws_sdk_firehose::Client) -> Vec<String> {
    let listed = client.list_tags_for_delivery_stream().delivery_stream_name("logs").send().await.unwrap();
    let text = |tag: &Tag| format!("{}={}", tag.key(), tag.value().unwrap_or_default());
    listed.tags().iter().map(text).collect()
}

#[tokio::test]
async fn a_delivery_stream_is_tagged_and_untagged() {
    let sandbox = sandbox(&[]).await;
    let client = firehose(&sandbox);
    let create = client.create_delivery_stream().delivery_stream_name("logs").tags(tag("a", "0"));
    Box::pin(create.send()).await.unwrap();
    assert_eq!(tags(&client).await, ["a=0"]);
    let add = client.tag_delivery_stream().delivery_stream_name("logs").tags(tag("c", "3"));
    add.tags(tag("a", "1")).tags(tag("b", "2")).send().await.unwrap();
    assert_eq!(tags(&client).await, ["a=1", "b=2", "c=3"]);
    let remove = client.untag_delivery_stream().delivery_stream_name("logs").tag_keys("b").tag_keys("x");
    remove.send().await.unwrap();
    assert_eq!(tags(&client).await, ["a=1", "c=3"]);
}

#[tokio::test]
async fn tags_are_listed_in_pages() {
    let sandbox = sandbox(&[]).await;
    sandbox.create_delivery_stream("logs").unwrap();
    let client = firehose(&sandbox);
    let many = (0..5).map(|number| tag(&format!("key-{number}"), "v")).collect();
    client.tag_delivery_stream().delivery_stream_name("logs").set_tags(Some(many)).send().await.unwrap();
    let page =
        client.list_tags_for_delivery_stream().delivery_stream_name("logs").limit(3).send().await.unwrap();
    assert_eq!((page.tags().len(), page.has_more_tags()), (3, true));
    let rest = client.list_tags_for_delivery_stream().delivery_stream_name("logs");
    let rest = rest.exclusive_start_tag_key("key-2").limit(3).send().await.unwrap();
    assert_eq!((rest.tags().len(), rest.has_more_tags()), (2, false));
}

#[tokio::test]
async fn too_many_tags_and_tags_of_the_unknown_are_refused() {
    let sandbox = sandbox(&[]).await;
    sandbox.create_delivery_stream("logs").unwrap();
    let client = firehose(&sandbox);
    let add =
        |stream: &str, tags| client.tag_delivery_stream().delivery_stream_name(stream).set_tags(tags).send();
    let many =
        |from: usize, to: usize| Some((from..to).map(|number| tag(&number.to_string(), "v")).collect());
    add("logs", many(0, 50)).await.unwrap();
    let beyond = add("logs", many(50, 51)).await.unwrap_err();
    assert!(beyond.into_service_error().is_limit_exceeded_exception());
    add("logs", many(10, 20)).await.unwrap();
    assert_eq!(tags(&client).await.len(), 50);
    let unknown = add("other", many(0, 1)).await.unwrap_err();
    assert!(unknown.into_service_error().is_resource_not_found_exception());
    let reserved = add("logs", Some(vec![tag("aws:reserved", "v")])).await.unwrap_err();
    assert!(reserved.into_service_error().is_invalid_argument_exception());
}
