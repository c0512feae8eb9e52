//! How much of an answer is read.
//!
//! Invariant: whatever the answer's head says, and however small its pieces are, memory for its body is bounded.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};

/// Bounds the body of every answer that a client of the AWS SDK reads.
///
/// The clients of this crate have it built in, with 4 MiB: the longest honest answer to PutRecords has a few hundred
/// kilobytes. A longer body ends the call with an error that says so, before more is read. Give it to the clients that
/// a program makes itself as an interceptor. It gathers the body, so it does not fit operations that stream, such as
/// SubscribeToShard.
///
/// ```
/// # use aws_sdk_kinesis::config::{BehaviorVersion, Intercept as _};
/// let config = aws_sdk_kinesis::Config::builder()
///     .behavior_version(BehaviorVersion::latest())
///     .interceptor(kpl::AnswerLimit::bytes(16 << 20)) // a page of GetRecords has up to 10 MiB, as base64
///     .build();
/// # assert!(config.interceptors().any(|it| it.name() == "AnswerLimit"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerLimit {
    bytes: usize,
}

/// A body was longer than it may be.
#[derive(Debug, thiserror::Error)]
#[error(
    "the answer has more than {limit} bytes, so it is not read to its end: check that the endpoint is the AWS service, and what a proxy on the way answers"
)]
struct AnswerTooLong {
    limit: usize,
}

/// A body that comes in one piece, or not at all.
struct Limited {
    unread: Pin<Box<SdkBody>>,
    limit: usize,
    read: Gathered,
}

/// What was read. Most answers come in one piece, which is then not copied.
enum Gathered {
    Nothing,
    Piece(Bytes),
    Pieces(BytesMut),
}

impl AnswerLimit {
    /// The limit of this crate's own clients: 4 MiB.
    pub const DEFAULT: Self = Self::bytes(4 << 20);

    /// A limit of so many bytes, as they come from the network.
    #[must_use]
    pub const fn bytes(bytes: usize) -> Self {
        Self { bytes }
    }
}

#[dyn_dispatch_hint]
impl Intercept for AnswerLimit {
    fn name(&self) -> &'static str {
        "AnswerLimit"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        let unread = Box::pin(std::mem::replace(body, SdkBody::taken()));
        *body = SdkBody::from_body_1_x(Limited { unread, limit: self.bytes, read: Gathered::Nothing });
        Ok(())
    }
}

impl Body for Limited {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        while let Some(frame) = ready!(self.unread.as_mut().poll_frame(context)) {
            // Trailers say nothing that is needed.
            let Ok(data) = frame?.into_data() else { continue };
            self.add(data)?;
        }
        let body = match std::mem::replace(&mut self.read, Gathered::Nothing) {
            Gathered::Nothing => return Poll::Ready(None),
            Gathered::Piece(body) => body,
            Gathered::Pieces(body) => body.freeze(),
        };
        Poll::Ready(Some(Ok(Frame::data(body))))
    }
}

impl Limited {
    fn add(&mut self, data: Bytes) -> Result<(), AnswerTooLong> {
        let before = match &self.read {
            Gathered::Nothing => 0,
            Gathered::Piece(piece) => piece.len(),
            Gathered::Pieces(pieces) => pieces.len(),
        };
        if before + data.len() > self.limit {
            return Err(AnswerTooLong { limit: self.limit });
        }
        match &mut self.read {
            Gathered::Nothing => self.read = Gathered::Piece(data),
            Gathered::Piece(piece) => {
                let mut pieces = BytesMut::with_capacity((before + data.len()).next_power_of_two());
                pieces.extend_from_slice(piece);
                pieces.extend_from_slice(&data);
                self.read = Gathered::Pieces(pieces);
            }
            Gathered::Pieces(pieces) => pieces.extend_from_slice(&data),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    /// A body in these pieces.
    struct Pieces(VecDeque<Vec<u8>>);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece.into()))))
        }
    }

    fn read(
        pieces: impl Body<Data = Bytes, Error = BoxError> + Send + Sync + 'static,
        limit: usize,
    ) -> Result<Vec<Bytes>, String> {
        let unread = Box::pin(SdkBody::from_body_1_x(pieces));
        let mut body = Box::pin(Limited { unread, limit, read: Gathered::Nothing });
        let mut frames = Vec::new();
        let mut context = Context::from_waker(std::task::Waker::noop());
        while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut context) {
            frames.push(frame.map_err(|error| error.to_string())?.into_data().expect("data"));
        }
        Ok(frames)
    }

    /// A body without an end.
    struct Endless;

    impl Body for Endless {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 1000])))))
        }
    }

    #[test]
    fn an_endless_body_ends_at_the_limit() {
        let error = read(Endless, 4 << 20).expect_err("it has no end");
        assert!(error.contains("more than 4194304 bytes"), "{error}");
    }

    proptest! {
        #[test]
        fn a_body_is_read_whole_in_one_piece_or_not_at_all(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..20),
            limit in 0..200_usize,
        ) {
            let whole = pieces.concat();
            match read(Pieces(pieces.clone().into()), limit) {
                Ok(frames) => {
                    prop_assert!(whole.len() <= limit && frames.len() <= 1);
                    prop_assert_eq!(frames.concat(), whole);
                }
                Err(_) => prop_assert!(whole.len() > limit),
            }
        }
    }
}
