//! The producer's configuration, and those of streams that have one of their own.
//!
//! Invariant: once [`Configs::served_by`] was called, every configuration is lawful, within the service's bounds, and
//! has of the whole producer's options the producer's values.

use std::collections::HashMap;

use crate::config::choices::Compression;
use crate::config::{Config, ConfigError};
use crate::core::pipeline::Service;
use crate::dedup_id;
use crate::limits;
use crate::types::StreamName;

/// All configurations of a producer.
#[derive(Debug, Clone, Default)]
pub(super) struct Configs {
    pub(super) producer: Config,
    pub(super) streams: HashMap<StreamName, Config>,
}

impl Configs {
    /// What counts towards `service`, if all is lawful. `incarnation` tells this start of the producer from others.
    pub(super) fn served_by(mut self, service: Service, incarnation: u64) -> Result<Self, ConfigError> {
        self.check()?;
        let name = self.producer.producer_id.as_deref();
        self.producer.producer_id = Some(dedup_id::incarnation(name, incarnation));
        let producer = within_bounds(self.producer, service);
        let streams = self.streams.into_iter().map(|(name, config)| {
            let config = within_bounds(config.of_stream(&producer), service);
            (name, config)
        });
        let streams = streams.collect();
        Ok(Self { producer, streams })
    }

    /// How the producer behaves towards that stream. Costs nothing where no stream has a configuration of its own.
    pub(super) fn of(&self, stream: &StreamName) -> &Config {
        self.streams.get(stream).unwrap_or(&self.producer)
    }

    /// All problems of all configurations, those of a stream with its name.
    fn check(&self) -> Result<(), ConfigError> {
        let mut streams: Vec<_> = self.streams.iter().collect();
        streams.sort_by_key(|(name, _)| *name);
        let of_streams = streams.into_iter().flat_map(|(name, config)| {
            config.problems().map(move |problem| format!("of stream {name}: {problem}"))
        });
        ConfigError::unless_empty(self.producer.problems().chain(of_streams).collect())
    }
}

fn within_bounds(mut config: Config, service: Service) -> Config {
    if service == Service::DeliveryStream {
        config.aggregation_enabled = false;
        config.dedup_ids = false;
        config.compression = Compression::None;
        config.max_user_record_size = config.max_user_record_size.min(limits::FIREHOSE_RECORD_BYTES);
        config.collection_max_size = config.collection_max_size.min(limits::PUT_RECORD_BATCH_BYTES);
    }
    config
}
