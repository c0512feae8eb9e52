#!/bin/bash
# Runs inside the booted system, as root, once. Writes one line a check to /boot-test/results: "ok WHAT" or
# "not ok WHAT"; the last line is "done" if all checks were made. boot.sh reads it from outside.
set -u

results=/boot-test/results
logs=/var/log/boot-test
endpoint=http://127.0.0.1:4567
export AWS_ACCESS_KEY_ID=boot AWS_SECRET_ACCESS_KEY=boot AWS_REGION=us-east-1

# check WHAT COMMAND...: the check holds if the command succeeds.
check() {
  local what=$1
  shift
  if "$@"; then
    echo "ok $what" >>"$results"
  else
    echo "not ok $what" >>"$results"
    return 1
  fi
}

# For checks without which the others say nothing.
must() { check "$@" || exit 1; }

keep_journal() { journalctl --no-pager -u kinesis-agent -u boot-sandbox >/boot-test/journal; }
trap keep_journal EXIT

# wait_until SECONDS COMMAND...: tries until it succeeds or the time is over.
wait_until() {
  local last=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < last)) || return 1
    sleep 0.2
  done
}

property() { systemctl show -P "$1" kinesis-agent; }

# write_lines FILE FIRST LAST: appends numbered lines, and remembers that they have to arrive.
write_lines() {
  seq -f "$(basename "$1" | tr -d .) line %g" "$2" "$3" | tee -a "$1" >>/boot-test/expected
}

consume() { /usr/bin/kinesis-agent consume --stream boot --endpoint "$endpoint" 2>>/boot-test/consume.errors | sort; }

# Every line written so far is in the stream exactly once.
arrived_once() { diff <(sort /boot-test/expected) <(consume) >/boot-test/difference; }

# Every line written so far is in the stream; after a kill some may be there twice.
arrived() { diff <(sort /boot-test/expected) <(consume | uniq) >/boot-test/difference; }

sandbox_listens() { (exec 3<>/dev/tcp/127.0.0.1/4567) 2>/dev/null; }

# status_is KEY VALUE: a line of the running agent's /proc/PID/status.
status_is() { [[ $(awk -v key="$1:" '$1 == key { print $2 }' "/proc/$(property MainPID)/status") == "$2" ]]; }

stop_within() {
  local start=$SECONDS
  systemctl stop kinesis-agent
  ((SECONDS - start <= $1))
}

property_is() { [[ $(property "$1") == "$2" ]]; }

prepare() {
  systemd-sysusers
  install -d -m 0700 "$logs"
  chgrp kinesis-agent /etc/kinesis-agent/agent.json
  chmod 0640 /etc/kinesis-agent/agent.json
  (umask 077 && : >"$logs/app.log" && : >/tmp/boot-test.log)
  systemctl start boot-sandbox
  must "the sandbox listens" wait_until 20 sandbox_listens
}

check_start() {
  write_lines "$logs/app.log" 1 100
  write_lines /tmp/boot-test.log 1 100
  must "systemctl start succeeds: the agent said READY=1" systemctl start kinesis-agent
  check "the unit is active" property_is ActiveState active
  check "the unit is of type notify" property_is Type notify
}

check_confinement() {
  check "it runs as its own user" status_is Uid "$(id -u kinesis-agent)"
  check "reading is its only capability" status_is CapEff 0000000000000004
  check "it can gain no privilege" status_is NoNewPrivs 1
  check "its system calls are filtered" status_is Seccomp 2
}

check_shipping() {
  check "lines of files that only root may read arrive once, from /var/log and /tmp" wait_until 30 arrived_once
  mv "$logs/app.log" "$logs/app.log.1"
  (umask 077 && write_lines "$logs/app.log" 101 200)
  check "lines after a rotation arrive once" wait_until 30 arrived_once
  check "a checkpoint file exists" test -s /var/lib/kinesis-agent/checkpoints
  check "it belongs to the agent" test "$(stat -c %U /var/lib/kinesis-agent/checkpoints)" = kinesis-agent
}

check_stop() {
  check "it stops in time" stop_within 15
  check "the stop is a success" property_is Result success
  check "its exit code is 0" property_is ExecMainStatus 0
  check "the unit is inactive" property_is ActiveState inactive
}

check_return() {
  write_lines "$logs/app.log" 201 300
  check "it starts again" systemctl start kinesis-agent
  check "what was written meanwhile arrives, and nothing twice" wait_until 30 arrived_once
  local before
  before=$(property MainPID)
  kill -KILL "$before"
  write_lines "$logs/app.log" 301 400
  check "after kill -9 nothing is missing" wait_until 40 arrived
  check "systemd restarted it" test "$(property NRestarts)" = 1
}

prepare
check_start
check_confinement
check_shipping
check_stop
check_return
systemctl stop kinesis-agent
echo "done" >>"$results"
