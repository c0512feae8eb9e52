//! The SDK's configuration as [`ConnectionConfig`] wants it.
//!
//! Invariant: credentials are fetched as the environment says; the proxy of the configuration is for calls to the
//! services only, as the KPL's is.

use aws_config::{ConfigLoader, Region, SdkConfig};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::config::ConfigError;
use crate::config::connection::ConnectionConfig;
use crate::transport::aws::BEHAVIOR;
use crate::transport::aws::ReloadedCredentials;

/// What `loader` finds, changed by what `connection` says.
pub(super) async fn sdk_config(
    connection: &ConnectionConfig,
    loader: ConfigLoader,
) -> Result<SdkConfig, ConfigError> {
    let proxy = proxy(connection)?;
    let found = in_region(loader, connection.region.as_deref()).load().await;
    Ok(through(proxy, found, connection))
}

/// What the environment has, changed by what `connection` says. Its credentials are found anew when they are refused.
pub(super) async fn sdk_config_of_environment(
    connection: &ConnectionConfig,
) -> Result<SdkConfig, ConfigError> {
    let (proxy, region) = (proxy(connection)?, connection.region.clone());
    let loader = move || in_region(aws_config::defaults(BEHAVIOR()), region.as_deref());
    let found = ReloadedCredentials::load(loader).await;
    Ok(through(proxy, found, connection))
}

fn in_region(loader: ConfigLoader, region: Option<&str>) -> ConfigLoader {
    match region {
        Some(region) => loader.region(Region::new(region.to_owned())),
        None => loader,
    }
}

fn through(proxy: Option<ProxyConfig>, found: SdkConfig, connection: &ConnectionConfig) -> SdkConfig {
    match proxy {
        Some(proxy) => found.into_builder().http_client(client(proxy, connection)).build(),
        None => found,
    }
}

fn proxy(connection: &ConnectionConfig) -> Result<Option<ProxyConfig>, ConfigError> {
    let Some(url) = connection.proxy_url() else { return Ok(None) };
    let proxy = ProxyConfig::all(url)
        .map_err(|error| ConfigError { problems: vec![format!("proxy_host is not usable: {error}")] })?;
    Ok(Some(match &connection.proxy_user_name {
        Some(name) => {
            let password = connection.proxy_password.as_ref().map_or("", |password| password.reveal());
            // The SDK writes both into the proxy's URL as they are.
            let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            proxy.with_basic_auth(encoded(name), encoded(password))
        }
        None => proxy,
    }))
}

/// The SDK's own kind of client, which has no other way to be given a proxy. One connector serves all calls, for
/// connections are kept in it.
fn client(proxy: ProxyConfig, connection: &ConnectionConfig) -> SharedHttpClient {
    let settings = HttpConnectorSettings::builder().connect_timeout(connection.connect_timeout).build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .proxy_config(proxy)
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
        .build();
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_settings, _components| connector.clone())
}
