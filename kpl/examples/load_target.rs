//! A service for the load generator: a sandbox that throws records away, with one stream.
//!
//! `cargo run --release -p kpl --example load_target -- 127.0.0.1:4567 load 4` listens there, with the stream `load` of
//! four shards, until it is interrupted.

use kinesis_sandbox::{Sandbox, SandboxOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [listen, stream, shards] = words.as_slice() else {
        return Err(
            "give an address such as 127.0.0.1:4567, the name of a stream, and its number of shards".into()
        );
    };
    let options =
        SandboxOptions { listen: listen.parse()?, discard_records: true, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(options).await?;
    sandbox.create_stream(stream, shards.parse()?).await?;
    println!("{}", sandbox.endpoint());
    tokio::signal::ctrl_c().await?;
    sandbox.shutdown().await;
    Ok(())
}
