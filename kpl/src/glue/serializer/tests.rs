//! Look-ups against a registry that follows a script, in paused time.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use super::*;
use crate::glue::registry_calls::{
    CreateSchemaRequest, SchemaVersion, SchemaVersionStatus, StoredSchemaVersion,
};
use crate::glue::schema::DataFormat;
use crate::put_records::{CallError, Doubt};
use crate::transport::Answer;

/// What the registry does with its next calls, by operation; afterwards it has everything. Clones are the same one.
#[derive(Clone, Default)]
struct Script(Arc<ScriptState>);

#[derive(Default)]
struct ScriptState {
    failures: Mutex<Vec<(&'static str, &'static str)>>,
    calls: Mutex<Vec<String>>,
    pending: AtomicU8,
    ids: AtomicU8,
}

impl Script {
    fn failing(failures: &[(&'static str, &'static str)]) -> Self {
        let script = Self::default();
        script.0.failures.lock().expect("no panic").extend(failures);
        script
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.calls.lock().expect("no panic"))
    }

    fn answer<A: Send + 'static>(
        &self,
        operation: &'static str,
        make: impl FnOnce(&Self) -> A + Send + 'static,
    ) -> Answer<A> {
        self.0.calls.lock().expect("no panic").push(operation.to_owned());
        let mut failures = self.0.failures.lock().expect("no panic");
        let failure = failures.iter().position(|(of, _)| *of == operation).map(|at| failures.remove(at));
        let script = self.clone();
        Box::pin(async move {
            pause(Duration::from_millis(10)).await;
            match failure {
                Some((_, code)) => {
                    Err(CallError { code: code.into(), message: "no".into(), doubt: Doubt::NotWritten })
                }
                None => Ok(make(&script)),
            }
        })
    }

    fn version(&self) -> SchemaVersion {
        let id = SchemaVersionId([self.0.ids.load(Ordering::Relaxed); 16]);
        let pending = self.0.pending.load(Ordering::Relaxed);
        self.0.pending.store(pending.saturating_sub(1), Ordering::Relaxed);
        let status = if pending > 0 { SchemaVersionStatus::Pending } else { SchemaVersionStatus::Available };
        SchemaVersion { id, status }
    }
}

impl SchemaRegistry for Script {
    fn get_schema_by_definition(&self, _: String, _: Schema) -> Answer<SchemaVersion> {
        self.answer("GetSchemaByDefinition", Self::version)
    }

    fn create_schema(&self, _: CreateSchemaRequest) -> Answer<SchemaVersion> {
        self.answer("CreateSchema", Self::version)
    }

    fn register_schema_version(&self, _: String, _: Schema) -> Answer<SchemaVersion> {
        self.answer("RegisterSchemaVersion", Self::version)
    }

    fn get_schema_version(&self, _: SchemaVersionId) -> Answer<StoredSchemaVersion> {
        self.answer("GetSchemaVersion", |script| StoredSchemaVersion {
            version: script.version(),
            definition: String::new(),
            data_format: None,
        })
    }

    fn put_schema_version_metadata(&self, _: SchemaVersionId, key: String, value: String) -> Answer<()> {
        self.0.calls.lock().expect("no panic").push(format!("{key}={value}"));
        self.answer("PutSchemaVersionMetadata", |_| ())
    }
}

#[expect(clippy::disallowed_methods, reason = "the time is paused")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

