/** Programs of other packages that flashing needs, run without a shell; a missing one is told with the package that has it. */
import { spawn } from 'node:child_process';
import { WorldError } from '../node/error.js';
const PACKAGES = {
    xz: 'xz-utils',
    unzip: 'unzip',
    mcopy: 'mtools',
    mtype: 'mtools',
    mdir: 'mtools',
    mdel: 'mtools',
    dd: 'coreutils',
};
const OUTPUT_BYTES_MAX = 16_000_000;
/** Runs a program to its end; throws WorldError `child` when it is not installed or writes without end. */
export function runCommand(program, args, input) {
    return new Promise((resolve, reject) => {
        const child = spawn(program, args, { env: { ...process.env, LC_ALL: 'C', MTOOLS_SKIP_CHECK: '1' } });
        const out = [];
        let bytes = 0;
        let err = '';
        child.once('error', (error) => reject(missing(program, error)));
        child.stdout.on('data', (data) => {
            bytes += data.length;
            if (bytes <= OUTPUT_BYTES_MAX)
                out.push(data);
            else
                child.kill();
        });
        child.stderr.on('data', (data) => {
            if (err.length < 2_000)
                err += data.toString();
        });
        child.stdin.on('error', () => {
            // It ended without reading: its exit code says why.
        });
        child.stdin.end(input);
        child.once('close', (code) => resolve({ code, out: Buffer.concat(out), err: err.trim() }));
    });
}
/** What is said when a program cannot be started. */
export function missing(program, error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const remedy = absent ? `: run  sudo apt install ${PACKAGES[program] ?? program}` : `: ${String(error)}`;
    return new WorldError('child', `cannot run ${program}${remedy}`, error);
}
//# sourceMappingURL=command.js.map