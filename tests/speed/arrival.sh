#!/usr/bin/env bash
# Whether the agent keeps up with a log file that grows at a given rate, and what it costs.
#
#     tests/speed/arrival.sh [LINE_BYTES [MEGABYTES_A_SECOND [SECONDS [AGGREGATION]]]]    # 150 100 30 true
#
# AGENT is a release build with the feature `sandbox` (default: target/release/kinesis-agent); the sandbox that stands for
# the service is the same binary, answers at once, throws the records away, and has as many shards as the rate asks for.
# Needs twice the bytes below TMPDIR. Prints the lag while lines come, and the CPU time of agent, sandbox and writer.
set -euo pipefail

line_bytes=${1:-150} megabytes=${2:-100} seconds=${3:-30} aggregation=${4:-true}
agent=$(realpath "${AGENT:-target/release/kinesis-agent}")
here=$(dirname "$(realpath "$0")")
port=${PORT:-14997}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT

cpu_of() { awk -v tick="$(getconf CLK_TCK)" '{ printf "%.1f", ($14 + $15) / tick }' "/proc/$1/stat"; }
peak_of() { awk '/VmHWM/ { printf "%d MB", $2 / 1024 }' "/proc/$1/status"; }
lag() { "$agent" status -c "$work/agent.json" --json | grep -o '"lag_bytes": *[0-9]*' | head -1 | tr -dc '0-9'; }

cat > "$work/agent.json" <<JSON
{
  "kinesis.endpoint": "http://127.0.0.1:$port", "kinesis.region": "us-east-1", "cloudwatch.emitMetrics": false,
  "awsAccessKeyId": "test", "awsSecretAccessKey": "test", "checkpointFile": "$work/checkpoints.db",
  "flows": [{
    "filePattern": "$work/app.log", "kinesisStream": "b", "initialPosition": "START_OF_FILE", "aggregation": $aggregation,
    "maxBufferAgeMillis": 1000
  }]
}
JSON
"$agent" sandbox --listen "127.0.0.1:$port" --stream b --shards "${SHARDS:-1000}" --discard > "$work/sandbox.txt" 2>&1 &
sandbox=$!
sleep 1
touch "$work/app.log"
"$agent" run -c "$work/agent.json" > "$work/agent.txt" 2>&1 &
daemon=$!
sleep 2

echo "$megabytes MB/s of $line_bytes-byte lines for $seconds s, aggregation: $aggregation"
agent_before=$(cpu_of $daemon) sandbox_before=$(cpu_of $sandbox)
"$here/write_log.py" "$work/app.log" "$line_bytes" "$seconds" "$((megabytes * 1000000))" &
writer=$!
for ((second = 5; second < seconds; second += 5)); do
    sleep 5
    echo "  $second s: $(($(lag) / 1000)) kB behind"
done
wait $writer
ended=$(date +%s%N)
at_end=$(lag)
while [ "$(lag)" -gt 0 ]; do sleep 0.1; done
echo "at the end: $((at_end / 1000)) kB behind, all acknowledged $((($(date +%s%N) - ended) / 1000000)) ms later"
echo "agent: $(echo "$(cpu_of $daemon) - $agent_before" | bc) s of CPU, at most $(peak_of $daemon);" \
    "sandbox: $(echo "$(cpu_of $sandbox) - $sandbox_before" | bc) s of CPU"