fn schema(name: &str) -> Schema {
    Schema::new(DataFormat::Json, r#"{"type": "object"}"#, name).expect("valid")
}

fn stream() -> StreamName {
    StreamName::new("orders").expect("valid")
}

fn serializer(
    script: &Script,
    change: impl FnOnce(&mut GlueSchemaRegistryConfiguration),
) -> GlueSchemaRegistrySerializer {
    let mut configuration = GlueSchemaRegistryConfiguration::default();
    change(&mut configuration);
    GlueSchemaRegistrySerializer::new(script.clone(), configuration)
}

async fn encode(serializer: &GlueSchemaRegistrySerializer, name: &str) -> Result<u8, GlueError> {
    let framed = serializer.encode(&stream(), &schema(name), b"{}").await?;
    Ok(framing::decode(&framed).expect("framed").schema_version_id.0[0])
}

#[tokio::test(start_paused = true)]
async fn records_that_come_together_cause_one_look_up_and_later_ones_none() {
    let script = Script::default();
    let serializer = serializer(&script, |_| ());
    assert!(matches!(serializer.encode_now(&schema("a"), b"{}"), Err(GlueError::NotYetKnown { .. })));
    let (one, two, other) =
        tokio::join!(encode(&serializer, "a"), encode(&serializer, "a"), encode(&serializer, "b"));
    assert_eq!((one, two, other), (Ok(0), Ok(0), Ok(0)));
    assert_eq!(script.calls().len(), 2, "one for each schema");
    assert_eq!(encode(&serializer, "a").await, Ok(0));
    assert!(serializer.encode_now(&schema("a"), b"{}").is_ok());
    assert!(script.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_the_registry_does_not_have_is_registered_only_if_that_is_wanted() {
    let not_found = ("GetSchemaByDefinition", "EntityNotFoundException");
    let script = Script::failing(&[not_found]);
    let refused = encode(&serializer(&script, |_| ()), "a").await;
    assert!(matches!(refused, Err(GlueError::NotRegistered { .. })), "{refused:?}");
    assert_eq!(script.calls(), ["GetSchemaByDefinition"]);

    let script = Script::failing(&[not_found]);
    let registering = |configuration: &mut GlueSchemaRegistryConfiguration| {
        configuration.schema_auto_registration_enabled = true;
        configuration.metadata.insert("team".to_owned(), "x".to_owned());
    };
    assert_eq!(encode(&serializer(&script, registering), "a").await, Ok(0));
    assert_eq!(
        script.calls()[..3],
        ["GetSchemaByDefinition", "RegisterSchemaVersion", "x-amz-meta-transport=orders"]
    );

    let no_schema = ("RegisterSchemaVersion", "EntityNotFoundException");
    let refused_metadata = ("PutSchemaVersionMetadata", "AccessDeniedException");
    let script = Script::failing(&[not_found, no_schema, refused_metadata]);
    assert_eq!(encode(&serializer(&script, registering), "a").await, Ok(0), "metadata is no reason to fail");
    assert!(script.calls().contains(&"CreateSchema".to_owned()));

    let script = Script::failing(&[not_found, no_schema, ("CreateSchema", "AlreadyExistsException")]);
    assert_eq!(encode(&serializer(&script, registering), "a").await, Ok(0), "another producer was faster");
    let calls = script.calls();
    assert_eq!(calls.iter().filter(|call| *call == "RegisterSchemaVersion").count(), 2, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_can_heal_is_made_again_until_the_time_is_over() {
    let fails = ("GetSchemaByDefinition", "InternalServiceException");
    let script = Script::failing(&[fails; 3]);
    assert_eq!(encode(&serializer(&script, |_| ()), "a").await, Ok(0));
    assert_eq!(script.calls().len(), 4);

    let script = Script::failing(&[fails; 1000]);
    let impatient = serializer(&script, |configuration| configuration.timeout = Duration::from_secs(10));
    let (one, two) = tokio::join!(encode(&impatient, "a"), encode(&impatient, "a"));
    assert!(matches!(&one, Err(GlueError::Call { attempts, .. }) if *attempts > 3), "{one:?}");
    assert_eq!(one, two, "those that waited together fail together");
    script.0.failures.lock().expect("no panic").clear();
    assert_eq!(encode(&impatient, "a").await, Ok(0), "a failure is not remembered");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_wrong_is_not_made_again() {
    let script = Script::failing(&[("GetSchemaByDefinition", "InvalidInputException"); 2]);
    let refused = encode(&serializer(&script, |_| ()), "a").await;
    assert!(matches!(refused, Err(GlueError::Call { attempts: 1, .. })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_being_checked_is_waited_for() {
    let script = Script::default();
    script.0.pending.store(5, Ordering::Relaxed);
    assert_eq!(encode(&serializer(&script, |_| ()), "a").await, Ok(0));
    assert_eq!(script.calls().len(), 6);

    script.0.pending.store(200, Ordering::Relaxed);
    let never = encode(&serializer(&script, |_| ()), "a").await;
    assert!(
        matches!(never, Err(GlueError::NotAvailable { status: SchemaVersionStatus::Pending, .. })),
        "{never:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_version_is_looked_up_again_when_it_is_old_and_counts_on_when_nobody_answers() {
    let script = Script::default();
    let serializer = serializer(&script, |configuration| configuration.timeout = Duration::from_secs(5));
    assert_eq!(encode(&serializer, "a").await, Ok(0));
    script.0.ids.store(9, Ordering::Relaxed);
    pause(Duration::from_secs(23 * 60 * 60)).await;
    assert_eq!(encode(&serializer, "a").await, Ok(0));
    pause(Duration::from_secs(60 * 60)).await;
    assert!(
        serializer.encode_now(&schema("a"), b"{}").is_ok(),
        "the old version counts until there is a new one"
    );
    script.0.failures.lock().expect("no panic").extend([("GetSchemaByDefinition", "Timeout"); 1000]);
    assert_eq!(encode(&serializer, "a").await, Ok(0));
    script.0.failures.lock().expect("no panic").clear();
    pause(Duration::from_secs(24 * 60 * 60)).await;
    assert_eq!(encode(&serializer, "a").await, Ok(9));
}

#[tokio::test(start_paused = true)]
async fn data_that_does_not_fit_causes_no_call() {
    let script = Script::default();
    let serializer = serializer(&script, |_| ());
    let refused = serializer.encode(&stream(), &schema("a"), b"[]").await;
    assert!(matches!(refused, Err(GlueError::InvalidData { .. })), "{refused:?}");
    assert!(script.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_look_up_whose_record_is_dropped_is_finished_for_the_others() {
    let script = Script::default();
    let serializer = serializer(&script, |_| ());
    let dropped = tokio::time::timeout(Duration::from_millis(5), encode(&serializer, "a"));
    let (dropped, other) = tokio::join!(dropped, encode(&serializer, "a"));
    assert!(dropped.is_err());
    assert_eq!(other, Ok(0));
}
