/**
 * `pi.yaml`: what one Pi is to be after its first boot. Every field that names a unit carries it; docs/FLASHING.md has
 * the table.
 *
 * Invariant: text that passes here has no control characters, so that nothing of it can start a line of its own in a
 * file on the boot partition. Quoting for YAML and shell is done where those are written, whatever passes here.
 */
import { isIP, isIPv4 } from 'node:net';
import { z } from 'zod';
export const RELEASES = ['trixie', 'bookworm'];
/** The agent's own user and root are no logins. */
const RESERVED_USERS = ['root', 'pinledger', 'daemon', 'nobody', 'www-data', 'sshd', 'systemd-network'];
const SSH_KEY = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) ([A-Za-z0-9+/]+={0,2})(?: [^\p{Cc}]*)?$/u;
/** The firmware reads no more of a line of config.txt. */
const CONFIG_LINE_CHARACTERS_MAX = 98;
/** A mask that is wrong by one digit would otherwise cut the Pi off. */
const PREFIX_BITS = { min: 8, max: 30 };
/** An OpenSSH public key, alone on its line: no options before it, its own kind repeated inside (RFC 4253 section 6.6). */
export function isSshPublicKey(text) {
    const [, kind = '', body = ''] = SSH_KEY.exec(text) ?? [];
    if (kind === '' || text.length > 4_096)
        return false;
    const bytes = Buffer.from(body, 'base64');
    return (bytes.length >= 4 &&
        bytes.readUInt32BE(0) === kind.length &&
        bytes.toString('latin1', 4, 4 + kind.length) === kind);
}
function isCidr(text) {
    const [address = '', prefix = '', ...rest] = text.split('/');
    const bits = Number(prefix);
    return (rest.length === 0 &&
        isIPv4(address) &&
        /^\d{1,2}$/.test(prefix) &&
        bits >= PREFIX_BITS.min &&
        bits <= PREFIX_BITS.max);
}
function isTimeZone(text) {
    if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(text))
        return false;
    try {
        new Intl.DateTimeFormat('en', { timeZone: text });
        return true;
    }
    catch {
        // It has the form of one, but there is none of that name.
        return false;
    }
}
const path = z
    .string()
    .min(1)
    .max(1_024)
    .refine((text) => !/\p{Cc}/u.test(text), 'expected the name of a file');
const ip = z.string().refine((text) => isIP(text) !== 0, 'expected an IP address, such as 192.168.1.1');
const host = z
    .string()
    .max(253)
    .refine((text) => isIP(text) !== 0 ||
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/.test(text), 'expected a host name or an IP address, such as 0.pool.ntp.org');
const interfaceName = z
    .string()
    .regex(/^[a-z][a-z0-9]{0,14}$/, 'expected the name of an interface, such as eth0');
const pin = z.int().min(0).max(53);
const addressing = {
    address: z
        .string()
        .refine(isCidr, 'expected an IPv4 address with its prefix, such as 192.168.1.20/24')
        .optional()
        .describe('fixed address; DHCP when left out'),
    gateway: z
        .string()
        .refine((text) => isIPv4(text), 'expected an IPv4 address, such as 192.168.1.1')
        .optional(),
    dns: z.array(ip).max(3).default([]),
};
const FIXED = 'expected together with an address: with DHCP the network says these';
const fixedOnly = ({ address, gateway, dns }) => address !== undefined || (gateway === undefined && dns.length === 0);
/** One line of config.txt that another filter line cannot swallow. */
const configLine = z
    .string()
    .max(CONFIG_LINE_CHARACTERS_MAX)
    .regex(/^[!-~]([ -~]*[!-~])?$/, 'expected one line of plain ASCII')
    .refine((text) => !/pinledger/.test(text), 'expected a line that does not look like our own marks');
