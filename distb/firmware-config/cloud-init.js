/**
 * cloud-init's NoCloud files for Raspberry Pi OS Trixie (and any Debian with cloud-init seeded from the boot partition).
 *
 * Only keys that every cloud-init knows: no `rpi:`. Every value is written in double quotes by the YAML library, since
 * cloud-init reads YAML 1.1, where `no`, `12:30` and `1e3` are no text.
 */
import { createHash } from 'node:crypto';
import { Document, isScalar, Scalar, visit } from 'yaml';
import { firstBootSteps, SCRIPT_HEAD } from './first-boot.js';
import { systemFiles } from './system-files.js';
const FIRST_BOOT = '/usr/local/lib/pinledger/first-boot.sh';
/** cloud-init makes those that an image lacks. */
const GROUPS = ['adm', 'dialout', 'sudo', 'users', 'plugdev', 'netdev', 'gpio', 'i2c', 'spi'];
/** `user-data`, `network-config` and `meta-data`. */
export function cloudInitFiles(device) {
    const userData = `#cloud-config\n# Made by pinledger from pi.yaml.\n${yaml(userDataOf(device))}`;
    const networkConfig = yaml(networkOf(device));
    // Another configuration is another instance: cloud-init then applies it, also on a card that has booted before.
    const digest = createHash('sha256').update(userData).update(networkConfig).digest('hex').slice(0, 12);
    const { hostname } = device.config;
    const metaData = yaml({
        'instance-id': `pinledger-${hostname}-${digest}`,
        'local-hostname': hostname,
        dsmode: 'local',
    });
    return new Map([
        ['user-data', userData],
        ['network-config', networkConfig],
        ['meta-data', metaData],
    ]);
}
function userDataOf(device) {
    const { hostname, user, timeZone, locale } = device.config;
    const script = `#!/bin/sh\n# What cloud-init has no key for; it runs once.\n${SCRIPT_HEAD}${firstBootSteps(device, 'trixie')}${LAST}`;
    return {
        hostname,
        preserve_hostname: false,
        manage_etc_hosts: 'localhost',
        ...(timeZone === undefined ? {} : { timezone: timeZone }),
        ...(locale === undefined ? {} : { locale }),
        users: [
            {
                name: user.name,
                groups: GROUPS,
                shell: '/bin/bash',
                lock_passwd: true,
                // Ansible works through it. Whoever holds one of the keys is root.
                sudo: 'ALL=(ALL) NOPASSWD:ALL',
                ssh_authorized_keys: device.sshKeys,
            },
        ],
        ssh_pwauth: false,
        disable_root: true,
        write_files: [
            ...systemFiles(device, 'trixie').map(({ path, mode, content }) => ({
                path,
                permissions: mode,
                content,
            })),
            { path: FIRST_BOOT, permissions: '0755', content: script },
        ],
        runcmd: [['sh', FIRST_BOOT]],
    };
}
/** The journal and the watchdog take their settings without a restart of the Pi. */
const LAST = `step 'SSH started' systemctl start ssh
step 'journal' systemctl try-restart systemd-journald
step 'time' systemctl try-restart systemd-timesyncd
step 'watchdog' systemctl daemon-reexec
exit "$failed"
`;
/** netplan's format, version 2. */
function networkOf({ config, wifiKey }) {
    const { ethernet, wifi } = config;
    return {
        network: {
            version: 2,
            ethernets: { [ethernet.interface]: { ...addressing(ethernet), optional: true } },
            ...(wifi === undefined
                ? {}
                : {
                    wifis: {
                        [wifi.interface]: {
                            ...addressing(wifi),
                            optional: true,
                            'regulatory-domain': wifi.country,
                            'access-points': new Map([
                                [
                                    quoted(wifi.ssid),
                                    // 64 hex digits are taken as the key itself, not as a passphrase.
                                    { password: wifiKey, ...(wifi.hidden ? { hidden: true } : {}) },
                                ],
                            ]),
                        },
                    },
                }),
        },
    };
}
function addressing({ address, gateway, dns }) {
    if (address === undefined)
        return { dhcp4: true };
    return {
        dhcp4: false,
        addresses: [address],
        ...(gateway === undefined ? {} : { routes: [{ to: '0.0.0.0/0', via: gateway }] }),
        ...(dns.length === 0 ? {} : { nameservers: { addresses: dns } }),
    };
}
function quoted(text) {
    const scalar = new Scalar(text);
    scalar.type = 'QUOTE_DOUBLE';
    return scalar;
}
function yaml(value) {
    const document = new Document(value, { aliasDuplicateObjects: false });
    visit(document, {
        Scalar(key, node) {
            if (key === 'key' || !isScalar(node) || typeof node.value !== 'string')
                return;
            // Scripts and files stay readable; the library falls back to quotes for what a block cannot hold.
            node.type = node.value.includes('\n') ? 'BLOCK_LITERAL' : 'QUOTE_DOUBLE';
        },
    });
    return document.toString({ lineWidth: 0 });
}
//# sourceMappingURL=cloud-init.js.map