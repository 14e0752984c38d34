/**
 * Where the boot partition is: the first FAT partition of an image, by its MBR or GPT.
 *
 * MBR: four entries of 16 bytes at 446: status 1 | CHS 3 | type 1 | CHS 3 | first sector 4 | sectors 4, little endian; 55 AA at
 * 510. GPT (UEFI 2.10 section 5.3): behind a protective MBR entry of type EE, the header in sector 1 with the entries' first
 * sector at 72, their count at 80 and size at 84; in an entry the first and last sector at 32 and 40. Raspberry Pi OS has an MBR.
 * The FAT itself is recognised by what is in it, not by the type that the table claims.
 */
const SECTOR_BYTES = 512;
const GPT_ENTRIES_MAX = 128;
/** Whether these first 512 bytes can be those of a disk image. */
export const hasBootSignature = (first) => first.length >= SECTOR_BYTES && first[510] === 0x55 && first[511] === 0xaa;
/** The first FAT partition that lies within `bytes`; `read` gives `length` bytes from `offset`. Undefined when there is none. */
export function findBootPartition(first, read, bytes) {
    if (!hasBootSignature(first))
        return undefined;
    const view = viewOf(first);
    const entries = [446, 462, 478, 494].map((at) => ({
        type: view.getUint8(at + 4),
        offsetBytes: view.getUint32(at + 8, true) * SECTOR_BYTES,
        bytes: view.getUint32(at + 12, true) * SECTOR_BYTES,
    }));
    const partitions = entries.some(({ type }) => type === 0xee) ? gptPartitions(read) : entries;
    return partitions
        .filter((partition) => partition.bytes > 0 && partition.offsetBytes >= SECTOR_BYTES)
        .filter((partition) => partition.offsetBytes + partition.bytes <= bytes)
        .map(({ offsetBytes, bytes }) => ({ offsetBytes, bytes }))
        .find(({ offsetBytes }) => isFat(read(offsetBytes, SECTOR_BYTES)));
}
function gptPartitions(read) {
    const header = read(SECTOR_BYTES, SECTOR_BYTES);
    if (Buffer.from(header).toString('latin1', 0, 8) !== 'EFI PART')
        return [];
    const view = viewOf(header);
    const from = Number(view.getBigUint64(72, true)) * SECTOR_BYTES;
    const count = Math.min(view.getUint32(80, true), GPT_ENTRIES_MAX);
    const size = view.getUint32(84, true);
    if (size < 128 || size > 4_096)
        return [];
    const table = viewOf(read(from, count * size));
    return Array.from({ length: count }, (_, index) => {
        const first = Number(table.getBigUint64(index * size + 32, true));
        const last = Number(table.getBigUint64(index * size + 40, true));
        return { offsetBytes: first * SECTOR_BYTES, bytes: first === 0 ? 0 : (last - first + 1) * SECTOR_BYTES };
    });
}
/** Its file system's name stands at 82 for FAT32, at 54 for FAT12 and FAT16. */
const isFat = (sector) => hasBootSignature(sector) &&
    [82, 54].some((at) => Buffer.from(sector).toString('latin1', at, at + 3) === 'FAT');
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
//# sourceMappingURL=partition-table.js.map