#!/usr/bin/env bash
# root.sh FILE: makes the root file system of a machine much like Raspberry Pi OS Lite (Trixie), as a tar, from Debian's own
# packages: Raspberry Pi OS is Debian with another kernel, firmware and boot partition. Takes root, the network and a minute.
# Much like: cloud-init seeded from the boot partition, sudo, sshd without host keys until the first boot, groups for pins.
set -euo pipefail

packages=(
  systemd-sysv dbus udev kmod systemd-timesyncd cloud-init netplan.io openssh-server sudo python3 python3-apt
  iproute2 procps ca-certificates e2fsprogs nodejs gpiod
)
partial="$1.$$"
trap 'rm -f "$partial"' EXIT
# shellcheck disable=SC2016 # the guest's shell expands, not ours
mmdebstrap --quiet --variant=minbase --format=tar --include="$(IFS=,; echo "${packages[*]}")" \
  --aptopt='Acquire::Languages "none"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/resolv.conf; : >"$1"/etc/machine-id' \
  --customize-hook='for group in gpio i2c spi; do chroot "$1" groupadd --system "$group"; done' \
  --customize-hook='mkdir -p "$1"/boot/firmware' \
  --customize-hook='printf "%s\n" "proc /proc proc defaults 0 0" "PARTUUID=70696e6c-01 /boot/firmware vfat defaults 0 2" \
    "PARTUUID=70696e6c-02 / ext4 defaults,noatime 0 1" >"$1"/etc/fstab' \
  --customize-hook='printf "%s\n" "datasource_list: [NoCloud, None]" "datasource: { NoCloud: { seedfrom: file:///boot/firmware } }" \
    >"$1"/etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg' \
  --customize-hook='for unit in cloud-init-main cloud-init-local cloud-init-network; do
    mkdir -p "$1/etc/systemd/system/$unit.service.d"
    printf "%s\n" "[Unit]" "RequiresMountsFor=/boot/firmware" >"$1/etc/systemd/system/$unit.service.d/boot-firmware.conf"
  done' \
  trixie "$partial"
mv "$partial" "$1"
