//! A producer that uploads its metrics to CloudWatch and shows its state meanwhile.
//!
//! `cargo run -p kpl --features cloudwatch --example metrics -- orders` sends to AWS with your usual credentials; with a
//! second argument, such as `http://127.0.0.1:4567`, to an endpoint of your own that speaks Kinesis and CloudWatch
//! (`kinesis-agent sandbox` is one; `curl http://127.0.0.1:4567/sandbox/metrics` shows what it was told).

use kpl::{AwsTransport, CallTimeouts, CloudWatchMetrics, CloudWatchTransport, Config};
use kpl::{Producer, StreamName, UserRecord};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let stream = StreamName::new(&arguments.next().ok_or("give the name of a stream")?)?;
    let mut environment = aws_config::defaults(aws_config::BehaviorVersion::latest());
    if let Some(endpoint) = arguments.next() {
        environment = environment.endpoint_url(endpoint);
    }
    let environment = environment.load().await;

    let mut options = Config::default();
    options.metrics_namespace = "KplExample".to_owned();
    let cloudwatch = CloudWatchTransport::new(&environment, CallTimeouts::default());
    let producer = Producer::builder(AwsTransport::new(&environment, CallTimeouts::default()))
        .cloudwatch_metrics(CloudWatchMetrics::start(cloudwatch, &options)?)
        .start()?;

    let mut deliveries = Vec::new();
    for number in 0..1000 {
        let record =
            UserRecord::new(stream.clone(), format!("customer-{}", number % 7), format!("order {number}"));
        deliveries.push(producer.send(record).await?);
    }
    println!("under way: {:#?}", producer.snapshot());
    for delivery in deliveries {
        if let Err(failed) = delivery.await {
            println!("{failed}");
        }
    }
    producer.close().await; // uploads the last metrics too
    println!("at the end: {:#?}", producer.snapshot());
    Ok(())
}
