#!/usr/bin/env bash
# Makes what the virtual machine with simulated GPIO lines starts from, and prints the directory that holds it: `vmlinuz`,
# Debian's kernel as it is, and `initramfs`, the modules that it takes to get at the host's files and network, with gpio-sim.
# Debian's kernel has GPIO but no gpio-sim: that is built from the kernel's own sources. Nothing is installed; what was made
# once is kept below XDG_CACHE_HOME for as long as Debian has no newer kernel.
#
# Needs: apt-get, dpkg-deb, gcc, make, bc, kmod, cpio, xz, busybox-static. No root, unless the package lists are stale.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/pinledger/gpio-vm
export PATH="$PATH:/usr/sbin:/sbin"

# What Debian's newest kernel is called, such as 6.1.0-56-amd64.
newest() { apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: linux-image-\([0-9].*\)$/\1/p' | head -1; }
# Lists are missing on a new machine, and name what the mirror no longer has on an old one.
update() { [ "$(id -u)" = 0 ] && apt-get update -qq >&2; }

release=$(newest)
if [ -z "$release" ]; then
  update || true
  release=$(newest)
fi
[ -n "$release" ] || { echo 'apt knows no linux-image-amd64: run apt-get update as root, on Debian' >&2; exit 1; }
made() { echo "$cache/$release-$(cat "$here/build.sh" "$here/init" | sha256sum | head -c 12)"; }
if [ -f "$(made)/initramfs" ]; then
  made
  exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# linux-image-6.1.0-56-amd64 goes with linux-source-6.1.
download() {
  local version=${release%%-*}
  apt-get -qq -o APT::Sandbox::User="$(id -un)" download "linux-image-$release" "linux-headers-$release" \
    "linux-headers-${release%-amd64}-common" "linux-kbuild-${version%.*}" "linux-source-${version%.*}" >&2
}
if ! download; then
  update
  release=$(newest)
  download
fi
for package in linux-image-*.deb linux-headers-*.deb linux-kbuild-*.deb; do dpkg-deb -x "$package" root; done
# Three files out of a gigabyte; what writes the rest into the pipe may not like that we go.
source=$(basename linux-source-*.deb); source=${source%%_*}
{ dpkg-deb --fsys-tarfile linux-source-*.deb 2>/dev/null || true; } |
  { tar -xO "./usr/src/$source.tar.xz" 2>/dev/null || true; } |
  tar -xJ --occurrence=1 --strip-components=1 \
    "$source/drivers/gpio/gpio-sim.c" "$source/drivers/gpio/gpiolib.h" "$source/kernel/irq/irq_sim.c"

# The simulated interrupts are no module in Debian's kernel either, so they become part of this one; one function that they
# call is not exported to modules, and one that is does the same.
mkdir module
mv drivers/gpio/gpiolib.h kernel/irq/irq_sim.c module/
mv drivers/gpio/gpio-sim.c module/lines.c
sed -i 's/handle_simple_irq(irq_to_desc(irqnum))/generic_handle_irq_safe(irqnum)/' module/irq_sim.c
printf 'obj-m := gpio-sim.o\ngpio-sim-y := lines.o irq_sim.o\n' >module/Makefile
# The headers' makefiles think that they are installed.
sed -i "s|/usr/src/|$work/root/usr/src/|" "root/usr/src/linux-headers-$release"/{Makefile,.kernelvariables}
make -s -C "root/usr/src/linux-headers-$release" M="$work/module" modules >&2

modules=root/lib/modules/$release
cp module/gpio-sim.ko "$modules/kernel/drivers/gpio/"
depmod -b root "$release"
# In the order in which they go in; there is no modprobe in there.
mkdir -p initramfs/{bin,modules,host}
number=100
for name in virtio_pci virtio_net 9pnet_virtio 9p configfs gpio-sim; do
  while read -r _ path _; do
    [ -f "$path" ] && [ -z "$(find initramfs/modules -name "*-$(basename "$path")")" ] || continue
    cp "$path" "initramfs/modules/$number-$(basename "$path")"
    number=$((number + 1))
  done < <(modprobe --dirname root --set-version "$release" --show-depends --ignore-install "$name")
done
cp "$(dpkg -L busybox-static | grep -m1 '/bin/busybox$')" initramfs/bin/
cp "$here/init" initramfs/init
chmod 755 initramfs/init

# Whole or not at all: it is made beside its place.
mkdir -p "$cache"
beside=$(mktemp -d "$cache/new.XXXXXX")
(cd initramfs && find . -print0 | cpio --null -o -H newc --quiet) | gzip -1 >"$beside/initramfs"
cp "root/boot/vmlinuz-$release" "$beside/vmlinuz"
mv -T "$beside" "$(made)" 2>/dev/null || rm -rf "$beside"
made
