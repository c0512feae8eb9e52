//! Clients of the AWS services, as the configuration wants them.
//!
//! Invariant: keys written in the configuration come first, then what every AWS tool would use; an assumed role wraps
//! either. Credentials that the service refuses are asked for again, profile files are then read again; keys in the
//! configuration stay what they are until the agent is started again.

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use kpl::{
    AnswerLimit, AwsTransport, CallTimeouts, CredentialsRefresh, FirehoseTransport, ReloadedCredentials,
};

use crate::config::AgentConfig;

/// The session name that the Java agent uses.
const ROLE_SESSION_NAME: &str = "AWSKinesisAgent";

/// The region when nothing says another.
const LAST_RESORT_REGION: &str = "us-east-1";

/// Makes clients.
#[derive(Debug, Clone)]
pub struct AwsClients {
    base: SdkConfig,
    kinesis: Service,
    firehose: Service,
    cloudwatch: Service,
    timeouts: CallTimeouts,
}

/// Where one service is.
#[derive(Debug, Clone)]
struct Service {
    endpoint: Option<String>,
    region: Option<Region>,
}

impl AwsClients {
    /// Resolves credentials and region.
    pub async fn resolve(config: &AgentConfig) -> Self {
        let base = base_config(config).await;
        let fallback = base.region().cloned().unwrap_or(Region::from_static(LAST_RESORT_REGION));
        let service = |endpoint: &Option<String>, region: &Option<String>| {
            let named = region.clone().or_else(|| endpoint.as_deref().and_then(region_of_endpoint));
            Service {
                endpoint: endpoint.clone(),
                region: Some(named.map_or_else(|| fallback.clone(), Region::new)),
            }
        };
        let kinesis = service(&config.kinesis_endpoint, &config.kinesis_region);
        let firehose = service(&config.firehose_endpoint, &config.firehose_region);
        let cloudwatch = service(&config.cloudwatch_endpoint, &config.cloudwatch_region);
        let base = assume_role(base, config, &kinesis).await;
        let timeouts = CallTimeouts { connect: config.connection_timeout, request: config.socket_timeout };
        Self { base, kinesis, firehose, cloudwatch, timeouts }
    }

    /// For tests and trials: everything at one address, with credentials that mean nothing.
    #[must_use]
    pub fn sandbox(endpoint: &str) -> Self {
        let region = Region::from_static(LAST_RESORT_REGION);
        let credentials = Credentials::new("test", "test", None, None, "sandbox");
        let base = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(region.clone())
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
            .build();
        let service = Service { endpoint: Some(endpoint.to_owned()), region: Some(region) };
        let timeouts = CallTimeouts::default();
        Self { base, kinesis: service.clone(), firehose: service.clone(), cloudwatch: service, timeouts }
    }

    /// The way to Kinesis Data Streams.
    #[must_use]
    pub fn kinesis(&self) -> AwsTransport {
        AwsTransport::new(&self.located(&self.kinesis), self.timeouts)
    }

    /// The way to Firehose.
    #[must_use]
    pub fn firehose(&self) -> FirehoseTransport {
        FirehoseTransport::new(&self.located(&self.firehose), self.timeouts)
    }

    /// The way to CloudWatch. Two retries, as the KPL's and the Java agent's uploaders have.
    #[must_use]
    pub fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        let timeouts = aws_sdk_cloudwatch::config::timeout::TimeoutConfig::builder()
            .connect_timeout(self.timeouts.connect)
            .operation_attempt_timeout(self.timeouts.request)
            .build();
        let refresh = CredentialsRefresh::of(self.base.identity_cache());
        let config = aws_sdk_cloudwatch::config::Builder::from(&self.located(&self.cloudwatch))
            .retry_config(aws_sdk_cloudwatch::config::retry::RetryConfig::standard().with_max_attempts(3))
            .timeout_config(timeouts)
            .interceptor(AnswerLimit::DEFAULT)
            .identity_cache(refresh.clone())
            .interceptor(refresh)
            .build();
        aws_sdk_cloudwatch::Client::from_conf(config)
    }

    fn located(&self, service: &Service) -> SdkConfig {
        let mut builder = self.base.clone().into_builder();
        builder.set_endpoint_url(service.endpoint.clone());
        builder.set_region(service.region.clone());
        builder.build()
    }
}

/// Region and credentials, before a role is assumed.
async fn base_config(config: &AgentConfig) -> SdkConfig {
    let settings = config.clone();
    let loader = move || aws_config::defaults(BehaviorVersion::v2026_01_12()).region(region_chain(&settings));
    match (&config.aws_access_key_id, &config.aws_secret_access_key) {
        (Some(key), Some(secret)) => {
            let keys = Credentials::new(key, secret.to_string(), None, None, "agent.json");
            loader().credentials_provider(keys).load().await
        }
        _ => ReloadedCredentials::load(loader).await,
    }
}

/// The region of services that have none of their own: as AWS tools resolve it; but before the instance is asked, which
/// takes seconds where there is none to ask, the region that the configuration has for another service.
fn region_chain(config: &AgentConfig) -> RegionProviderChain {
    let named = [&config.kinesis_region, &config.firehose_region, &config.cloudwatch_region];
    let hosts = [&config.kinesis_endpoint, &config.firehose_endpoint, &config.cloudwatch_endpoint];
    let of_hosts = hosts.into_iter().flatten().find_map(|endpoint| region_of_endpoint(endpoint));
    let hint = named.into_iter().flatten().next().cloned().or(of_hosts);
    let chain = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new());
    match hint {
        Some(region) => chain.or_else(Region::new(region)),
        None => chain.or_default_provider(),
    }
}

async fn assume_role(base: SdkConfig, config: &AgentConfig, kinesis: &Service) -> SdkConfig {
    let Some(role) = &config.assume_role_arn else { return base };
    let mut sts = base.clone().into_builder();
    sts.set_region(kinesis.region.clone());
    sts.set_endpoint_url(config.sts_endpoint.clone());
    let mut provider =
        AssumeRoleProvider::builder(role).session_name(ROLE_SESSION_NAME).configure(&sts.build());
    if let Some(id) = &config.assume_role_external_id {
        provider = provider.external_id(id.to_string());
    }
    let provider = provider.build().await;
    base.into_builder()
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(provider))
        .build()
}

/// The region in the host name of a public endpoint, such as `https://kinesis.eu-west-1.amazonaws.com`.
fn region_of_endpoint(endpoint: &str) -> Option<String> {
    let host = endpoint.split("://").last()?.split(['/', ':']).next()?;
    let name = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".amazonaws.com")?;
    // The label before the suffix; for interface endpoints there is `vpce` behind it.
    let label = name.strip_suffix(".vpce").unwrap_or(name).rsplit('.').next()?;
    let is_region = label.split('-').count() >= 3 && label.ends_with(|last: char| last.is_ascii_digit());
    is_region.then(|| label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::region_of_endpoint;

    #[test]
    fn regions_are_read_from_public_endpoints_only() {
        for (endpoint, region) in [
            ("https://kinesis.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("https://monitoring.us-gov-west-1.amazonaws.com/", Some("us-gov-west-1")),
            ("https://kinesis.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("https://vpce-1-2.kinesis.us-east-2.vpce.amazonaws.com", Some("us-east-2")),
            ("http://127.0.0.1:4567", None),
            ("https://kinesis.internal.example", None),
            ("https://firehose.amazonaws.com", None),
        ] {
            assert_eq!(region_of_endpoint(endpoint).as_deref(), region, "{endpoint}");
        }
    }
}
