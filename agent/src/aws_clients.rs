//! Clients of the AWS services, as the configuration wants them.
//!
//! Invariant: keys written in the configuration come first, then what every AWS tool would use; an assumed role wraps
//! either. Credentials that the service refuses are asked for again, profile files are then read again; keys in the
//! configuration stay what they are until the agent is started again.

mod region;

use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::region::ProfileFileRegionProvider;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use kpl::{
    AnswerLimit, AwsTransport, CallTimeouts, CredentialsRefresh, FirehoseTransport, ReloadedCredentials,
};

use crate::config::{AgentConfig, Destination};
use region::{ChosenRegion, RegionSource, Settings};

pub use region::NoRegion;

/// The session name that the Java agent uses.
const ROLE_SESSION_NAME: &str = "AWSKinesisAgent";

/// The region of the sandbox.
const SANDBOX_REGION: &str = "us-east-1";

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
    /// Resolves credentials and regions, and says which regions are used.
    ///
    /// # Errors
    ///
    /// A Kinesis flow has neither a region nor an endpoint.
    pub async fn resolve(config: &AgentConfig) -> Result<Self, NoRegion> {
        let [kinesis, firehose, cloudwatch] = settings(config);
        let found = region_of_surroundings(&[kinesis, firehose, cloudwatch]).await;
        let service = |settings: Settings<'_>, is_used: bool| {
            let chosen = settings.choose(found.as_ref())?;
            if is_used {
                report(settings, &chosen);
            }
            Ok(Service { endpoint: settings.endpoint.cloned(), region: Some(chosen.region) })
        };
        let has_firehose =
            config.flows.iter().any(|flow| matches!(flow.destination, Destination::DeliveryStream(_)));
        let kinesis = service(kinesis, kinesis.is_required)?;
        let firehose = service(firehose, has_firehose)?;
        let cloudwatch = service(cloudwatch, config.emit_metrics)?;
        let base = base_config(config, found.map(|chosen| chosen.region)).await;
        let base = assume_role(base, config, &kinesis).await;
        let timeouts = CallTimeouts { connect: config.connection_timeout, request: config.socket_timeout };
        Ok(Self { base, kinesis, firehose, cloudwatch, timeouts })
    }

    /// For tests and trials: everything at one address, with credentials that mean nothing.
    #[must_use]
    pub fn sandbox(endpoint: &str) -> Self {
        let region = Region::from_static(SANDBOX_REGION);
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
async fn base_config(config: &AgentConfig, region: Option<Region>) -> SdkConfig {
    let loader = move || {
        // Never looked for again: the instance's metadata would be asked once more.
        let known = RegionProviderChain::first_try(region.clone());
        aws_config::defaults(BehaviorVersion::v2026_01_12()).region(known)
    };
    match (&config.aws_access_key_id, &config.aws_secret_access_key) {
        (Some(key), Some(secret)) => {
            let keys = Credentials::new(key, secret.to_string(), None, None, "agent.json");
            loader().credentials_provider(keys).load().await
        }
        _ => ReloadedCredentials::load(loader).await,
    }
}

fn settings(config: &AgentConfig) -> [Settings<'_>; 3] {
    let has_streams =
        config.flows.iter().any(|flow| matches!(flow.destination, Destination::KinesisStream(_)));
    let of = |service, region, endpoint, is_required| Settings { service, region, endpoint, is_required };
    let AgentConfig { kinesis_region, kinesis_endpoint, firehose_region, firehose_endpoint, .. } = config;
    let AgentConfig { cloudwatch_region, cloudwatch_endpoint, .. } = config;
    [
        of("kinesis", kinesis_region.as_ref(), kinesis_endpoint.as_ref(), has_streams),
        of("firehose", firehose_region.as_ref(), firehose_endpoint.as_ref(), false),
        of("cloudwatch", cloudwatch_region.as_ref(), cloudwatch_endpoint.as_ref(), false),
    ]
}

/// The region of services that have none of their own: as AWS tools resolve it; but before the instance is asked, which
/// takes seconds where there is none to ask, the region that the configuration has for another service.
async fn region_of_surroundings(services: &[Settings<'_>]) -> Option<ChosenRegion> {
    let environment = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new());
    if let Some(region) = environment.region().await {
        return Some(ChosenRegion { region, source: RegionSource::Environment });
    }
    if let Some(other) = services.iter().find_map(Settings::own) {
        return Some(ChosenRegion { source: RegionSource::OtherService, ..other });
    }
    let region = DefaultRegionChain::builder().build().region().await?;
    Some(ChosenRegion { region, source: RegionSource::Instance })
}

fn report(settings: Settings<'_>, chosen: &ChosenRegion) {
    let (service, region, source) = (settings.service, &chosen.region, chosen.source);
    if source == RegionSource::Default {
        tracing::warn!(
            service,
            %region,
            "nothing names a region for this service, so calls are signed for {region}, as by the Java agent; set \
             {service}.region if it is another one"
        );
    } else {
        tracing::info!(service, %region, "calls are signed for this region, from {source}");
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
