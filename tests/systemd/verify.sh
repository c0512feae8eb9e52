#!/usr/bin/env bash
# Checks the unit without booting it: systemd accepts every line, and the service is well confined.
#
#   tests/systemd/verify.sh [AGENT]     AGENT: any program, stands for /usr/bin/kinesis-agent (default /bin/true)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
unit="$here/../../systemd/kinesis-agent.service"
agent=$(realpath "${1:-/bin/true}")
# systemd's own measure, times ten: 0 is a locked box, 100 is root. Reading other users' logs costs about 5 of these.
highest_exposure=20

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# The program need not be installed on the machine that checks.
sed "s|/usr/bin/kinesis-agent|$agent|" "$unit" >"$scratch/kinesis-agent.service"

# Unknown keys are only warnings to systemd; here they are errors. What it says about the machine's other units,
# which it loads as well, is not ours to judge.
status=0
systemd-analyze verify --man=no "$scratch/kinesis-agent.service" >"$scratch/verify" 2>&1 || status=$?
if [[ $status -ne 0 ]] || grep -q kinesis-agent "$scratch/verify"; then
  echo "systemd-analyze verify complains about systemd/kinesis-agent.service (exit code $status):"
  cat "$scratch/verify"
  exit 1
fi
echo "systemd-analyze verify: accepted"

if ! systemd-analyze security --help 2>/dev/null | grep -q -- --offline; then
  echo "systemd-analyze security: left out, this systemd is older than 250"
  exit 0
fi
if ! systemd-analyze security --offline=true --threshold=$highest_exposure --no-pager \
  "$scratch/kinesis-agent.service" >"$scratch/report"; then
  cat "$scratch/report"
  echo "the unit is exposed by more than $highest_exposure tenths; lines with a cross say by what"
  exit 1
fi
tail -n 1 "$scratch/report"
