import { openFileLine } from './file-line.js';
/** Opens a line, driven to `initial`; rejects with a `WorldError`. */
export async function openLine(line, initial, openAccess) {
    const options = { activeLow: line.activeLow, initial };
    if ('file' in line)
        return { kind: 'file', output: await openFileLine(line.file, options) };
    const access = await openAccess(line.access);
    return { kind: access.kind, output: await access.openOutput(line.pin, options) };
}
/** Where a line is, in words. */
export const placeOf = (line) => ('file' in line ? line.file : `GPIO ${line.pin}`);
//# sourceMappingURL=guarded-line.js.map