/**
 * `pinledger flash`: from a published image and a pi.yaml to a card that is ready for its Pi.
 *
 * Everything that can be known beforehand is checked before the first byte is written: the configuration and what it names, the
 * SHA-256, the programs that are needed, the target and its room.
 */
import { readSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { loadDevice } from '../firmware-config/device.js';
import { listDisks } from '../firmware-config/disks.js';
import { expectedHash, hashFile, openImage } from '../firmware-config/image-source.js';
import { checkInjected, inject } from '../firmware-config/inject.js';
import { findBootPartition } from '../firmware-config/partition-table.js';
import { findTarget, whatIsErased } from '../firmware-config/target.js';
import { closeTarget, finishImage, openTarget, sync, tooSmall, verifyImage, writeImage, } from '../firmware-config/write-image.js';
import { WorldError } from '../node/error.js';
import { EXIT } from './exit.js';
import { FlashProgress } from './flash-progress.js';
/** Exit code: 1 when the person did not agree. Throws WorldError. */
export async function flashCommand(options, terminal) {
    const { image, sha256, to, config, json } = options;
    if (options.list) {
        listCommand(json, terminal.print);
        return EXIT.ok;
    }
    if (image === undefined || sha256 === undefined || to === undefined || config === undefined)
        throw new WorldError('usage', 'flash needs --image, --sha256, --to and --config (or --list alone)');
    const device = loadDevice(config);
    const source = await openImage(image);
    const expected = expectedHash(sha256, image);
    const target = findTarget(to, source.path);
    const capacityBytes = target.kind === 'disk' ? target.disk.bytes : undefined;
    const roomBytes = target.kind === 'disk' ? target.disk.bytes : target.roomBytes;
    if (source.bytes !== undefined && source.bytes > roomBytes)
        throw tooSmall(target.path, roomBytes);
    await terminal.checkTools();
    if (!(await agreed(target, options, terminal)))
        return EXIT.no;
    const progress = new FlashProgress(terminal, json);
    await checkHash(source, expected, progress, terminal.signal);
    const fd = openTarget(target.path, target.kind === 'disk');
    try {
        const { signal } = terminal;
        progress.begin('writing', source.bytes);
        const written = await writeImage(fd, target.path, source.open(), {
            capacityBytes,
            onBytes: (bytes) => progress.count(bytes),
            signal,
        });
        progress.begin('verifying', written.bytes);
        await verifyImage(fd, target.path, written, { onBytes: (bytes) => progress.count(bytes), signal });
        progress.end();
        const injected = await putFiles(fd, target, written, device);
        await finishImage(fd, target.path, written);
        tell(target, written, injected, device, options, terminal.print);
    }
    finally {
        progress.end();
        closeTarget(fd);
    }
    return EXIT.ok;
}
async function checkHash({ path, fileBytes }, expected, progress, signal) {
    progress.begin('checking', fileBytes);
    const hash = await hashFile(path, (bytes) => progress.count(bytes), signal).catch((error) => {
        throw new WorldError('child', `cannot check ${path}: ${String(error)}. Nothing was written`, error);
    });
    progress.end();
    if (hash === expected)
        return;
    throw new WorldError('usage', `${path} has SHA-256 ${hash}, expected ${expected}: it is another image, or damaged. Fetch it again. Nothing was written`);
}
async function putFiles(fd, target, written, device) {
    const read = (offset, length) => {
        const bytes = Buffer.alloc(length);
        readSync(fd, bytes, 0, length, offset);
        return bytes;
    };
    const partition = findBootPartition(written.first, read, written.bytes);
    if (partition === undefined)
        throw new WorldError('config', 'the image has no FAT boot partition: it is none of Raspberry Pi OS');
    const injected = await inject(target.path, partition, device);
    sync(fd, target.path);
    await checkInjected(target.path, partition, injected.files);
    return injected;
}
/** Whether what is there may go: `--yes-erase`, or its name typed on a terminal. Throws WorldError `usage` when neither can be. */
async function agreed(target, { yesErase }, { input, output, signal }) {
    const erased = whatIsErased(target);
    if (erased === undefined || yesErase)
        return true;
    if (erased.needsFlag || !input.isTTY) {
        throw new WorldError('usage', `this erases ${erased.what}. Add --yes-erase if that is what you want; nothing was written`);
    }
    const name = basename(target.path);
    const lines = createInterface({ input, output });
    const ended = new AbortController();
    lines.once('SIGINT', () => ended.abort()).once('close', () => ended.abort());
    try {
        const answer = await lines.question(`This erases ${erased.what}.\nType ${name} to go on: `, {
            signal: AbortSignal.any([signal, ended.signal]),
        });
        if (answer.trim() === name)
            return true;
    }
    catch {
        // Ctrl-C or the end of the input is a no.
    }
    finally {
        lines.close();
    }
    output.write('nothing was written\n');
    return false;
}
function tell({ path }, { bytes }, { release, files }, { config, account }, { json }, print) {
    const names = [...files.keys()];
    if (json) {
        print(`${JSON.stringify({ event: 'done', to: path, bytes, release, hostname: config.hostname, files: names, account: account ?? null })}\n`);
        return;
    }
    print(`${path}: ${(bytes / 1e9).toFixed(2)} GB written and read back, Raspberry Pi OS ${release}
  boot partition: ${names.join(', ')}
  log in with     ssh ${config.user.name}@${(config.ethernet.address ?? config.wifi?.address)?.split('/')[0] ?? `${config.hostname}.local`}
  ${account === undefined ? 'the Pi makes its key itself at its first start: admit the account that it reports (docs/FLASHING.md)' : `it has the key of account ${account}`}
`);
}
function listCommand(json, print, roots) {
    const disks = listDisks(roots);
    if (json) {
        print(`${JSON.stringify({ disks })}\n`);
        return;
    }
    if (disks.length === 0)
        print('no disks\n');
    for (const { name, bytes, model, refusals, doubts } of disks) {
        const may = refusals.length > 0
            ? `no: ${refusals.join('; ')}`
            : doubts.length > 0
                ? `only with --yes-erase: ${doubts.join(', ')}`
                : 'yes';
        print(`/dev/${name.padEnd(10)} ${(bytes / 1e9).toFixed(1).padStart(8)} GB  ${model.padEnd(24)}  ${may}\n`);
    }
}
//# sourceMappingURL=flash.js.map