//! The options of the registry's client, under the names of AWS's serialiser and with its defaults.
//!
//! Invariant: none of its own; a name that is wrong for the registry shows in its answer.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::ConfigError;
use crate::config::properties::syntax;

/// How the payload of framed data is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SchemaCompression {
    /// Not at all.
    #[default]
    None,
    /// As zlib (RFC 1950), whether it becomes smaller or not.
    Zlib,
}

/// What later versions of a schema have to be compatible with (Glue API reference, `Compatibility`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compatibility {
    /// Nothing is checked.
    None,
    /// No later version is taken.
    Disabled,
    /// Consumers of a version read the one before it.
    #[default]
    Backward,
    /// Consumers of a version read all before it.
    BackwardAll,
    /// Consumers of a version read the one after it.
    Forward,
    /// Consumers of a version read all after it.
    ForwardAll,
    /// Backward and forward.
    Full,
    /// Backward and forward, over all versions.
    FullAll,
}

/// The options of the Glue Schema Registry, as in AWS's `GlueSchemaRegistryConfiguration`, with its defaults.
///
/// ```
/// let mut configuration = kpl::glue::GlueSchemaRegistryConfiguration::default();
/// configuration.registry_name = "orders".to_owned();
/// configuration.schema_auto_registration_enabled = true;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GlueSchemaRegistryConfiguration {
    /// The region of the registry (`region`). Default `None`: where every AWS tool finds it.
    pub region: Option<String>,
    /// The URL of the registry's endpoint (`endpoint`). Default `None`: the region's public one.
    pub endpoint: Option<String>,
    /// The registry's name (`registry.name`). Default `default-registry`.
    pub registry_name: String,
    /// Whether definitions that the registry does not have are registered (`schemaAutoRegistrationEnabled`). Default
    /// false: records with such a schema fail.
    pub schema_auto_registration_enabled: bool,
    /// What later versions of a schema that is created have to be compatible with (`compatibility`). Default
    /// [`Compatibility::Backward`].
    pub compatibility: Compatibility,
    /// The description of a schema that is created (`description`). Default `None`.
    pub description: Option<String>,
    /// AWS tags of a schema that is created. Default none.
    pub tags: BTreeMap<String, String>,
    /// Metadata of each version that is registered, besides `x-amz-meta-transport`, which is the stream's name. Default
    /// none. Metadata that the registry does not take is logged and changes nothing else.
    pub metadata: BTreeMap<String, String>,
    /// How payloads are compressed (`compression`: `NONE` or `ZLIB`). Default [`SchemaCompression::None`].
    pub compression: SchemaCompression,
    /// Schemas whose version is remembered (`cacheSize`); of more, the one used least recently is forgotten. 1 or more,
    /// default 200.
    pub cache_size: usize,
    /// How long a version is remembered before the registry is asked again (`timeToLiveMillis`). Default 24 hours. When
    /// it cannot be asked, the old version counts until it can.
    pub time_to_live: Duration,
    /// How long a record waits for the registry at most, repeated calls included. Default 30 s, the time to live of a
    /// record. Not an option of AWS's library.
    pub timeout: Duration,
    /// Whether data is checked against its schema before it is sent. Default true. AWS's serialiser checks JSON alone; see
    /// [`glue`](crate::glue).
    pub validate: bool,
}

impl Default for GlueSchemaRegistryConfiguration {
    fn default() -> Self {
        Self {
            region: None,
            endpoint: None,
            registry_name: "default-registry".to_owned(),
            schema_auto_registration_enabled: false,
            compatibility: Compatibility::Backward,
            description: None,
            tags: BTreeMap::new(),
            metadata: BTreeMap::new(),
            compression: SchemaCompression::None,
            cache_size: 200,
            time_to_live: Duration::from_secs(24 * 60 * 60),
            timeout: Duration::from_secs(30),
            validate: true,
        }
    }
}

