#!/usr/bin/env bash
# The real KCL reads what the real agent ships while the shards change: see kcl/through_reshards.py. Needs python3 with
# venv, a JDK (17 or later) and Maven. The KCL comes through Maven, moto through pip, both into a directory that is kept
# in KPL_THIRD_PARTY_CACHE if that is set.
#
#     tests/third_party/kcl.sh                              the short form, which CI runs
#     tests/third_party/kcl.sh --no-repeats                 the same, and a line that comes twice is a failure
#     tests/third_party/kcl.sh --long                       more changes, two workers, killed agent and worker
#     tests/third_party/kcl.sh --fault drop-after:share=0.02,op=PutRecords
#
# With KINESIS_AGENT_BINARY nothing is built.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/third_party/kcl

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tools=${KPL_THIRD_PARTY_CACHE:-$scratch/tools}
jars=$tools/kcl3
mkdir -p "$tools"

agent=${KINESIS_AGENT_BINARY:-}
if [[ -z $agent ]]; then
  cargo build --quiet --locked --bin kinesis-agent
  agent=${CARGO_TARGET_DIR:-target}/debug/kinesis-agent
fi

if [[ ! -e $jars/done ]]; then
  mvn --batch-mode --quiet --file "$here/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$jars"
  touch "$jars/done"
fi
if [[ ! -e $tools/moto/done ]]; then
  python3 -m venv "$tools/moto"
  "$tools/moto/bin/pip" --quiet --disable-pip-version-check install 'moto[dynamodb,server]==5.2.5'
  touch "$tools/moto/done"
fi

javac -nowarn -Xlint:none -cp "$jars/*" -d "$scratch/classes" "$here"/*.java
"$tools/moto/bin/python" "$here/through_reshards.py" "$agent" "$scratch/classes:$jars/*" "$@"
