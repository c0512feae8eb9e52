//! Whatever a service answers in CBOR is read or refused, and nothing is made up.

use std::time::Duration;

use aws_sdk_kinesis::config::{Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::put_records::RESPONSE_UNREADABLE;
use crate::transport::aws::{CallTimeouts, client_config};
use crate::types::StreamName;

/// Answers every call with the same bytes.
#[derive(Debug, Clone)]
struct Canned(u16, Bytes);

impl HttpConnector for Canned {
    fn call(&self, _request: Request) -> HttpConnectorFuture {
        let status = self.0.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(Response::new(status, SdkBody::from(self.1.clone()))))
    }
}

fn answer_to(status: u16, body: &[u8]) -> Result<PutRecordsResponse, CallError> {
    let canned = SharedHttpConnector::new(Canned(status, Bytes::copy_from_slice(body)));
    let builder = aws_sdk_kinesis::Config::builder()
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("AKID", "secret", None, None, "test"))
        .http_client(http_client_fn(move |_, _| canned.clone()))
        .protocol(AwsCbor::new());
    let client = Client::from_conf(client_config!(builder, CallTimeouts::default()));
    let stream = StreamName::new("orders").expect("a name");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(put_records(
        client,
        CallTimeouts::default(),
        PutRecordsRequest { stream, entries: Vec::new(), transfer_time: Duration::ZERO },
    ))
}

fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("short");
    [if length < 24 { vec![0x60 + length] } else { vec![0x78, length] }, text.as_bytes().to_vec()].concat()
}

fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut map = vec![0xa0 + u8::try_from(members.len()).expect("few")];
    for (name, value) in members {
        map.extend(text(name));
        map.extend(value);
    }
    map
}

fn results(results: &[Vec<u8>]) -> Vec<u8> {
    let array = [vec![0x80 + u8::try_from(results.len()).expect("few")], results.concat()].concat();
    map(&[("Records", array)])
}

#[test]
fn an_entry_is_stored_only_if_the_answer_says_so_and_nothing_else() {
    let said = |members: &[(&str, &str)]| {
        let members: Vec<_> = members.iter().map(|(name, value)| (*name, text(value))).collect();
        let body = results(&[map(&members)]);
        answer_to(200, &body).expect("an answer").entries.remove(0)
    };
    assert!(said(&[("SequenceNumber", "49"), ("ShardId", "s0")]).is_ok());
    for lie in [
        &[("SequenceNumber", "49"), ("ShardId", "s0"), ("ErrorCode", "InternalFailure")][..],
        &[("SequenceNumber", "49")],
        &[("SequenceNumber", "49"), ("ShardId", "")],
        &[("SequenceNumber", ""), ("ShardId", "s0")],
        &[],
    ] {
        assert_eq!(said(lie).expect_err("not stored").code, RESPONSE_UNREADABLE, "{lie:?}");
    }
    let refused = said(&[("ErrorCode", "InternalFailure"), ("ErrorMessage", "no")]).expect_err("refused");
    assert_eq!((refused.code.as_str(), refused.message.as_str()), ("InternalFailure", "no"));
}

#[test]
fn what_is_no_answer_is_refused() {
    for body in [&b"<html>"[..], b"\xff", b"\xa1", &map(&[("Records", text("none"))])] {
        assert!(answer_to(200, body).is_err(), "{body:?}");
    }
}

/// The SDK's codec would make 2^32 empty entries of it.
#[test]
fn a_list_that_ends_too_early_is_refused() {
    for lengths in
        [&b"\x9a\xff\xff\xff\xff"[..], b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", b"\x9f", b"\x82\xa0"]
    {
        for status in [200, 400] {
            assert!(answer_to(status, &map(&[("Records", lengths.to_vec())])).is_err(), "{lengths:?}");
        }
    }
}

#[test]
fn deep_nesting_is_refused_or_skipped() {
    for status in [200, 400] {
        for opening in [&b"\x81"[..], b"\x9f", b"\xa1\x61a", b"\xbf\x61a", b"\xc1"] {
            let mut body = map(&[("New", Vec::new())]);
            body.extend(opening.repeat(1 << 20));
            let _ = answer_to(status, &body);
        }
    }
}

fn any_answer() -> Vec<u8> {
    results(&[
        map(&[("SequenceNumber", text("49")), ("ShardId", text("s0"))]),
        map(&[("ErrorCode", text("InternalFailure")), ("ErrorMessage", text("no"))]),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_read_or_refused(status in prop_oneof![Just(200_u16), Just(400)], body: Vec<u8>) {
        let _ = answer_to(status, &body);
    }

    #[test]
    fn a_broken_answer_is_read_or_refused_and_makes_nothing_up(
        places in proptest::collection::vec((0..200_usize, any::<u8>()), 0..5),
        end in 0..200_usize,
    ) {
        let mut body = any_answer();
        for (place, byte) in places {
            let place = place % body.len();
            body[place] = byte;
        }
        body.truncate(end);
        for entry in answer_to(200, &body).into_iter().flat_map(|answer| answer.entries) {
            match entry {
                Ok(placed) => {
                    prop_assert!(!placed.sequence_number.as_str().is_empty());
                    prop_assert!(!placed.shard_id.as_str().is_empty());
                }
                Err(error) => prop_assert!(!error.code.is_empty()),
            }
        }
    }
}