impl GlueSchemaRegistryConfiguration {
    /// Reads the file that a KPL program names in `GlueSchemaRegistryPropertiesFilePath`: the option names of AWS's
    /// serialiser. Names that have no meaning for a producer are passed over.
    ///
    /// ```
    /// let text = "region = eu-west-1\nregistry.name = orders\nschemaAutoRegistrationEnabled = true\n";
    /// let configuration = kpl::glue::GlueSchemaRegistryConfiguration::from_properties(text)?;
    /// assert_eq!(configuration.registry_name, "orders");
    /// # Ok::<(), kpl::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with all values that are not what they have to be, each with its line.
    pub fn from_properties(text: &str) -> Result<Self, ConfigError> {
        let (properties, problems) = syntax::properties(text);
        let mut problems: Vec<_> =
            problems.into_iter().map(|(line, problem)| format!("line {line}: {problem}")).collect();
        let mut configuration = Self::default();
        for property in properties {
            if let Err(wanted) = configuration.set(&property.name, property.value.trim()) {
                problems.push(format!("line {}: {} has to be {wanted}", property.line, property.name));
            }
        }
        if problems.is_empty() { Ok(configuration) } else { Err(ConfigError { problems }) }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        let text = || Some(value.to_owned()).filter(|text| !text.is_empty());
        match name {
            "region" => self.region = text(),
            "endpoint" => self.endpoint = text(),
            "registry.name" => self.registry_name = text().ok_or("a registry's name")?,
            "description" => self.description = text(),
            "schemaAutoRegistrationEnabled" => {
                self.schema_auto_registration_enabled =
                    value.to_lowercase().parse().map_err(|_| "true or false")?;
            }
            "compression" => self.compression = compression(value).ok_or("NONE or ZLIB")?,
            "compatibility" => {
                self.compatibility = compatibility(value).ok_or("one of Glue's, such as BACKWARD")?;
            }
            "cacheSize" => {
                self.cache_size =
                    value.parse().ok().filter(|size| *size > 0).ok_or("a whole number, 1 or more")?;
            }
            "timeToLiveMillis" => {
                self.time_to_live = value.parse().map(Duration::from_millis).map_err(|_| "milliseconds")?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn compression(name: &str) -> Option<SchemaCompression> {
    match name.to_uppercase().as_str() {
        "NONE" => Some(SchemaCompression::None),
        "ZLIB" => Some(SchemaCompression::Zlib),
        _ => None,
    }
}

fn compatibility(name: &str) -> Option<Compatibility> {
    Some(match name.to_uppercase().as_str() {
        "NONE" => Compatibility::None,
        "DISABLED" => Compatibility::Disabled,
        "BACKWARD" => Compatibility::Backward,
        "BACKWARD_ALL" => Compatibility::BackwardAll,
        "FORWARD" => Compatibility::Forward,
        "FORWARD_ALL" => Compatibility::ForwardAll,
        "FULL" => Compatibility::Full,
        "FULL_ALL" => Compatibility::FullAll,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_for_awss_serialiser_is_read() {
        let text = "region=eu-west-1\nendpoint=http://127.0.0.1:1\nregistry.name=r\ncompression=zlib\n\
            compatibility=FULL_ALL\ndescription=d\nschemaAutoRegistrationEnabled=TRUE\ncacheSize=7\n\
            timeToLiveMillis=1500\navroRecordType=GENERIC_RECORD\n";
        let read = GlueSchemaRegistryConfiguration::from_properties(text).expect("right");
        let expected = GlueSchemaRegistryConfiguration {
            region: Some("eu-west-1".to_owned()),
            endpoint: Some("http://127.0.0.1:1".to_owned()),
            registry_name: "r".to_owned(),
            compression: SchemaCompression::Zlib,
            compatibility: Compatibility::FullAll,
            description: Some("d".to_owned()),
            schema_auto_registration_enabled: true,
            cache_size: 7,
            time_to_live: Duration::from_millis(1500),
            ..GlueSchemaRegistryConfiguration::default()
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn all_wrong_values_are_reported_with_their_lines() {
        let text = "cacheSize=0\ncompression=lzma\n\ncompatibility=SOME\nschemaAutoRegistrationEnabled=yes\n";
        let error = GlueSchemaRegistryConfiguration::from_properties(text).expect_err("wrong");
        let lines: Vec<_> = error.problems.iter().map(|problem| &problem[..7]).collect();
        assert_eq!(lines, ["line 1:", "line 2:", "line 4:", "line 5:"], "{error:?}");
    }
}
