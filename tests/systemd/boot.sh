#!/usr/bin/env bash
# Boots a Debian system with the agent as its service and checks it from inside (checks.sh). As root.
#
#   tests/systemd/boot.sh [AGENT]             AGENT: the program, default target/release/kinesis-agent
#   tests/systemd/boot.sh --stand-in [FAULT]  tests the test: a small script takes the agent's place, and with a
#                                             FAULT (see stand_in.pl) the checks have to fail
#
# Environment: KINESIS_BOOT_CACHE  keeps the Debian root between runs (default ~/.cache/kinesis-agent-boot)
#              DEBIAN_SUITE        default: this machine's, if it is a Debian, else stable
#              DEBIAN_MIRROR       default: debootstrap's
# Installs debootstrap and systemd-container when they are missing. Ends with 0 only if every check holds.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
workspace=$(cd "$here/../.." && pwd)
seconds_to_live=300

fail() {
  echo "boot test: $*" >&2
  exit 1
}

suite() {
  local own
  # shellcheck disable=SC1091
  own=$(. /etc/os-release && [[ ${ID:-} == debian ]] && echo "${VERSION_CODENAME:-stable}") || own=stable
  echo "${DEBIAN_SUITE:-$own}"
}

install_tools() {
  if command -v debootstrap >/dev/null && command -v systemd-nspawn >/dev/null; then return; fi
  echo "boot test: installing debootstrap and systemd-container"
  apt-get update -q >/dev/null
  apt-get install -y -q --no-install-recommends debootstrap systemd-container >/dev/null
}

# Builds the untouched root once; a half-built one never gets the final name.
base_root() {
  local cache=${KINESIS_BOOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kinesis-agent-boot}
  local base
  base="$cache/$(suite)"
  if [[ ! -d $base ]]; then
    mkdir -p "$cache"
    rm -rf --one-file-system "$base.partial"
    echo "boot test: building a Debian root in $base" >&2
    debootstrap --variant=minbase --include=systemd,systemd-sysv,ca-certificates \
      "$(suite)" "$base.partial" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$cache/debootstrap.log" 2>&1 ||
      fail "debootstrap failed, see $cache/debootstrap.log"
    mv "$base.partial" "$base"
  fi
  echo "$base"
}

install_agent() {
  local root=$1 agent=$2 fault=$3
  install -D -m 0755 "$agent" "$root/usr/bin/kinesis-agent"
  if [[ -n $fault ]]; then
    sed -i "s/^my \$FAULT = ''/my \$FAULT = '$fault'/" "$root/usr/bin/kinesis-agent"
  fi
}

install_files() {
  local root=$1
  install -D -m 0644 "$workspace/systemd/kinesis-agent.service" "$root/usr/lib/systemd/system/kinesis-agent.service"
  install -D -m 0644 "$workspace/systemd/kinesis-agent.sysusers" "$root/usr/lib/sysusers.d/kinesis-agent.conf"
  install -D -m 0644 "$here/agent.json" "$root/etc/kinesis-agent/agent.json"
  install -D -m 0755 "$here/checks.sh" "$root/boot-test/checks.sh"
  install -m 0644 "$here"/units/*.service "$root/etc/systemd/system/"
  mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
  ln -sf ../boot-checks.service "$root/etc/systemd/system/multi-user.target.wants/boot-checks.service"
}

# A network of its own: nothing but 127.0.0.1, so no port is ever taken and nothing leaves the machine.
boot() {
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout --kill-after=20 "$seconds_to_live" systemd-nspawn \
    --quiet --directory="$1" --machine="kinesis-agent-boot-$$" --settings=no --private-network --resolv-conf=off \
    --timezone=off --link-journal=no --boot --register=no --keep-unit --console=read-only >"$1/boot-test/console" 2>&1
}

report() {
  local out=$1/boot-test
  cat "$out/results" 2>/dev/null || true
  if [[ -f $out/results ]] && ! grep -q '^not ok' "$out/results" && [[ $(tail -n 1 "$out/results") == "done" ]]; then
    echo "boot test: $(grep -c '^ok' "$out/results") checks hold"
    return 0
  fi
  local name
  for name in difference consume.errors checks.log journal console; do
    [[ -s $out/$name ]] && echo "--- $name (its end)" && tail -n 40 "$out/$name"
  done
  fail "the checks do not hold"
}

main() {
  [[ $EUID -eq 0 ]] || fail "booting a system needs root"
  local agent=${1:-$workspace/target/release/kinesis-agent} fault=
  if [[ $agent == --stand-in ]]; then agent=$here/stand_in.pl fault=${2:-}; fi
  [[ -x $agent ]] || fail "$agent does not exist; build it with: cargo build --release --bin kinesis-agent"
  install_tools
  local base
  base=$(base_root)
  run_root=$(mktemp -d "$(dirname "$base")/run.XXXXXX")
  trap 'rm -rf --one-file-system "$run_root"' EXIT
  cp -a --reflink=auto "$base/." "$run_root"
  install_files "$run_root"
  install_agent "$run_root" "$agent" "$fault"
  boot "$run_root" || echo "boot test: the system did not end by itself within $seconds_to_live s" >&2
  report "$run_root"
}

main "$@"
