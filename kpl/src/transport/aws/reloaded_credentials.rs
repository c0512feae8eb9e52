//! Credentials of the environment, found anew when they are asked for again.
//!
//! Invariant: what the SDK's providers keep for credentials that expire (tokens, connections) stays as long as they give
//! such.

use std::fmt;

use aws_config::{ConfigLoader, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::Mutex;

/// The credentials that a [`ConfigLoader`] finds, loaded again whenever those that it found do not expire.
///
/// The SDK's provider for profile files keeps the file that it read first, so a file that is rewritten is never seen. This
/// one reads it whenever it is asked again: when [`CredentialsRefresh`](crate::CredentialsRefresh) finds that the service
/// refuses them, and every quarter of an hour. Credentials that expire (roles, instances, SSO) are left to the
/// SDK's provider, unless it fails.
///
/// [`AwsTransport::from_environment`](crate::AwsTransport::from_environment) and
/// [`from_config`](crate::AwsTransport::from_config) use it.
///
/// ```no_run
/// # async fn start() {
/// let loader = || aws_config::from_env().profile_name("shipping");
/// let config = kpl::ReloadedCredentials::load(loader).await;
/// let transport = kpl::AwsTransport::new(&config, kpl::CallTimeouts::default());
/// # }
/// ```
pub struct ReloadedCredentials {
    loader: Box<dyn Fn() -> ConfigLoader + Send + Sync>,
    found: Mutex<Found>,
}

/// The provider that was found last.
#[derive(Debug)]
enum Found {
    /// It may be asked: it was not yet, or its credentials expire and so are its own to renew.
    Good(SharedCredentialsProvider),
    /// What it gives does not expire, or it failed.
    Spent,
}

impl ReloadedCredentials {
    /// What `loader` loads, with these credentials in the place of its own. `loader` is called again whenever
    /// they are loaded again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn load(loader: impl Fn() -> ConfigLoader + Send + Sync + 'static) -> SdkConfig {
        let config = loader().load().await;
        let (Some(provider), region) = (config.credentials_provider(), config.region().cloned()) else {
            return config;
        };
        // Where nothing names a region, looking for one asks the instance, which takes seconds where there is none.
        let loader = Box::new(move || match &region {
            Some(region) => loader().region(region.clone()),
            None => loader(),
        });
        let reloaded = Self { loader, found: Mutex::new(Found::Good(provider)) };
        config.into_builder().credentials_provider(SharedCredentialsProvider::new(reloaded)).build()
    }

    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let mut found = self.found.lock().await;
        let provider = match std::mem::replace(&mut *found, Found::Spent) {
            Found::Good(provider) => provider,
            Found::Spent => {
                let loaded = (self.loader)().load().await.credentials_provider();
                loaded
                    .ok_or_else(|| CredentialsError::not_loaded("the loader has no credentials provider"))?
            }
        };
        let credentials = provider.provide_credentials().await?;
        if credentials.expiry().is_some() {
            *found = Found::Good(provider);
        }
        Ok(credentials)
    }
}

impl ProvideCredentials for ReloadedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

impl fmt::Debug for ReloadedCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ReloadedCredentials").field("found", &self.found).finish_non_exhaustive()
    }
}
