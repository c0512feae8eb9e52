#!/usr/bin/env bash
# Whether the agent slows the application that writes the log: the writer's time and CPU with and without it, in turns.
#
#     tests/speed/writer_cost.sh [LINES [PAIRS]]    # 1000000 5
#
# Each line is 150 bytes and a write of its own. AGENT as for arrival.sh.
set -euo pipefail

lines=${1:-1000000} pairs=${2:-5}
agent=$(realpath "${AGENT:-target/release/kinesis-agent}")
here=$(dirname "$(realpath "$0")")
port=${PORT:-14996}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT

cat > "$work/agent.json" <<JSON
{
  "kinesis.endpoint": "http://127.0.0.1:$port", "kinesis.region": "us-east-1", "cloudwatch.emitMetrics": false,
  "awsAccessKeyId": "test", "awsSecretAccessKey": "test", "checkpointFile": "$work/checkpoints.db",
  "flows": [{
    "filePattern": "$work/app.log*", "kinesisStream": "b", "initialPosition": "START_OF_FILE", "aggregation": true
  }]
}
JSON
"$agent" sandbox --listen "127.0.0.1:$port" --stream b --shards 64 --discard > "$work/sandbox.txt" 2>&1 &
sleep 1

for ((pair = 1; pair <= pairs; pair++)); do
    echo "without: $("$here/write_log.py" "$work/other.log" 150 0 "$lines" --line-by-line)"
    rm "$work/other.log"
    "$agent" run -c "$work/agent.json" > "$work/agent.txt" 2>&1 &
    daemon=$!
    sleep 2
    echo "with:    $("$here/write_log.py" "$work/app.log" 150 0 "$lines" --line-by-line)"
    kill $daemon
    wait $daemon || true
    rm -f "$work/app.log" "$work"/checkpoints*
done
