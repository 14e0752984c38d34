/**
 * The pairwise master key of WPA2-Personal, so that the passphrase itself need not lie on the card: PBKDF2 with
 * HMAC-SHA1, the SSID as salt, 4096 rounds, 256 bits (IEEE 802.11-2020 annex J.4). It opens this one network only,
 * but it does open it.
 */
import { pbkdf2Sync } from 'node:crypto';
const ROUNDS = 4_096;
const KEY_BYTES = 32;
/** 64 hex digits; undefined unless `passphrase` is 8 to 63 printable ASCII characters, or such a key already. */
export function wifiKey(passphrase, ssid) {
    if (/^[0-9a-fA-F]{64}$/.test(passphrase))
        return passphrase.toLowerCase();
    if (!/^[ -~]{8,63}$/.test(passphrase))
        return undefined;
    return pbkdf2Sync(passphrase, Buffer.from(ssid), ROUNDS, KEY_BYTES, 'sha1').toString('hex');
}
//# sourceMappingURL=wifi.js.map