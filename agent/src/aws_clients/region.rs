//! Which region a service's calls are signed for, and who said so.
//!
//! | the service's own settings | the environment, an AWS profile, another service's settings, the instance | region |
//! |---|---|---|
//! | `kinesis.region` and the like | | that |
//! | an endpoint whose host name has a region | | that |
//! | none of these | the first that has one | that |
//! | an endpoint of another kind | none | us-east-1, as the Java agent does; a warning says so |
//! | none, Firehose or CloudWatch | none | us-east-1, as the Java agent does; a warning says so |
//! | none, Kinesis | none | the agent does not start, as the Java agent does not |

use std::fmt;

use aws_config::Region;

/// The Java agent's region when nothing says another.
const LAST_RESORT: &str = "us-east-1";

/// A region, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChosenRegion {
    pub(super) region: Region,
    pub(super) source: RegionSource,
}

/// Who named a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RegionSource {
    /// The service's own setting.
    Setting,
    /// The host name of its endpoint.
    Endpoint,
    /// AWS_REGION, AWS_DEFAULT_REGION or an AWS profile.
    Environment,
    /// What the configuration says of another service.
    OtherService,
    /// The instance's metadata.
    Instance,
    /// Nobody.
    Default,
}

/// Nothing says in which region a service is, and it has no endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no AWS region is known for {service}: set {service}.region in the configuration, or AWS_REGION in the agent's \
     environment, or a region in its AWS profile"
)]
pub struct NoRegion {
    /// The prefix of the service's settings, such as `kinesis`.
    pub service: &'static str,
}

/// What the configuration says of a service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings<'a> {
    /// The prefix of its settings.
    pub(super) service: &'static str,
    pub(super) region: Option<&'a String>,
    pub(super) endpoint: Option<&'a String>,
    /// Without a region and an endpoint it is not used at all, rather than in [`LAST_RESORT`].
    pub(super) is_required: bool,
}

impl fmt::Display for RegionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Setting => "its setting",
            Self::Endpoint => "its endpoint's name",
            Self::Environment => "the environment or an AWS profile",
            Self::OtherService => "another service's settings",
            Self::Instance => "the instance's metadata",
            Self::Default => "the default",
        })
    }
}

impl Settings<'_> {
    /// What these settings say by themselves.
    pub(super) fn own(&self) -> Option<ChosenRegion> {
        let set = self.region.map(|region| (region.clone(), RegionSource::Setting));
        let named = || Some((region_of_endpoint(self.endpoint?)?, RegionSource::Endpoint));
        let (region, source) = set.or_else(named)?;
        Some(ChosenRegion { region: Region::new(region), source })
    }

    /// The region, where `found` is what all services share.
    pub(super) fn choose(&self, found: Option<&ChosenRegion>) -> Result<ChosenRegion, NoRegion> {
        match self.own().or_else(|| found.cloned()) {
            Some(chosen) => Ok(chosen),
            None if self.is_required && self.endpoint.is_none() => Err(NoRegion { service: self.service }),
            None => {
                Ok(ChosenRegion { region: Region::from_static(LAST_RESORT), source: RegionSource::Default })
            }
        }
    }
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
    use super::*;

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

    #[test]
    fn who_names_the_region() {
        use RegionSource::{Default, Endpoint, Environment, Setting};
        let shared = ChosenRegion { region: Region::from_static("eu-north-1"), source: Environment };
        let public = "https://kinesis.eu-west-1.amazonaws.com";
        for (region, endpoint, is_shared, is_required, expected) in [
            (Some("eu-west-3"), Some(public), true, true, Some(("eu-west-3", Setting))),
            (None, Some(public), true, true, Some(("eu-west-1", Endpoint))),
            (None, Some("http://10.0.0.1"), true, true, Some(("eu-north-1", Environment))),
            (None, Some("http://10.0.0.1"), false, true, Some(("us-east-1", Default))),
            (None, None, true, true, Some(("eu-north-1", Environment))),
            (None, None, false, false, Some(("us-east-1", Default))),
            (None, None, false, true, None),
        ] {
            let (region, endpoint) = (region.map(str::to_owned), endpoint.map(str::to_owned));
            let settings = Settings {
                service: "kinesis",
                region: region.as_ref(),
                endpoint: endpoint.as_ref(),
                is_required,
            };
            let chosen = settings.choose(is_shared.then_some(&shared)).ok();
            let chosen = chosen.as_ref().map(|chosen| (chosen.region.as_ref(), chosen.source));
            assert_eq!(chosen, expected, "{settings:?} {is_shared}");
        }
    }
}
