#!/usr/bin/env bash
# Tests against real parts that are not npm packages: Debian's mosquitto and its clients, network namespaces, disks that are
# full, clocks that jump, processes killed at random, a kernel with simulated pins, images, and guests that Ansible provisions.
# Installs what is missing when it may; says what is left out when it may not, and how to get it. With CI=true nothing may be
# missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Debian puts brokers and network tools where an ordinary user's PATH does not look.
export PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin"
# What each package is looked for by.
declare -A parts=(
  [mosquitto]=mosquitto [mosquitto-clients]=mosquitto_sub [iproute2]=ip [mount]=mount
  # images
  [fdisk]=sfdisk [mtools]=mcopy [dosfstools]=mkfs.vfat [e2fsprogs]=mkfs.ext4 [xz-utils]=xz [unzip]=unzip [zip]=zip
  [cloud-init]=cloud-init
  # a kernel with simulated pins
  [qemu-system-x86]=qemu-system-x86_64 [busybox-static]=busybox [gpiod]=gpiodetect [gcc]=gcc [make]=make [bc]=bc
  [kmod]=depmod [cpio]=cpio
  # guests and their provisioning
  [mmdebstrap]=mmdebstrap [systemd-container]=systemd-nspawn [ansible-core]=ansible-playbook [ansible-lint]=ansible-lint
  [yamllint]=yamllint [openssh-client]=ssh [openssh-server]=sshd [python3]=python3
)
missing() {
  local package
  for package in "${!parts[@]}"; do command -v "${parts[$package]}" >/dev/null || echo "$package"; done
  compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || echo libfaketime
}

if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq || true
  # shellcheck disable=SC2046 # one word for each package
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(missing) >/dev/null || true
fi
if [ -n "$(missing)" ]; then
  echo "skipped: what needs $(missing | paste -sd ' '). To run it too: sudo apt-get install $(missing | paste -sd ' ')"
  lacks=true
fi
if [ "$(id -u)" != 0 ]; then
  echo "skipped: full disks, network namespaces and guests, which take root. To run them too: sudo -E npm run test:system"
  lacks=true
fi
if [ "${lacks:-false}" = true ] && [ "${CI:-}" = true ]; then
  echo "CI=true: a missing part is a failure" >&2
  exit 1
fi

[ -f dist/cli/main.js ] || npm run --silent build
[ -f build/test/layers.test.js ] || npm run --silent build:test

status=0
# run JOBS OPTION... FILE...
run() {
  local jobs=$1
  shift
  npx tap --disable-coverage --jobs="$jobs" --exclude= "$@" || status=$?
}

# named NAME...: the files of these system tests.
named() { printf 'build/test/system/%s.test.js\n' "$@"; }

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
# Two processes for many minutes, under a virtual clock: they take what the tests that mostly wait leave of the processors.
nice -n 19 npx tap --disable-coverage --jobs=1 --timeout=6000 --exclude= "$(named simulator)" "$@" >"$logs/simulator" 2>&1 &
simulator=$!
# Four machines that Ansible provisions, for almost as long; then what takes a given time on any machine.
# shellcheck disable=SC2046 # one word for each file
npx tap --disable-coverage --jobs=1 --timeout=2400 --exclude= $(named fleet fuzz) "$@" >"$logs/fleet" 2>&1 &
fleet=$!

# These wait: for a minute apart, for blocks. They do not disturb the others.
waiting=(clockchain flash outputs ansible-lint partition disk-full one-key clock restarts mosquitto mosquitto-session sites
  finality enrolled hostile review-sync sealed-topic experiment-ssh)
# shellcheck disable=SC2046
run 1 --timeout=2400 $(named "${waiting[@]}") "$@"
# Unit tests that take long.
run 2 --timeout=600 build/test/*/*.slow.test.js build/test/*/*/*.slow.test.js "$@"

wait "$fleet" || status=$?
cat "$logs/fleet"
wait "$simulator" || status=$?
cat "$logs/simulator"
# The others measure programs, or need all of the machine.
mapfile -t alone < <(ls build/test/system/*.test.js | grep -vxF "$(named "${waiting[@]}" fleet fuzz simulator)")
run 1 --timeout=600 "${alone[@]}" "$@"
# Unit tests once more that say how long things may take.
timed=()
for name in broker/broker broker/main cli/child edge-agent/miner edge-agent/mining functional/up; do
  timed+=("build/test/$name.test.js")
done
PINLEDGER_ALONE=true run 1 "${timed[@]}" "$@"
exit "$status"
