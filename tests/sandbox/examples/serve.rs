//! A sandbox on its own, for any AWS client: `cargo run -p kinesis-sandbox --example serve -- 127.0.0.1:4567 [RULE]...`

use kinesis_sandbox::{FaultRule, Sandbox, SandboxOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let listen =
        arguments.next().ok_or("give an address such as 127.0.0.1:4567, then fault rules")?.parse()?;
    let faults = arguments.map(|rule| rule.parse()).collect::<Result<Vec<FaultRule>, _>>()?;
    let sandbox = Sandbox::start(SandboxOptions { listen, faults, ..SandboxOptions::default() }).await?;
    println!("{}", sandbox.endpoint());
    tokio::signal::ctrl_c().await?;
    sandbox.shutdown().await;
    Ok(())
}
