//! PutRecords in CBOR: `application/x-amz-cbor-1.1`, the AWS JSON protocol with its tree written as CBOR.
//!
//! Invariant: a request differs from the JSON one in its content type and in how the same tree is written, so blobs
//! travel as they are instead of as base64; an answer that is no CBOR is an error, never a panic.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::{Builder as Override, ConfigBag};
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, PutRecordsResultEntry};
use aws_smithy_cbor::codec::{CborCodec, CborCodecSettings};
use aws_smithy_cbor::protocol::RpcV2CborProtocol;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::http::{Request, Response};
use aws_smithy_schema::http_protocol::HttpRpcProtocol;
use aws_smithy_schema::protocol::ClientProtocolInner;
use aws_smithy_schema::serde::{SerdeError, SerializableStruct, ShapeDeserializer};
use aws_smithy_schema::{Schema, ShapeId, shape_id};
use aws_smithy_types::Blob;
use aws_smithy_types::endpoint::Endpoint;
use aws_smithy_types::error::metadata::Builder;

use super::call_to;
use crate::put_records::{CallError, PutRecordsEntry, PutRecordsRequest, PutRecordsResponse};
use crate::transport::aws::{CallTimeouts, call_error, construction_failure, timeout_config};
use crate::transport::aws::{EntryResults, Received};

/// The service's name in the target header (Kinesis API reference, common headers).
const TARGET: &str = "Kinesis_20131202";

/// The protocol that the Java SDK speaks to Kinesis.
#[derive(Debug)]
pub(super) struct AwsCbor {
    rpc: HttpRpcProtocol<CborCodec>,
    /// Its errors have the same form.
    errors: RpcV2CborProtocol,
}

impl AwsCbor {
    pub(super) fn new() -> Self {
        let codec = CborCodec::new(CborCodecSettings::default());
        let id = shape_id!("aws.protocols", "awsCbor1_1");
        Self {
            rpc: HttpRpcProtocol::new(id, codec, "application/x-amz-cbor-1.1"),
            errors: RpcV2CborProtocol::new(),
        }
    }
}

impl ClientProtocolInner for AwsCbor {
    type Request = Request;
    type Response = Response;

    fn protocol_id(&self) -> &ShapeId<'static> {
        self.rpc.protocol_id()
    }

    fn serialize_request(
        &self,
        input: &dyn SerializableStruct,
        input_schema: &Schema<'_>,
        _endpoint: &str,
        bag: &ConfigBag,
    ) -> Result<Request, SerdeError> {
        let mut request = self.rpc.serialize_request(input, input_schema, "/", bag)?;
        if let Some(operation) = bag.load::<Metadata>() {
            request.headers_mut().insert("X-Amz-Target", format!("{TARGET}.{}", operation.name()));
        }
        Ok(request)
    }

    fn deserialize_response<'a>(
        &self,
        response: &'a Response,
        output_schema: &Schema<'_>,
        bag: &'a ConfigBag,
    ) -> Result<Box<dyn ShapeDeserializer + 'a>, SerdeError> {
        well_formed(response)?;
        self.rpc.deserialize_response(response, output_schema, bag)
    }

    fn update_endpoint(
        &self,
        request: &mut Request,
        endpoint: &Endpoint,
        bag: &ConfigBag,
    ) -> Result<(), SerdeError> {
        self.rpc.update_endpoint(request, endpoint, bag)
    }

    fn parse_error_metadata(&self, response: &Response, bag: &ConfigBag) -> Result<Builder, SerdeError> {
        well_formed(response)?;
        self.errors.parse_error_metadata(response, bag)
    }
}

/// Refuses a body that is not CBOR from its first byte to its last: of a list that ends too early the SDK's codec would
/// make as many empty entries as the list says that it has.
fn well_formed(response: &Response) -> Result<(), SerdeError> {
    let body = response.body().bytes().unwrap_or_default();
    let mut decoder = minicbor::Decoder::new(body);
    let skipped = if body.is_empty() { Ok(()) } else { decoder.skip() };
    skipped.map_err(|error| SerdeError::custom(format!("the answer is not well-formed CBOR: {error}")))
}

/// Makes a call by a client that speaks [`AwsCbor`].
pub(super) async fn put_records(
    client: Client,
    timeouts: CallTimeouts,
    request: PutRecordsRequest,
) -> Result<PutRecordsResponse, CallError> {
    let entries = request.entries.into_iter().map(sdk_entry).collect::<Result<_, _>>()?;
    let call = call_to(&client, &request.stream).set_records(Some(entries));
    let limits = Override::new().timeout_config(timeout_config(timeouts));
    let output = call.customize().config_override(limits).send().await.map_err(|error| call_error(&error))?;
    let mut results = EntryResults::of_put_records();
    let entries = output.records.into_iter().map(|entry| results.read(received(entry))).collect();
    Ok(PutRecordsResponse { entries })
}

fn sdk_entry(entry: PutRecordsEntry) -> Result<PutRecordsRequestEntry, CallError> {
    PutRecordsRequestEntry::builder()
        .data(Blob::from_maybe_shared(entry.data))
        .set_explicit_hash_key(entry.explicit_hash_key.map(|hash_key| hash_key.to_string()))
        .set_partition_key(Some(entry.partition_key.into()).filter(|key: &String| !key.is_empty()))
        .build()
        .map_err(|error| construction_failure(&error))
}

fn received(entry: PutRecordsResultEntry) -> Received {
    Received {
        sequence_number: entry.sequence_number.map(Into::into),
        shard_id: entry.shard_id.map(Into::into),
        error_code: entry.error_code.map(Into::into),
        error_message: entry.error_message.map(Into::into),
    }
}

#[cfg(test)]
mod tests;
