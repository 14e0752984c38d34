/**
 * A Pi's configuration with all that its files name: SSH keys, the Wi-Fi key, the account key.
 *
 * Paths in `pi.yaml` are relative to it. Secrets are in the fields `wifiKey` and `accountKey` and are never part of an error.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { loadConfig } from '../node/config-file.js';
import { WorldError } from '../node/error.js';
import { loadKey } from '../node/key-file.js';
import { isSshPublicKey, piConfig } from './pi.js';
import { wifiKey } from './wifi.js';
const FILE_BYTES_MAX = 65_536;
const SSH_KEYS_MAX = 64;
/** Reads `pi.yaml` and what it names; throws WorldError `config` or `key-file` that says which file and what to do. */
export function loadDevice(path) {
    const config = loadConfig(path, piConfig);
    const beside = (name) => resolve(dirname(path), name);
    const sshKeys = [
        ...config.user.sshKeys,
        ...config.user.sshKeyFiles.flatMap((name) => readSshKeys(beside(name))),
    ];
    if (sshKeys.length > SSH_KEYS_MAX)
        throw new WorldError('config', `${path}: ${sshKeys.length} SSH keys, at most ${SSH_KEYS_MAX}`);
    const { wifi, key } = config;
    const accountFile = key === 'generate' ? undefined : beside(key.place);
    return {
        config,
        sshKeys: [...new Set(sshKeys)],
        wifiKey: wifi === undefined ? undefined : readWifiKey(beside(wifi.passphraseFile), wifi.ssid),
        // loadKey has checked the file, so that a Pi does not get one that it would refuse.
        account: accountFile === undefined ? undefined : loadKey(accountFile).account,
        accountKey: accountFile === undefined ? undefined : readFileSync(accountFile, 'utf8'),
    };
}
function readSshKeys(path) {
    const lines = read(path, 'file of SSH public keys')
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter((line) => line !== '' && !line.startsWith('#'));
    if (lines.length === 0)
        throw new WorldError('config', `${path} has no SSH public key in it`);
    const wrong = lines.findIndex((line) => !isSshPublicKey(line));
    // It might be the secret half: not a byte of it is shown.
    if (wrong >= 0) {
        throw new WorldError('config', `${path}: line ${wrong + 1} of its keys is no SSH public key. Name the file that ends in .pub`);
    }
    return lines;
}
function readWifiKey(path, ssid) {
    const text = read(path, 'Wi-Fi passphrase file');
    if ((statSync(path).mode & 0o077) !== 0) {
        throw new WorldError('config', `Wi-Fi passphrase file ${path} is open to other users of this machine: run  chmod 600 on it`);
    }
    const key = wifiKey(text.replace(/\r?\n$/, ''), ssid);
    if (key === undefined) {
        throw new WorldError('config', `Wi-Fi passphrase file ${path}: expected one line of 8 to 63 printable ASCII characters, or 64 hex digits`);
    }
    return key;
}
function read(path, what) {
    try {
        const stat = statSync(path);
        if (!stat.isFile() || stat.size > FILE_BYTES_MAX)
            throw new WorldError('config', `${what} ${path} is no regular file of at most ${FILE_BYTES_MAX} bytes`);
        return readFileSync(path, 'utf8');
    }
    catch (error) {
        if (error instanceof WorldError)
            throw error;
        throw new WorldError('config', `cannot read ${what} ${path}: ${String(error)}`, error);
    }
}
//# sourceMappingURL=device.js.map