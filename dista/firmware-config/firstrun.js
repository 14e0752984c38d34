import { firstBootSteps, SCRIPT_HEAD } from './first-boot.js';
import { connectionFiles } from './network-manager.js';
import { shellWord } from './shell.js';
import { systemFiles } from './system-files.js';
export const FIRSTRUN_PARAMETERS = [
    'systemd.run=/boot/firmware/firstrun.sh',
    'systemd.run_success_action=reboot',
    'systemd.unit=kernel-command-line.target',
];
const FUNCTIONS = `# put MODE PATH CONTENT
put() {
  mkdir -p "$(dirname "$2")" && printf '%s' "$3" >"$2.new" && chmod "$1" "$2.new" && sync "$2.new" && mv "$2.new" "$2"
}
set_hostname() {
  printf '%s\\n' "$1" >/etc/hostname || return 1
  sed -i '/^127\\.0\\.1\\.1[[:space:]]/d' /etc/hosts && printf '127.0.1.1\\t%s\\n' "$1" >>/etc/hosts
}
# Raspberry Pi OS has a first user of number 1000 that waits for its name.
make_user() {
  if ! getent passwd "$1" >/dev/null; then
    if [ -x /usr/lib/userconf-pi/userconf ] && getent passwd 1000 >/dev/null; then
      /usr/lib/userconf-pi/userconf "$1" '*'
    fi
    getent passwd "$1" >/dev/null || useradd --create-home --shell /bin/bash "$1" || return 1
  fi
  # No password opens it, on no console either; the key does.
  usermod --password '*' --shell /bin/bash "$1" || return 1
  for group in adm dialout sudo users plugdev netdev gpio i2c spi; do
    if getent group "$group" >/dev/null; then usermod -aG "$group" "$1" || return 1; fi
  done
}
# authorize USER KEYS
authorize() {
  home=$(getent passwd "$1" | cut -d: -f6) && [ -d "$home" ] || return 1
  group=$(id -gn "$1") || return 1
  install -d -o "$1" -g "$group" -m 0700 "$home/.ssh" || return 1
  printf '%s' "$2" >"$home/.ssh/authorized_keys" || return 1
  chown "$1:$group" "$home/.ssh/authorized_keys" && chmod 0600 "$home/.ssh/authorized_keys"
}
set_time_zone() {
  [ -f "/usr/share/zoneinfo/$1" ] || return 1
  ln -sf "/usr/share/zoneinfo/$1" /etc/localtime && printf '%s\\n' "$1" >/etc/timezone
}
set_locale() {
  if [ "$1" != C.UTF-8 ]; then
    sed -i "s/^# *\\($1 \\)/\\1/" /etc/locale.gen && locale-gen || return 1
  fi
  update-locale "LANG=$1"
}
`;
// The shell reads a script as it goes: all of it is one function, so that the end may overwrite the file.
const LAST = `sed -i -E 's/ ?systemd\\.(run|run_success_action|unit)=[^ ]*//g' "$boot/cmdline.txt" && sync
wipe "$boot/firstrun.sh"
echo "finished, failed=$failed" >>"$log"
exit 0
}
main
`;
/** `firstrun.sh`. */
export function firstrunFiles(device) {
    const { hostname, user, timeZone, locale } = device.config;
    const put = ({ path, mode, content }) => `step ${shellWord(path)} put ${mode} ${shellWord(path)} ${shellWord(content)}\n`;
    const script = [
        '#!/bin/sh\n# Made by pinledger from pi.yaml. It runs once and then removes itself.\n',
        SCRIPT_HEAD,
        FUNCTIONS,
        'main() {\n',
        `step 'host name' set_hostname ${shellWord(hostname)}\n`,
        `step 'user' make_user ${shellWord(user.name)}\n`,
        put({
            path: '/etc/sudoers.d/90-pinledger',
            mode: '0440',
            content: `${user.name} ALL=(ALL) NOPASSWD:ALL\n`,
        }),
        `step 'SSH keys' authorize ${shellWord(user.name)} ${shellWord(`${device.sshKeys.join('\n')}\n`)}\n`,
        ...(timeZone === undefined ? [] : [`step 'time zone' set_time_zone ${shellWord(timeZone)}\n`]),
        ...(locale === undefined ? [] : [`step 'locale' set_locale ${shellWord(locale)}\n`]),
        ...systemFiles(device, 'bookworm').map(put),
        ...connectionFiles(device).map(put),
        firstBootSteps(device, 'bookworm'),
        LAST,
    ].join('');
    return new Map([['firstrun.sh', script]]);
}
//# sourceMappingURL=firstrun.js.map