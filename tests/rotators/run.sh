#!/usr/bin/env bash
# The rotators of others, real programs: each writes numbered lines and rotates as fast as it can while the agent follows
# (running, stopped for a while, killed), and what arrives is counted. Prints a Markdown table.
#
#     tests/rotators/run.sh                     what needs Python, npm and Debian's packages only: the form that CI runs
#     tests/rotators/run.sh --all               what comes from Maven, the Go proxy and a C++ compiler, too
#     tests/rotators/run.sh --only nginx --keep /tmp/kept --seconds 20
#
# Exit code 1 when a line is missing, or came twice where nobody was killed, unless cases.py states the limit.
# KINESIS_AGENT_BINARY (with the cargo feature `sandbox`) is built if it is not given; KPL_ROTATORS_CACHE is where the
# programs are kept. Nothing is installed into the system. What cannot be had is left out with a word about it; with
# REQUIRE_ALL=1 that is a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/rotators

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tools=${KPL_ROTATORS_CACHE:-$scratch/tools}
mkdir -p "$tools"
. "$here/tools.sh"

agent=${KINESIS_AGENT_BINARY:-}
if [[ -z $agent ]]; then
  cargo build --quiet --locked --bin kinesis-agent
  agent=${CARGO_TARGET_DIR:-target}/debug/kinesis-agent
fi

is_all=0
[[ " $* " != *" --all "* ]] || is_all=1
if ((is_all)); then get_debian libspdlog-dev; else get_debian; fi
get_python
get_npm
if ((is_all)); then
  get_java
  get_go
  get_spdlog
fi
if [[ ${REQUIRE_ALL:-} == 1 && $left_out == 1 ]]; then
  echo "REQUIRE_ALL=1: nothing may be left out" >&2
  exit 1
fi
export PYTHONDONTWRITEBYTECODE=1
export NODE_PATH=$tools/npm/node_modules
export ROTATORS_DEBIAN=$tools/debian
export PATH=$tools/debian/usr/sbin:$tools/debian/usr/bin:$PATH:/usr/sbin
for libraries in "$tools"/debian/usr/lib/*-linux-gnu*; do
  export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done

python3 "$here/drive.py" "$agent" "$tools" "$@"
