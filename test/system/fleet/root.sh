#!/usr/bin/env bash
# root.sh FOLDER: makes FOLDER/root.tar, the root file system of a machine much like Raspberry Pi OS Lite (Trixie), from
# Debian's own packages: Raspberry Pi OS is Debian with another kernel, firmware and boot partition. And FOLDER/packages, what
# a site without internet needs besides. Takes root, the network and a minute.
# Much like: cloud-init seeded from the boot partition, sshd without host keys until the first boot, groups for pins.
set -euo pipefail

image=(
  systemd-sysv dbus udev kmod systemd-timesyncd cloud-init netplan.io openssh-server sudo python3 python3-apt
  iproute2 procps ca-certificates e2fsprogs
)
# The hooks are shells of their own, in which $1 is the root.
export extra="nodejs gpiod"
# shellcheck disable=SC2016
mmdebstrap --quiet --variant=minbase --format=tar --include="$(IFS=,; echo "${image[*]}")" \
  --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook='mkdir -p "$1/packages/partial"
    chroot "$1" apt-get install -qq -y --no-install-recommends --download-only -o Dir::Cache::archives=/packages/ $extra
    rm -rf "$1/packages/partial" "$1/packages/lock"' \
  --customize-hook="copy-out /packages $1" \
  --customize-hook='rm -rf "$1/packages"' \
  --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/resolv.conf; : >"$1"/etc/machine-id' \
  --customize-hook='for group in gpio i2c spi; do chroot "$1" groupadd --system "$group"; done' \
  --customize-hook='mkdir -p "$1"/boot/firmware' \
  --customize-hook='printf "%s\n" "proc /proc proc defaults 0 0" "PARTUUID=70696e6c-01 /boot/firmware vfat defaults 0 2" \
    "PARTUUID=70696e6c-02 / ext4 defaults,noatime 0 1" >"$1"/etc/fstab' \
  --customize-hook='printf "%s\n" "datasource_list: [NoCloud, None]" \
    "datasource: { NoCloud: { seedfrom: file:///boot/firmware } }" >"$1"/etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg' \
  --customize-hook='for unit in cloud-init-main cloud-init-local cloud-init-network; do
    mkdir -p "$1/etc/systemd/system/$unit.service.d"
    printf "%s\n" "[Unit]" "RequiresMountsFor=/boot/firmware" >"$1/etc/systemd/system/$unit.service.d/boot-firmware.conf"
  done' \
  trixie "$1/root.tar"
