import { shellWord } from './shell.js';
import { mountUnit } from './system-files.js';
/** On the boot partition, until the first boot has moved it to its place. */
export const KEY_FILE = 'pinledger-key.json';
const LOG = '/var/log/pinledger-first-boot.log';
/** Beginning of a script: where the boot partition is, and how steps are run. */
export const SCRIPT_HEAD = `set -u
umask 022
boot=/boot/firmware
[ -f "$boot/cmdline.txt" ] || boot=/boot
log=${LOG}
failed=0
# step NAME COMMAND [ARGUMENT...]
step() {
  name=$1
  shift
  if "$@" >>"$log" 2>&1 </dev/null; then
    echo "$name: done" >>"$log"
  else
    echo "$name: FAILED" >>"$log"
    failed=1
  fi
}
# Overwrites a file of the boot partition, then deletes it. What flash memory keeps of it, nobody outside can say.
wipe() {
  [ -f "$1" ] || return 0
  bytes=$(wc -c <"$1") && head -c "$bytes" /dev/zero | dd of="$1" conv=notrunc,fsync 2>/dev/null
  rm -f "$1" && sync
}
`;
const PLACE_KEY = `place_key() {
  from=$boot/${KEY_FILE}
  to=/var/lib/pinledger/agent/key.json
  [ -f "$from" ] || return 0
  getent group pinledger >/dev/null || groupadd --system pinledger || return 1
  getent passwd pinledger >/dev/null ||
    useradd --system --gid pinledger --home-dir /var/lib/pinledger --no-create-home --shell /usr/sbin/nologin pinledger ||
    return 1
  if getent group gpio >/dev/null; then usermod -aG gpio pinledger || return 1; fi
  install -d -o pinledger -g pinledger -m 0750 /var/lib/pinledger || return 1
  install -d -o pinledger -g pinledger -m 0700 /var/lib/pinledger/agent || return 1
  if [ ! -e "$to" ]; then
    install -o pinledger -g pinledger -m 0600 "$from" "$to.new" && sync "$to.new" || return 1
    mv "$to.new" "$to" && sync || return 1
  fi
  # Without its own word it is a copy that was being wiped when the power went.
  if cmp -s "$from" "$to" || ! grep -q pinledgerKey "$from"; then
    wipe "$from"
  else
    echo "$to is another key and is never replaced: $from stays where it is"
    return 1
  fi
}
`;
const ADD_NOATIME = `add_noatime() {
  [ -s /etc/fstab ] || return 0
  awk '/^[^#]/ && $3 == "ext4" && $4 !~ /(^|,)noatime(,|$)/ { $4 = $4 ",noatime" } { print }' /etc/fstab >/etc/fstab.new &&
    [ -s /etc/fstab.new ] || return 1
  if cmp -s /etc/fstab /etc/fstab.new; then
    rm -f /etc/fstab.new
  else
    chmod 0644 /etc/fstab.new && sync /etc/fstab.new && mv /etc/fstab.new /etc/fstab
  fi
}
`;
const SWAP_OFF_BOOKWORM = `swap_off() {
  if [ -f /etc/dphys-swapfile ]; then systemctl disable dphys-swapfile && swapoff -a && rm -f /var/swap; fi
}
`;
const UNBLOCK_WIFI = `unblock_wifi() {
  if command -v rfkill >/dev/null; then rfkill unblock wifi || true; fi
  for radio in /var/lib/systemd/rfkill/*:wlan; do
    if [ -f "$radio" ]; then echo 0 >"$radio"; fi
  done
  state=/var/lib/NetworkManager/NetworkManager.state
  if [ -f "$state" ]; then sed -i 's/^WirelessEnabled=false/WirelessEnabled=true/' "$state"; fi
}
`;
/** Functions and the steps that call them. */
export function firstBootSteps({ config, accountKey }, release) {
    const { disk, swap, wifi } = config;
    const parts = [accountKey === undefined ? '' : `${PLACE_KEY}step 'account key' place_key\n`];
    if (wifi !== undefined)
        parts.push(`${UNBLOCK_WIFI}step 'Wi-Fi radio' unblock_wifi\n`);
    if (disk.noatime)
        parts.push(`${ADD_NOATIME}step 'noatime' add_noatime\n`);
    if (swap === 'off' && release === 'bookworm')
        parts.push(`${SWAP_OFF_BOOKWORM}step 'swap' swap_off\n`);
    parts.push("step 'units' systemctl daemon-reload\n");
    const inMemory = [
        ...(disk.tmpMegabytesMax === undefined ? [] : ['/tmp']),
        ...(disk.varLogMegabytesMax === undefined ? [] : ['/var/log']),
    ];
    for (const path of inMemory)
        parts.push(`step ${shellWord(`${path} in memory`)} systemctl enable ${mountUnit(path)}\n`);
    parts.push("step 'SSH' systemctl enable ssh\n");
    return parts.join('');
}
//# sourceMappingURL=first-boot.js.map