export const piConfig = z.strictObject({
    hostname: z
        .string()
        .regex(/^(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'expected a host name of a-z, 0-9 and -, such as pi-greenhouse')
        .refine((text) => text !== 'localhost', 'expected another name than localhost'),
    release: z.enum(RELEASES).optional().describe('of Raspberry Pi OS; told from the image when left out'),
    user: z
        .strictObject({
        name: z
            .string()
            .regex(/^[a-z][a-z0-9_-]{0,30}$/, 'expected a user name of a-z, 0-9, _ and -, such as fleet')
            .refine((name) => !RESERVED_USERS.includes(name), 'expected a name that the system does not use'),
        sshKeys: z
            .array(z
            .string()
            .refine(isSshPublicKey, 'expected a public key, such as "ssh-ed25519 AAAA... you@laptop"'))
            .max(32)
            .default([]),
        sshKeyFiles: z.array(path).max(32).default([]).describe('files that end in .pub'),
    })
        .refine(({ sshKeys, sshKeyFiles }) => sshKeys.length + sshKeyFiles.length > 0, 'expected at least one of sshKeys or sshKeyFiles: there is no password, so nobody could log in'),
    ethernet: z
        .strictObject({ interface: interfaceName.default('eth0'), ...addressing })
        .refine(fixedOnly, FIXED)
        .prefault({}),
    wifi: z
        .strictObject({
        interface: interfaceName.default('wlan0'),
        country: z.string().regex(/^[A-Z]{2}$/, 'expected two capital letters, such as DE'),
        ssid: z
            .string()
            .refine((text) => text !== '' && Buffer.byteLength(text) <= 32 && !/[\p{Cc}\p{Cs}]/u.test(text), 'expected 1 to 32 bytes'),
        passphraseFile: path.describe('file of mode 0600, outside of any repository'),
        hidden: z.boolean().default(false),
        ...addressing,
    })
        .refine(fixedOnly, FIXED)
        .optional(),
    timeZone: z
        .string()
        .refine(isTimeZone, 'expected a time zone, such as Europe/Berlin or Etc/UTC')
        .optional()
        .describe("the image's own when left out"),
    locale: z
        .string()
        .regex(/^([a-z]{2,3}_[A-Z]{2}|C)\.UTF-8$/, 'expected a locale, such as en_GB.UTF-8')
        .optional(),
    ntpServers: z.array(host).max(8).default([]).describe("the image's own when left out"),
    oneWirePin: pin.optional().describe('BCM number, usually 4'),
    i2c: z.boolean().default(false),
    overlays: z
        .array(z
        .string()
        .max(80)
        .regex(/^[a-z0-9][\w-]*(,[\w.+-]+(=[\w.+-]+)?)*$/, 'expected an overlay, such as dht11,gpiopin=17'))
        .max(32)
        .default([]),
    configLines: z.array(configLine).max(64).default([]).describe('of config.txt, as they are'),
    watchdogSeconds: z
        .int()
        .min(0)
        .max(120)
        .refine((seconds) => seconds === 0 || seconds >= 5, 'expected 0 (off) or 5 to 120')
        .default(15)
        .describe('the Pi restarts when systemd hangs for so long; 0: off'),
    logs: z
        .strictObject({
        storage: z.enum(['persistent', 'volatile']).default('persistent'),
        megabytesMax: z.int().min(8).max(4_096).default(64),
    })
        .prefault({}),
    disk: z
        .strictObject({
        noatime: z.boolean().default(true),
        tmpMegabytesMax: z.int().min(16).max(4_096).optional().describe('/tmp in memory'),
        varLogMegabytesMax: z.int().min(16).max(1_024).optional().describe('/var/log in memory'),
    })
        .prefault({}),
    swap: z.enum(['keep', 'off', 'zram']).default('keep'),
    key: z
        .union([z.literal('generate'), z.strictObject({ place: path })], {
        error: "expected 'generate' or { place: FILE }",
    })
        .default('generate'),
});
//# sourceMappingURL=pi.js.map