#!/usr/bin/env bash
# Tests against real parts that are not npm packages: Debian's mosquitto and its clients, processes killed at random.
# Installs what is missing when it may; says what is left out when it may not. With CI=true nothing may be missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Debian puts the broker where an ordinary user's PATH does not look.
export PATH="$PATH:/usr/sbin:/usr/local/sbin"
missing() {
  local part
  for part in mosquitto mosquitto_sub; do command -v "$part" >/dev/null || echo "$part"; done
}

if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto mosquitto-clients \
    >/dev/null || true
fi
if [ -n "$(missing)" ]; then
  echo "skipped: what needs $(missing | paste -sd ' '). To run it too: sudo apt-get install mosquitto mosquitto-clients"
  if [ "${CI:-}" = true ]; then
    echo "CI=true: a missing part is a failure" >&2
    exit 1
  fi
fi

[ -f dist/cli/main.js ] || npm run --silent build
# One file at a time: they measure programs that need the machine. --exclude= undoes what .taprc leaves out of `npm test`.
exec npx tap --disable-coverage --jobs=1 --timeout=240 --exclude= test/system/*.test.ts "$@"
