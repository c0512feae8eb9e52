//! PutRecords in JSON with bodies of our own: the SDK signs, sends and times out.
//!
//! Invariant: a request differs from the SDK's in nothing but the order of its members; errors stay the SDK's to
//! read; an answer that cannot be read is an error.

mod json;

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::{Builder as Override, ConfigBag};
use aws_smithy_json::codec::{JsonCodec, JsonCodecSettings};
use aws_smithy_json::protocol::aws_json_rpc::AwsJsonRpcProtocol;
use aws_smithy_runtime_api::http::{Request, Response};
use aws_smithy_schema::codec::Codec;
use aws_smithy_schema::protocol::ClientProtocolInner;
use aws_smithy_schema::serde::{SerdeError, SerializableStruct, ShapeDeserializer};
use aws_smithy_schema::{Schema, ShapeId};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::endpoint::Endpoint;
use aws_smithy_types::error::metadata::Builder;
use bytes::Bytes;

pub(super) use self::json::Bodies;
use self::json::{request_body, response_of};
use super::call_to;
use crate::put_records::{CallError, PutRecordsRequest, PutRecordsResponse};
use crate::transport::aws::{CallTimeouts, call_error, timeout_config};

/// Makes a call.
pub(super) async fn put_records(
    client: Client,
    bodies: Bodies,
    timeouts: CallTimeouts,
    request: PutRecordsRequest,
) -> Result<PutRecordsResponse, CallError> {
    let answer = AnswerSlot::default();
    let body = request_body(&request, &bodies);
    // From here on the body is all that is needed.
    let PutRecordsRequest { stream, entries, .. } = request;
    drop(entries);
    let protocol = OwnJson { sdk: AwsJsonRpcProtocol::aws_json_1_1(), body, answer: answer.clone() };
    let call = call_to(&client, &stream).set_records(Some(Vec::new()));
    let call = call
        .customize()
        .config_override(Override::new().protocol(protocol).timeout_config(timeout_config(timeouts)));
    call.send().await.map_err(|error| call_error(&error))?;
    Ok(answer.take().unwrap_or(PutRecordsResponse { entries: Vec::new() }))
}

/// The protocol of one call.
#[derive(Debug)]
struct OwnJson {
    sdk: AwsJsonRpcProtocol,
    body: Bytes,
    answer: AnswerSlot,
}

/// Where the answer of one call is to be found.
#[derive(Debug, Clone, Default)]
struct AnswerSlot(Arc<Mutex<Option<PutRecordsResponse>>>);

impl AnswerSlot {
    fn put(&self, answer: PutRecordsResponse) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    /// The answer, once the call has succeeded.
    fn take(&self) -> Option<PutRecordsResponse> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ClientProtocolInner for OwnJson {
    type Request = Request;
    type Response = Response;

    fn protocol_id(&self) -> &ShapeId<'static> {
        self.sdk.protocol_id()
    }

    fn serialize_request(
        &self,
        input: &dyn SerializableStruct,
        input_schema: &Schema<'_>,
        endpoint: &str,
        bag: &ConfigBag,
    ) -> Result<Request, SerdeError> {
        let mut request = self.sdk.serialize_request(input, input_schema, endpoint, bag)?;
        request.headers_mut().insert("Content-Length", self.body.len().to_string());
        *request.body_mut() = SdkBody::from(self.body.clone());
        Ok(request)
    }

    fn deserialize_response<'a>(
        &self,
        response: &'a Response,
        _output_schema: &Schema<'_>,
        _bag: &'a ConfigBag,
    ) -> Result<Box<dyn ShapeDeserializer + 'a>, SerdeError> {
        let body = response.body().bytes().unwrap_or_default();
        let answer = response_of(body).map_err(|error| SerdeError::custom(error.to_string()))?;
        self.answer.put(answer);
        // For the SDK there is nothing left to read.
        Ok(Box::new(JsonCodec::new(JsonCodecSettings::default()).create_deserializer(b"{}")))
    }

    fn parse_error_metadata(&self, response: &Response, bag: &ConfigBag) -> Result<Builder, SerdeError> {
        self.sdk.parse_error_metadata(response, bag)
    }

    fn deserialize_error_response<'a>(
        &self,
        response: &'a Response,
        bag: &'a ConfigBag,
    ) -> Result<Box<dyn ShapeDeserializer + 'a>, SerdeError> {
        self.sdk.deserialize_error_response(response, bag)
    }

    fn update_endpoint(
        &self,
        request: &mut Request,
        endpoint: &Endpoint,
        bag: &ConfigBag,
    ) -> Result<(), SerdeError> {
        self.sdk.update_endpoint(request, endpoint, bag)
    }
}
