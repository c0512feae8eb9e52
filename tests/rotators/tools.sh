# Puts the programs of others into $tools; read by run.sh. What cannot be had is left out with a word about it.

left_out=0
leave_out() {
  echo "left out: $1" >&2
  left_out=1
}

has() { command -v "$1" >/dev/null; }

# Debian's packages are unpacked below $tools/debian and not installed: no service is started, nothing is changed.
get_debian() {
  has apt-get && has dpkg-deb || { leave_out "Debian's programs: no apt-get"; return; }
  local packages=(logrotate nginx apache2-bin apache2-utils rsyslog cronolog runit daemontools s6 "$@") archive
  [[ $(id -u) != 0 ]] || apt-get update -qq 2>/dev/null || true
  mkdir -p "$tools/debs/partial"
  if apt-get install --download-only --yes -qq --no-install-recommends -o Debug::NoLocking=1 \
    -o Dir::Cache::archives="$tools/debs" "${packages[@]}" >"$tools/apt.log" 2>&1; then
    for archive in "$tools"/debs/*.deb; do
      [[ ! -e $archive ]] || dpkg-deb --extract "$archive" "$tools/debian"
    done
  else
    leave_out "what of ${packages[*]} is not installed: $(tail -1 "$tools/apt.log")"
  fi
}

get_npm() {
  has node && has npm || { leave_out "npm's programs: no node and npm"; return; }
  [[ ! -e $tools/npm/done ]] || return 0
  mkdir -p "$tools/npm"
  if npm install --prefix "$tools/npm" --silent --no-audit --no-fund --ignore-scripts \
    winston@3.19.0 winston-daily-rotate-file@5.0.0 rotating-file-stream@3.2.10 pino@10.4.0 pino-roll@4.0.0; then
    touch "$tools/npm/done"
  else
    leave_out "npm's programs: they could not be fetched"
  fi
}

get_python() {
  python3 -c 'import venv, ensurepip' 2>/dev/null || { leave_out "loguru: no python3 with venv"; return; }
  [[ ! -e $tools/python/done ]] || return 0
  if python3 -m venv "$tools/python" && "$tools/python/bin/pip" --quiet --disable-pip-version-check install 'loguru==0.7.3'; then
    touch "$tools/python/done"
  else
    leave_out "loguru: it could not be fetched"
  fi
}

get_java() {
  has java && has javac && has mvn || { leave_out "logback, Spring Boot, Log4j and java.util.logging: no JDK and Maven"; return; }
  local family
  for family in spring log4j; do
    [[ ! -e $tools/java/$family/done ]] || continue
    mvn --quiet --batch-mode --file "$here/java/pom.xml" -P "$family" \
      dependency:copy-dependencies "-DoutputDirectory=$tools/java/$family" || { leave_out "$family: it could not be fetched"; return; }
    touch "$tools/java/$family/done"
  done
  javac -nowarn -d "$tools/java/classes" -cp "$tools/java/spring/*:$tools/java/log4j/*" "$here"/java/*.java
}

get_go() {
  has go || { leave_out "zap with lumberjack, Docker's json-file: no go"; return; }
  [[ ! -e $tools/go/docker ]] || return 0
  mkdir -p "$tools/go"
  (cd "$here/go" && go build -o "$tools/go/" ./lumberjack ./docker) || leave_out "the programs in Go: they could not be built"
}

get_spdlog() {
  local headers
  headers=$(ls -d "$tools/debian/usr/include" /usr/include 2>/dev/null | while read -r at; do [[ ! -e $at/spdlog ]] || echo "$at"; done | head -1)
  if has g++ && [[ -n $headers ]]; then
    [[ -e $tools/spdlog ]] ||
      g++ -std=c++17 -I"$headers" "$here/cpp/spdlog.cpp" -DSPDLOG_FMT_EXTERNAL -DFMT_HEADER_ONLY -pthread -o "$tools/spdlog"
  else
    leave_out "spdlog: no g++ or no libspdlog-dev"
  fi
}
