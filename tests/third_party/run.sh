#!/usr/bin/env bash
# Third parties read what kpl writes, and kpl reads what they write: Python's aws_kinesis_agg, npm's aws-kinesis-agg and
# the KCL's own AggregatorUtil (from the wheel kclpy-ext, which carries the KCL's jars). AWS's library for the Glue Schema
# Registry exchanges framed data with it. All of them come from their registries through pip, npm and Maven, into a
# directory that is kept in KPL_THIRD_PARTY_CACHE if that is set. Then the whole KCL reads what the agent ships while
# shards are split and merged: kcl.sh.
#
# With KPL_THIRD_PARTY_EXAMPLE and KINESIS_AGENT_BINARY, the programs of the example and the agent, nothing is built.
#
# What is not installed here is left out with a word about it; with REQUIRE_ALL=1 that is a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/third_party

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tools=${KPL_THIRD_PARTY_CACHE:-$scratch/tools}
vectors=$scratch/vectors
glue=$scratch/glue
mkdir -p "$tools" "$vectors" "$glue"

left_out=0
leave_out() {
  echo "left out: $1"
  left_out=1
}

has() { command -v "$1" >/dev/null; }

ours() {
  if [[ -n ${KPL_THIRD_PARTY_EXAMPLE:-} ]]; then
    "$KPL_THIRD_PARTY_EXAMPLE" "$@"
  else
    cargo run --quiet --locked -p kpl --example third_party -- "$@"
  fi
}

with_python() {
  if [[ ! -e $tools/python/done ]]; then
    python3 -m venv "$tools/python"
    "$tools/python/bin/pip" --quiet --disable-pip-version-check install 'aws_kinesis_agg==1.2.3' six
    touch "$tools/python/done"
  fi
  "$tools/python/bin/python" "$here/read_and_write.py" "$vectors"
  ours check "$vectors" python
}

with_npm() {
  if [[ ! -e $tools/npm/done ]]; then
    mkdir -p "$tools/npm"
    npm install --prefix "$tools/npm" --silent --no-audit --no-fund --ignore-scripts 'aws-kinesis-agg@4.2.8'
    touch "$tools/npm/done"
  fi
  NODE_PATH=$tools/npm/node_modules node "$here/read_and_write.js" "$vectors"
  ours check "$vectors" npm
}

with_kcl() {
  if [[ ! -e $tools/kcl/done ]]; then
    mkdir -p "$tools/kcl"
    python3 -m pip --quiet --disable-pip-version-check download --no-deps 'kclpy-ext==3.1.3.post4' --dest "$tools/kcl"
    (cd "$tools/kcl" && python3 -m zipfile -e kclpy_ext-*.whl . && rm kclpy_ext-*.whl)
    touch "$tools/kcl/done"
  fi
  local jars
  jars=$(find "$tools/kcl" -name '*.jar' -printf '%p:')
  java -cp "$jars" "$here/ReadAndWrite.java" "$vectors"
  ours check "$vectors" kcl
}

# AWS's library for the Glue Schema Registry reads what kpl frames, and kpl reads what it frames. The registry is the
# sandbox's, in the example's own process.
with_glue() {
  if [[ ! -e $tools/glue/done ]]; then
    mvn --quiet --batch-mode --file "$here/glue/pom.xml" dependency:copy-dependencies -DoutputDirectory="$tools/glue"
    touch "$tools/glue/done"
  fi
  local program=${KPL_THIRD_PARTY_EXAMPLE:+$(dirname "$KPL_THIRD_PARTY_EXAMPLE")/glue_third_party}
  if [[ -z $program ]]; then
    cargo build --quiet --locked -p kpl --all-features --example glue_third_party
    program=${CARGO_TARGET_DIR:-target}/debug/examples/glue_third_party
  fi
  AWS_ACCESS_KEY_ID=AKIDSANDBOX AWS_SECRET_ACCESS_KEY=secret \
    "$program" "$glue" java -cp "$tools/glue/*" "$here/glue/GlueReadAndWrite.java"
}

ours write "$vectors"
if has python3 && python3 -c 'import venv, ensurepip' 2>/dev/null; then with_python; else leave_out "python3 with venv"; fi
if has node && has npm; then with_npm; else leave_out "node and npm"; fi
if has java && has python3; then with_kcl; else leave_out "java (17 or later) and python3, for the KCL"; fi
if has java && has mvn; then with_glue; else leave_out "java (17 or later) and mvn, for the Glue Schema Registry"; fi
if has mvn && has javac && python3 -c 'import venv, ensurepip' 2>/dev/null; then
  "$here/kcl.sh"
else
  leave_out "mvn, a JDK (17 or later) and python3 with venv, for the KCL through changes of shards"
fi

if [[ ${REQUIRE_ALL:-} == 1 && $left_out == 1 ]]; then
  echo "REQUIRE_ALL=1: nothing may be left out" >&2
  exit 1
fi
