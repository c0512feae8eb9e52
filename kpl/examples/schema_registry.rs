//! Orders with a schema of the Glue Schema Registry into a stream.
//!
//! `cargo run -p kpl --features glue --example schema_registry -- orders` sends to AWS with your usual credentials, which
//! need the permissions that the documentation of `kpl::glue` lists; with a second argument, such as
//! `http://127.0.0.1:4567` of `kinesis-agent sandbox --stream orders`, to an endpoint of your own.

use kpl::glue::{
    AwsSchemaRegistry, DataFormat, GlueSchemaRegistryConfiguration, GlueSchemaRegistrySerializer, Schema,
    SchemaCompression,
};
use kpl::{AwsTransport, Config, Producer, StreamName, UserRecord};

const ORDER: &str = r#"{
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"id": {"type": "integer"}, "item": {"type": "string"}},
    "required": ["id"]
}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let stream = StreamName::new(&arguments.next().ok_or("give the name of a stream")?)?;
    let endpoint = arguments.next();

    let mut registry = GlueSchemaRegistryConfiguration::default();
    registry.endpoint = endpoint.clone();
    registry.schema_auto_registration_enabled = true;
    registry.compression = SchemaCompression::Zlib;
    let serializer =
        GlueSchemaRegistrySerializer::new(AwsSchemaRegistry::from_configuration(&registry).await, registry);

    let mut config = Config::default();
    config.connection.kinesis_endpoint = endpoint;
    let transport = AwsTransport::from_config(&config).await?;
    let producer = Producer::builder(transport).config(config).glue_schema_registry(serializer).start()?;

    let schema = Schema::new(DataFormat::Json, ORDER, "orders")?; // make it once and keep it
    let mut deliveries = Vec::new();
    for number in 0..100 {
        let data = format!(r#"{{"id": {number}, "item": "tea"}}"#);
        let record = UserRecord::new(stream.clone(), format!("customer-{}", number % 7), data);
        deliveries.push(producer.send(record.with_schema(schema.clone())).await?);
    }
    let wrong = UserRecord::new(stream, "customer-7", r#"{"id": "seven"}"#).with_schema(schema);
    if let Err(refused) = producer.send(wrong).await {
        println!("{refused}");
    }
    producer.flush().await;
    for delivery in deliveries {
        let stored = delivery.await?;
        println!("{} at {}", stored.shard_id(), stored.sequence_number());
    }
    producer.close().await;
    Ok(())
}
