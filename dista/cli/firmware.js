/** `pinledger firmware`: the files of a Pi's boot partition, for those who write the card by other means. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootFiles, configLines, kernelParameters, MADE, releaseOf, } from '../firmware-config/boot-files.js';
import { loadDevice } from '../firmware-config/device.js';
import { WorldError } from '../node/error.js';
/** Writes them into a directory: an empty one, or the boot partition itself where it is mounted. */
export function firmwareCommand(options, print) {
    const device = loadDevice(options.config);
    const { out } = options;
    const partition = partitionIn(out);
    const known = options.release ?? device.config.release;
    if (known === undefined && partition['cmdline.txt'] === undefined) {
        throw new WorldError('usage', `which release of Raspberry Pi OS? ${out} is no boot partition that would tell. Add --release trixie or --release bookworm`);
    }
    const release = known ?? releaseOf(device.config, partition);
    const files = bootFiles(device, release, partition);
    // Without the image's own files there is nothing to change: what to add is said instead.
    const toAdd = {
        ...(files.has('config.txt') ? {} : { 'config.txt': ['[all]', ...configLines(device.config)] }),
        ...(files.has('cmdline.txt') ? {} : { 'cmdline.txt': kernelParameters(device.config, release) }),
    };
    try {
        mkdirSync(out, { recursive: true });
        // The other release's, or of a device whose key was placed before.
        for (const name of MADE)
            if (!files.has(name))
                rmSync(join(out, name), { force: true });
        for (const [name, content] of files)
            writeFileSync(join(out, name), content, { mode: 0o600 });
    }
    catch (error) {
        throw new WorldError('config', `cannot write the files into ${out}: ${String(error)}`, error);
    }
    const names = [...files.keys()];
    if (options.json) {
        print(`${JSON.stringify({ out, release, files: names, add: toAdd, account: device.account ?? null })}\n`);
        return;
    }
    print(`${out}: ${names.join(', ')} for Raspberry Pi OS ${release}\n`);
    if (toAdd['config.txt'] !== undefined)
        print(`Add to config.txt of the boot partition:\n  ${toAdd['config.txt'].join('\n  ')}\n`);
    if (toAdd['cmdline.txt'] !== undefined)
        print(`Add to the one line of cmdline.txt: ${toAdd['cmdline.txt'].join(' ')}\n`);
    print(device.account === undefined
        ? 'The Pi makes its key itself; admit the account that it reports: pinledger admit ACCOUNT --key authority.json\n'
        : `The key of account ${device.account} is among the files: keep them to yourself, and delete them afterwards\n`);
}
function partitionIn(dir) {
    const text = (name) => {
        const path = join(dir, name);
        return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
    };
    return {
        'config.txt': text('config.txt'),
        'cmdline.txt': text('cmdline.txt'),
        hasCloudInit: existsSync(join(dir, 'user-data')) || existsSync(join(dir, 'meta-data')),
    };
}
//# sourceMappingURL=firmware.js.map