#!/usr/bin/env bash
# Tests against real parts that are not npm packages: Debian's mosquitto and its clients, network namespaces, disks that are
# full, clocks that jump, processes killed at random. Installs what is missing when it may; says what is left out when it may
# not, and how to get it. With CI=true nothing may be missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Debian puts brokers and network tools where an ordinary user's PATH does not look.
export PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin"
packages=(mosquitto mosquitto-clients iproute2 mount libfaketime)
missing() {
  local part
  for part in mosquitto mosquitto_sub ip mount; do command -v "$part" >/dev/null || echo "$part"; done
  compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || echo libfaketime
}

if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null || true
fi
if [ -n "$(missing)" ]; then
  echo "skipped: what needs $(missing | paste -sd ' '). To run it too: sudo apt-get install ${packages[*]}"
  lacks=true
fi
if [ "$(id -u)" != 0 ]; then
  echo "skipped: full disks and network namespaces, which take root. To run them too: sudo -E npm run test:system"
  lacks=true
fi
if [ "${lacks:-false}" = true ] && [ "${CI:-}" = true ]; then
  echo "CI=true: a missing part is a failure" >&2
  exit 1
fi

[ -f dist/cli/main.js ] || npm run --silent build

# These mostly wait: for a minute apart, for blocks, for a disk to fill. Two at once do not disturb each other.
together=()
for name in partition disk-full one-key clock restarts mosquitto mosquitto-session finality enrolled hostile review-sync; do
  together+=("test/system/$name.test.ts")
done
# The others measure programs, or need all of the machine.
alone=()
for file in test/system/*.test.ts; do
  [[ " ${together[*]} test/system/simulator.test.ts " == *" $file "* ]] || alone+=("$file")
done
status=0
npx tap --disable-coverage --jobs=2 --timeout=400 --exclude= "${together[@]}" "$@" || status=$?
# Unit tests that take long.
npx tap --disable-coverage --jobs=3 --timeout=400 --exclude= test/*/*.slow.test.ts "$@" || status=$?
npx tap --disable-coverage --jobs=1 --timeout=400 --exclude= "${alone[@]}" "$@" || status=$?
# Two processes of its own, for many minutes.
npx tap --disable-coverage --jobs=1 --timeout=1500 --exclude= test/system/simulator.test.ts "$@" || status=$?
exit "$status"
