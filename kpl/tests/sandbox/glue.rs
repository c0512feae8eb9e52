//! Records with a schema, over the real SDKs.

use aws_sdk_kinesis::types::Record;
use kinesis_sandbox::Sandbox;
use kpl::glue::{
    AwsSchemaRegistry, DataFormat, GlueError, GlueSchemaRegistryConfiguration, GlueSchemaRegistrySerializer,
    Schema, SchemaCompression, SchemaRegistry, decode,
};
use kpl::{AwsTransport, Config, Producer, SendError, StreamName, UserRecord};

use crate::kinesis::transport;
use crate::reader::{client, read_shard};
use crate::support::{STREAM, behavior, credentials, patient, region, sandbox, soon};

const ORDER: &str = r#"{"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}"#;

fn registry(sandbox: &Sandbox) -> AwsSchemaRegistry {
    let builder = aws_sdk_glue::Config::builder()
        .behavior_version(behavior())
        .region(region())
        .credentials_provider(credentials())
        .endpoint_url(sandbox.endpoint());
    AwsSchemaRegistry::from_builder(builder, patient())
}

fn registering() -> GlueSchemaRegistryConfiguration {
    let mut configuration = GlueSchemaRegistryConfiguration::default();
    configuration.schema_auto_registration_enabled = true;
    configuration.metadata.insert("team".to_owned(), "orders".to_owned());
    configuration.tags.insert("cost".to_owned(), "7".to_owned());
    configuration
}

fn start(
    sandbox: &Sandbox,
    transport: AwsTransport,
    configuration: GlueSchemaRegistryConfiguration,
) -> Producer {
    let serializer = GlueSchemaRegistrySerializer::new(registry(sandbox), configuration);
    let mut config = Config::default();
    config.aggregation_enabled = false;
    let builder = Producer::builder(transport).config(config).glue_schema_registry(serializer);
    builder.start().expect("a valid configuration")
}

fn order(schema: &Schema, data: &str) -> UserRecord {
    let stream = StreamName::new(STREAM).expect("valid");
    UserRecord::new(stream, "k", data.to_owned()).with_schema(schema.clone())
}

fn schema() -> Schema {
    Schema::new(DataFormat::Json, ORDER, "order").expect("valid")
}

async fn read(sandbox: &Sandbox) -> Vec<Record> {
    read_shard(&client(sandbox), "shardId-000000000000").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_carry_the_version_of_their_schema_which_is_registered_once() {
    for compression in [SchemaCompression::None, SchemaCompression::Zlib] {
        let sandbox = sandbox(&[]).await;
        sandbox.create_stream(STREAM, 1).await.expect("created");
        let mut configuration = registering();
        configuration.compression = compression;
        let producer = start(&sandbox, transport(&sandbox, patient()), configuration);
        let schema = schema();
        let one = producer.send(order(&schema, r#"{"id": 1}"#));
        let two = producer.send(order(&schema, r#"{"id": 2}"#));
        let (one, two) = soon(async { tokio::join!(one, two) }).await;
        for delivery in [one, two] {
            soon(delivery.expect("encoded")).await.expect("stored");
        }
        let calls = sandbox.counters().calls;
        for operation in ["GetSchemaByDefinition", "CreateSchema"] {
            assert_eq!(calls.get(&format!("glue:{operation}")), Some(&1), "{operation}");
        }
        let records = read(&sandbox).await;
        assert_eq!(records.len(), 2);
        for record in records {
            let framed = decode(&record.data.into_inner().into()).expect("framed");
            assert!(framed.payload.starts_with(b"{\"id\": "));
            let stored =
                registry(&sandbox).get_schema_version(framed.schema_version_id).await.expect("there");
            assert_eq!((stored.definition.as_str(), stored.data_format), (ORDER, Some(DataFormat::Json)));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_definition_is_another_version_and_another_producer_finds_it() {
    let sandbox = sandbox(&[]).await;
    sandbox.create_stream(STREAM, 1).await.expect("created");
    let newer = Schema::new(DataFormat::Json, r#"{"type": "object"}"#, "order").expect("valid");
    for schema in [&schema(), &newer] {
        let producer = start(&sandbox, transport(&sandbox, patient()), registering());
        soon(soon(producer.send(order(schema, r#"{"id": 1}"#))).await.expect("encoded"))
            .await
            .expect("stored");
    }
    let finder = start(&sandbox, transport(&sandbox, patient()), GlueSchemaRegistryConfiguration::default());
    soon(soon(finder.send(order(&newer, "{}"))).await.expect("found")).await.expect("stored");
    let ids: Vec<_> = read(&sandbox)
        .await
        .into_iter()
        .map(|record| decode(&record.data.into_inner().into()).expect("framed").schema_version_id)
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[1] && ids[1] == ids[2], "{ids:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_encoded_comes_back_and_is_not_sent() {
    let sandbox = sandbox(&[]).await;
    sandbox.create_stream(STREAM, 1).await.expect("created");
    let producer =
        start(&sandbox, transport(&sandbox, patient()), GlueSchemaRegistryConfiguration::default());
    let record = order(&schema(), r#"{"id": "x"}"#);
    let Err(SendError::Schema(back, error)) = producer.send(record.clone()).await else {
        panic!("it was taken")
    };
    assert_eq!(back, record);
    assert!(matches!(*error, GlueError::InvalidData { .. }), "{error}");
    let unknown = producer.send(order(&schema(), r#"{"id": 1}"#)).await;
    let Err(SendError::Schema(_, error)) = unknown else { panic!("it was taken") };
    assert!(matches!(*error, GlueError::NotRegistered { .. }), "{error}");
    let plain = Producer::builder(transport(&sandbox, patient())).start().expect("valid");
    let Err(SendError::Schema(_, error)) = plain.try_send(order(&schema(), "{}")) else {
        panic!("it was taken")
    };
    assert_eq!(*error, GlueError::NoRegistry);
    assert_eq!(sandbox.counters().calls.get("kinesis:PutRecords"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_that_stumbles_is_asked_again() {
    let sandbox =
        sandbox(&["throttle:share=0.5,op=GetSchemaByDefinition", "error500:share=0.5,op=CreateSchema"]).await;
    sandbox.create_stream(STREAM, 1).await.expect("created");
    let producer = start(&sandbox, transport(&sandbox, patient()), registering());
    for number in 0..20 {
        let schema = Schema::new(DataFormat::Json, ORDER, format!("order-{number}")).expect("valid");
        let sent = soon(producer.send(order(&schema, r#"{"id": 1}"#))).await;
        soon(sent.expect("encoded")).await.expect("stored");
    }
    assert!(sandbox.counters().calls["glue:GetSchemaByDefinition"] > 20, "some were throttled");
}
