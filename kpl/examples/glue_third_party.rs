//! Our half of the exchange with AWS's Java library for the Glue Schema Registry (`tests/third_party/run.sh`).
//!
//! `glue_third_party DIRECTORY COMMAND...` plays the registry, writes `NAME.bin` for each vector, runs the command with the
//! directory and the registry's endpoint behind it, and checks what it left: `NAME.read` (the payload that Java read),
//! `NAME.schema` (format and definition that Java found) and `NAME.java.bin` (the same payload, framed by Java).

#![expect(clippy::disallowed_methods, reason = "a program that exchanges files, one after the other")]

use std::path::Path;
use std::process::Command;

use kinesis_sandbox::{Sandbox, SandboxOptions};
use kpl::StreamName;
use kpl::glue::{
    AwsSchemaRegistry, DataFormat, GlueSchemaRegistryConfiguration, GlueSchemaRegistrySerializer, Schema,
    SchemaCompression, SchemaRegistry, decode,
};

type Failure = Box<dyn std::error::Error>;

struct Vector {
    name: &'static str,
    format: DataFormat,
    definition: &'static str,
    payload: Vec<u8>,
    compression: SchemaCompression,
}

fn vectors() -> Vec<Vector> {
    let order =
        r#"{"type": "object", "properties": {"id": {"type": "integer"}, "text": {"type": "string"}}}"#;
    let user = r#"{"type": "record", "name": "User", "fields": [{"name": "name", "type": "string"}]}"#;
    let person = "syntax = \"proto3\"; message Person { string name = 1; }";
    let long = format!(r#"{{"id": 8, "text": "{}"}}"#, "x".repeat(5000)).into_bytes();
    let vector = |name, format, definition, payload: &[u8], compression| Vector {
        name,
        format,
        definition,
        payload: payload.to_vec(),
        compression,
    };
    let (none, zlib) = (SchemaCompression::None, SchemaCompression::Zlib);
    vec![
        vector("json", DataFormat::Json, order, br#"{"id": 7, "text": "\u00e9"}"#, none),
        vector("json-zlib", DataFormat::Json, order, &long, zlib),
        vector("avro", DataFormat::Avro, user, b"\x04ab", none),
        vector("avro-zlib", DataFormat::Avro, user, b"\x04ab", zlib),
        vector("protobuf", DataFormat::Protobuf, person, b"\x0a\x02ab", none),
        vector("protobuf-empty", DataFormat::Protobuf, person, b"", zlib),
    ]
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, program, rest @ ..] = &arguments[..] else {
        return Err("give a directory and a command".into());
    };
    let sandbox = Sandbox::start(SandboxOptions::default()).await?;
    let mut configuration = GlueSchemaRegistryConfiguration::default();
    configuration.endpoint = Some(sandbox.endpoint());
    configuration.region = Some("us-east-1".to_owned());
    configuration.schema_auto_registration_enabled = true;
    let registry = AwsSchemaRegistry::from_configuration(&configuration).await;
    for vector in vectors() {
        write(Path::new(directory), &registry, &configuration, &vector).await?;
    }
    let mut command = Command::new(program);
    command.args(rest).arg(directory).arg(sandbox.endpoint());
    let status = tokio::task::spawn_blocking(move || command.status()).await??;
    if !status.success() {
        return Err(format!("{program} ended with {status}").into());
    }
    for vector in vectors() {
        check(Path::new(directory), &registry, &vector).await?;
    }
    println!("glue: {} vectors read and written by AWS's library", vectors().len());
    sandbox.shutdown().await;
    Ok(())
}

async fn write(
    directory: &Path,
    registry: &AwsSchemaRegistry,
    configuration: &GlueSchemaRegistryConfiguration,
    vector: &Vector,
) -> Result<(), Failure> {
    let mut configuration = configuration.clone();
    configuration.compression = vector.compression;
    let serializer = GlueSchemaRegistrySerializer::new(registry.clone(), configuration);
    let schema = Schema::new(vector.format, vector.definition, vector.name)?;
    let data = serializer.encode(&StreamName::new("orders")?, &schema, &vector.payload).await?;
    std::fs::write(directory.join(format!("{}.bin", vector.name)), data)?;
    Ok(())
}

async fn check(directory: &Path, registry: &AwsSchemaRegistry, vector: &Vector) -> Result<(), Failure> {
    let read = |what: &str| std::fs::read(directory.join(format!("{}.{what}", vector.name)));
    let schema = format!("{}\n{}", vector.format, vector.definition).into_bytes();
    let framed = decode(&read("java.bin")?.into())?;
    let stored = registry.get_schema_version(framed.schema_version_id).await?;
    let checks = [
        ("Java read another payload", read("read")? == vector.payload),
        ("Java found another schema", read("schema")? == schema),
        ("Java wrote another payload", framed.payload == vector.payload),
        ("Java registered another schema", stored.definition == vector.definition),
        ("Java registered another format", stored.data_format == Some(vector.format)),
    ];
    match checks.iter().find(|(_, holds)| !holds) {
        Some((what, _)) => Err(format!("{}: {what}", vector.name).into()),
        None => Ok(()),
    }
}
