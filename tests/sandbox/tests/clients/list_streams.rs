//! ListStreams in pages, and what CreateStream takes besides name and count.

use aws_sdk_kinesis::types::{StreamMode, StreamModeDetails, StreamStatus};

use crate::support::{ARN, STREAM, kinesis, sandbox};

#[tokio::test]
async fn streams_are_listed_in_pages_with_summaries() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    for name in ["a", "b", "z"] {
        sandbox.create_stream(name, 1).await.unwrap();
    }
    let mut page = client.list_streams().limit(3).send().await.unwrap();
    assert_eq!((page.stream_names().join(" "), page.has_more_streams()), ("a b clicks".to_owned(), true));
    let summary = &page.stream_summaries()[2];
    assert_eq!((summary.stream_name(), summary.stream_arn()), (STREAM, ARN));
    assert_eq!(*summary.stream_status(), StreamStatus::Active);
    assert_eq!(*summary.stream_mode_details().unwrap().stream_mode(), StreamMode::Provisioned);
    assert!(summary.stream_creation_timestamp().unwrap().secs() > 1_700_000_000);
    let by_name = client.list_streams().exclusive_start_stream_name("clicks").send().await.unwrap();
    page = client.list_streams().next_token(page.next_token().unwrap()).send().await.unwrap();
    assert_eq!((page.stream_names(), page.has_more_streams()), (&["z".to_owned()][..], false));
    assert_eq!(page.next_token(), None);
    assert_eq!(page.stream_names(), by_name.stream_names());
}

#[tokio::test]
async fn a_page_of_streams_has_a_hundred_unless_asked_otherwise() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    for number in 0..120 {
        sandbox.create_stream(&format!("stream-{number:03}"), 1).await.unwrap();
    }
    let page = client.list_streams().send().await.unwrap();
    assert_eq!((page.stream_names().len(), page.has_more_streams()), (100, true));
    let next = client.list_streams().set_next_token(page.next_token).send().await.unwrap();
    assert_eq!((next.stream_names().len(), next.has_more_streams()), (21, false));
    let rubbish = client.list_streams().next_token("rubbish").send().await.unwrap_err();
    assert_eq!(rubbish.into_service_error().meta().code(), Some("InvalidArgumentException"));
}

#[tokio::test]
async fn a_stream_is_created_with_tags_and_record_size() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let create = client.create_stream().stream_name("tagged").shard_count(1).max_record_size_in_kib(2048);
    create.tags("team", "logs").tags("cost", "7").send().await.unwrap();
    let tags = client.list_tags_for_stream().stream_name("tagged").send().await.unwrap();
    let tags: Vec<_> = tags.tags().iter().map(|tag| (tag.key(), tag.value().unwrap())).collect();
    assert_eq!(tags, [("cost", "7"), ("team", "logs")]);
    let by_arn = client.list_tags_for_resource().resource_arn(ARN.replace(STREAM, "tagged")).send().await;
    assert_eq!(by_arn.unwrap().tags().len(), 2);
    let summary = client.describe_stream_summary().stream_name("tagged").send().await.unwrap();
    assert_eq!(summary.stream_description_summary().unwrap().max_record_size_in_kib(), Some(2048));

    let mode = StreamModeDetails::builder().stream_mode(StreamMode::OnDemand).build().unwrap();
    let create = client.create_stream().stream_name("demand").stream_mode_details(mode).tags("a", "b");
    create.send().await.unwrap();
    assert_eq!(client.list_tags_for_stream().stream_name("demand").send().await.unwrap().tags().len(), 1);
}

#[tokio::test]
async fn a_stream_whose_tags_are_refused_is_not_created() {
    let sandbox = sandbox(&[]).await;
    let client = kinesis(&sandbox);
    let create = client.create_stream().stream_name("tagged").shard_count(1).tags("bad%", "x");
    assert!(create.send().await.unwrap_err().into_service_error().is_invalid_argument_exception());
    assert_eq!(client.list_streams().send().await.unwrap().stream_names(), [STREAM]);
}
