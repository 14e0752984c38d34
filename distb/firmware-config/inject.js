/** Puts a device's files onto the boot partition of a written image, and reads them back. */
import { WorldError } from '../node/error.js';
import { bootFiles, MADE, releaseOf } from './boot-files.js';
import { Fat } from './fat.js';
/** Throws WorldError when the partition is not that of a Raspberry Pi, or does not give back what was written. */
export async function inject(path, partition, device) {
    const fat = new Fat(path, partition);
    const text = async (name) => (await fat.read(name))?.toString('utf8');
    const before = {
        'config.txt': await text('config.txt'),
        'cmdline.txt': await text('cmdline.txt'),
        hasCloudInit: (await fat.has('user-data')) || (await fat.has('meta-data')),
    };
    if (before['config.txt'] === undefined || before['cmdline.txt'] === undefined) {
        throw new WorldError('config', `the image's first FAT partition has no config.txt and cmdline.txt: it is none of Raspberry Pi OS`);
    }
    const release = releaseOf(device.config, before);
    const files = bootFiles(device, release, before);
    for (const name of MADE)
        if (!files.has(name))
            await fat.remove(name);
    for (const [name, content] of files)
        await fat.write(name, content);
    return { release, files };
}
/** Throws WorldError `store-write` for the first file that is not what was written. */
export async function checkInjected(path, partition, files) {
    const fat = new Fat(path, partition);
    for (const [name, content] of files) {
        if ((await fat.read(name))?.equals(Buffer.from(content)) === true)
            continue;
        throw new WorldError('store-write', `${path}: ${name} on the boot partition is not what was written. Flash again; if it happens again, the card is worn out`);
    }
}
//# sourceMappingURL=inject.js.map