//! Credentials that the service refuses are asked for again.
//!
//! The SDK keeps credentials until they expire, and those without an expiry for a quarter of an hour. Credentials that
//! were rotated in place (a file, a provider of the program's own, a role that was made anew) would be used all that
//! time, and every call refused.
//!
//! Invariant: the provider is asked at most once for each pause of [`RefreshPace`], however many calls are refused.

mod pace;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use aws_sdk_kinesis::config::IdentityCache;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{
    Identity, IdentityCacheLocation, IdentityCachePartition, IdentityFuture, ResolveCachedIdentity,
    ResolveIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::config_bag::ConfigBag;
use memchr::memmem;

use pace::RefreshPace;

/// Asks a client's credentials provider again when the service says that the credentials are no good: expired, unknown,
/// or a signature that does not match.
///
/// It is an identity cache of the AWS SDK around another one, and the interceptor that watches the answers; a client
/// needs both. The clients of this crate have it built in. The provider is asked at once, then after 1, 2, 4 and every 5
/// seconds for as long as calls are refused; the first call that succeeds begins anew.
///
/// ```
/// # use aws_sdk_kinesis::config::{BehaviorVersion, Intercept as _};
/// let refresh = kpl::CredentialsRefresh::default();
/// let config = aws_sdk_kinesis::Config::builder()
///     .behavior_version(BehaviorVersion::latest())
///     .identity_cache(refresh.clone())
///     .interceptor(refresh)
///     .build();
/// # assert!(config.interceptors().any(|it| it.name() == "CredentialsRefresh"));
/// ```
#[derive(Debug, Clone)]
pub struct CredentialsRefresh(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Where the identities are kept.
    cache: SharedIdentityCache,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pace: RefreshPace,
    /// In which partition of the cache each provider's present identity is, once one was refused.
    partitions: Option<HashMap<IdentityCachePartition, IdentityCachePartition>>,
}

/// More providers than a client has; the SDK's own cache forgets at the same number.
const MAX_PARTITIONS: usize = 64;

/// What the codes begin with by which AWS services refuse credentials (AWS general reference and IAM user guide, common
/// errors; Amazon EC2 API reference for `AuthFailure` and `RequestExpired`). Some services add `Exception`.
const REFUSALS: [&str; 10] = [
    "ExpiredToken",
    "UnrecognizedClient",
    "InvalidSignature",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "AuthFailure",
];

/// Bytes of an answer's body in which the code is looked for: it stands at the beginning, in JSON, XML and CBOR.
const LOOKED_AT: usize = 2048;

impl Default for CredentialsRefresh {
    /// Around a cache of its own, the SDK's default one.
    fn default() -> Self {
        Self::of(None)
    }
}

impl CredentialsRefresh {
    /// Around `cache`; around the SDK's default one if there is none.
    #[must_use]
    pub fn of(cache: Option<SharedIdentityCache>) -> Self {
        let cache = cache.unwrap_or_else(|| IdentityCache::lazy().build());
        Self(Arc::new(Shared { cache, state: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs while it is held.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The partition in which the provider's identity is kept, if it is not the provider's own.
    fn partition_of(&mut self, own: IdentityCachePartition) -> Option<IdentityCachePartition> {
        let partitions = self.partitions.as_mut()?;
        if partitions.len() >= MAX_PARTITIONS {
            partitions.clear();
        }
        Some(*partitions.entry(own).or_insert_with(IdentityCachePartition::new))
    }
}

impl ResolveCachedIdentity for CredentialsRefresh {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        bag: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        let now = components.time_source().map_or(UNIX_EPOCH, |source| source.now());
        let partition = {
            let mut state = self.state();
            if state.pace.is_due(now) {
                tracing::info!(
                    "the service refuses the credentials, so the provider is asked for them again"
                );
                state.partitions = Some(HashMap::new());
            }
            state.partition_of(resolver.cache_partition())
        };
        let resolver = match partition {
            Some(partition) => SharedIdentityResolver::new(Moved { resolver, partition }),
            None => resolver,
        };
        self.0.cache.resolve_cached_identity(resolver, components, bag)
    }
}

/// A provider whose identity is kept in another partition than its own: what the cache has of it is not found.
#[derive(Debug)]
struct Moved {
    resolver: SharedIdentityResolver,
    partition: IdentityCachePartition,
}

impl ResolveIdentity for Moved {
    fn resolve_identity<'a>(
        &'a self,
        components: &'a RuntimeComponents,
        bag: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        self.resolver.resolve_identity(components, bag)
    }

    fn fallback_on_interrupt(&self) -> Option<Identity> {
        self.resolver.fallback_on_interrupt()
    }

    fn cache_location(&self) -> IdentityCacheLocation {
        self.resolver.cache_location()
    }

    fn cache_partition(&self) -> Option<IdentityCachePartition> {
        Some(self.partition)
    }
}

#[dyn_dispatch_hint]
impl Intercept for CredentialsRefresh {
    fn name(&self) -> &'static str {
        "CredentialsRefresh"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if response.status().is_success() {
            self.state().pace.worked();
        } else if refuses_credentials(response) {
            self.state().pace.refused();
        }
        Ok(())
    }
}

/// Whether an answer says that its call's credentials are no good, in whatever protocol.
fn refuses_credentials(response: &Response) -> bool {
    let body = response.body().bytes().unwrap_or_default();
    let body = &body[..body.len().min(LOOKED_AT)];
    let header = response.headers().get("x-amzn-errortype").unwrap_or_default();
    let says = |code: &&str| header.contains(*code) || memmem::find(body, code.as_bytes()).is_some();
    response.status().is_client_error() && REFUSALS.iter().any(says)
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn response(status: u16, header: Option<&'static str>, body: &str) -> Response {
        let mut response = Response::new(status.try_into().expect("a status"), SdkBody::from(body));
        if let Some(header) = header {
            response.headers_mut().insert("x-amzn-errortype", header);
        }
        response
    }

    #[test]
    fn refusals_are_recognised_in_every_protocol() {
        for (status, header, body, expected) in [
            (400, None, r#"{"__type":"ExpiredTokenException","message":"old"}"#, true),
            (400, None, r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException"}"#, true),
            (403, Some("InvalidSignatureException:http://internal"), "", true),
            (
                403,
                None,
                "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>",
                true,
            ),
            (403, None, "<Code>SignatureDoesNotMatch</Code>", true),
            (403, None, "\u{1}f__typeuExpiredTokenException", true),
            (403, None, r#"{"__type":"AccessDeniedException"}"#, false),
            (400, None, r#"{"__type":"ProvisionedThroughputExceededException"}"#, false),
            (200, None, r#"{"Records":[{"ErrorCode":"ExpiredToken"}]}"#, false),
            (400, None, "", false),
        ] {
            assert_eq!(
                refuses_credentials(&response(status, header, body)),
                expected,
                "{status} {header:?} {body}"
            );
        }
    }
}
