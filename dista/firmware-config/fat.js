/**
 * Files in the root of a FAT partition inside an image or a disk, through mtools: no mounting, so no root for an image.
 *
 * Contents go through pipes, never through temporary files: there are secrets among them.
 */
import { WorldError } from '../node/error.js';
import { runCommand } from './command.js';
/** Throws WorldError `child` that says what to install. */
export const checkMtools = () => runCommand('mdir', ['-V']);
export class Fat {
    #drive;
    #where;
    constructor(path, { offsetBytes }) {
        // mtools ends the name at @@ and has no way to write one in it.
        if (path.includes('@@'))
            throw new WorldError('usage', `${path}: the name must not have @@ in it, rename the file`);
        this.#drive = `${path}@@${offsetBytes}`;
        this.#where = `the boot partition of ${path}`;
    }
    /** Content of a file; undefined when there is none. */
    async read(name) {
        if (!(await this.has(name)))
            return undefined;
        const { code, out, err } = await runCommand('mtype', ['-i', this.#drive, `::/${name}`]);
        if (code !== 0)
            throw this.#failed(`read ${name} from`, err);
        return out;
    }
    async has(name) {
        const { code } = await runCommand('mdir', ['-b', '-i', this.#drive, `::/${name}`]);
        return code === 0;
    }
    /** Replaces what is there. */
    async write(name, content) {
        const { code, err } = await runCommand('mcopy', ['-o', '-i', this.#drive, '-', `::/${name}`], content);
        if (code !== 0)
            throw this.#failed(`write ${name} to`, err);
    }
    async remove(name) {
        if (!(await this.has(name)))
            return;
        const { code, err } = await runCommand('mdel', ['-i', this.#drive, `::/${name}`]);
        if (code !== 0)
            throw this.#failed(`delete ${name} from`, err);
    }
    #failed(what, err) {
        const full = /disk full/i.test(err);
        return new WorldError('store-write', `cannot ${what} ${this.#where}: ${err || 'mtools failed'}${full ? '. It is full: use an image as Raspberry Pi publishes it' : ''}`);
    }
}
//# sourceMappingURL=fat.js.map