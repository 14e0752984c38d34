#!/usr/bin/env bash
# image.sh ROOT.tar FILE: makes a disk image as Raspberry Pi OS has it: a FAT32 boot partition with the files of Trixie's, and
# an ext4 root. Takes root for the owners of the files.
#
#     sector 8192     64 MiB   bootfs   config.txt, cmdline.txt, meta-data, user-data, network-config
#     sector 139264   rest     rootfs
set -euo pipefail
root_tar=$1
image=$2
bytes=$((800 << 20))
boot=8192
root=139264
sector=512
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

truncate -s "$bytes" "$image"
# The label's number is what PARTUUID is made of.
sfdisk --quiet "$image" <<TABLE
label: dos
label-id: 0x70696e6c
start=$boot, size=$((root - boot)), type=c
start=$root, type=83
TABLE

mkdir "$work/boot" "$work/root"
cat >"$work/boot/config.txt" <<'CONFIG'
dtparam=audio=on
camera_auto_detect=1
display_auto_detect=1
auto_initramfs=1
arm_64bit=1

[cm5]
dtoverlay=dwc2,dr_mode=host

[all]
CONFIG
echo 'console=serial0,115200 console=tty1 root=PARTUUID=70696e6c-02 rootfstype=ext4 fsck.repair=yes rootwait' \
  >"$work/boot/cmdline.txt"
echo 'instance-id: rpios-image' >"$work/boot/meta-data"
echo '#cloud-config' >"$work/boot/user-data"
echo '# Netplan, version 2' >"$work/boot/network-config"
# One sector a cluster, or there are too few of them for FAT32. Its view of the file's size is not ours.
mkfs.vfat -F 32 -s 1 -n BOOTFS --offset $boot "$image" $(((root - boot) * sector / 1024)) >/dev/null 2>&1
mcopy -i "$image@@$((boot * sector))" "$work"/boot/* ::/

tar -xf "$root_tar" -C "$work/root"
mkfs.ext4 -q -F -L rootfs -m 0 -d "$work/root" -E "offset=$((root * sector)),nodiscard" "$image" \
  $(((bytes - root * sector) / 1024))k 2>/dev/null
