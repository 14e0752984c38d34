#!/usr/bin/env bash
# Unpacks the gpiod tools of Debian 13, version 2 with another syntax than Debian 12's, beside their libraries, and prints
# their directory: `bin` in it goes before PATH. Nothing is installed; they are kept below XDG_CACHE_HOME.
#
# Needs: apt-get, dpkg-deb, and a mirror of Debian among apt's sources. No root.
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/pinledger/gpio-vm
made=$cache/tools-$(sha256sum "$0" | head -c 12)
if [ -x "$made/bin/gpiomon" ]; then
  echo "$made"
  exit
fi

# The mirror that this machine gets Debian from has its next release too.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' | sed -n 's|^\(.*\) Debian Debian$|\1|p' | head -1)
[ -n "$mirror" ] || { echo 'apt knows no mirror of Debian: run apt-get update as root' >&2; exit 1; }
mkdir -p "$cache"
work=$(mktemp -d "$cache/new.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
# An apt of its own: lists, status and sources of the machine are left alone.
mkdir -p apt/lists/partial apt/archives/partial apt/parts
: >apt/status
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >apt/sources.list
other=(-qq -o APT::Sandbox::User="$(id -un)" -o APT::Architecture=amd64 -o APT::Architectures=amd64
  -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts="$work/apt/parts"
  -o Dir::State::Lists="$work/apt/lists" -o Dir::State::Status="$work/apt/status" -o Dir::Cache="$work/apt")
apt-get "${other[@]}" update >&2
apt-get "${other[@]}" download gpiod libgpiod3 libedit2 libbsd0 libmd0 libtinfo6 libc6 >&2
for package in *.deb; do dpkg-deb -x "$package" root; done
rm -rf apt ./*.deb root/usr/share

# Its C library is newer than the machine's, so it brings its own loader too.
mkdir bin
for tool in root/usr/bin/gpio*; do
  name=$(basename "$tool")
  cat >"bin/$name" <<END
#!/bin/sh
root=\${0%/bin/*}/root
libraries=\$root/usr/lib/x86_64-linux-gnu
exec \$libraries/ld-linux-x86-64.so.2 --library-path \$libraries \$root/usr/bin/$name "\$@"
END
done
chmod 755 bin/* .
# Whole or not at all.
mv -T "$work" "$made" 2>/dev/null || true
echo "$made"
