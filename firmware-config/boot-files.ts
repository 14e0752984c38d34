/** Shape of every file that goes onto a boot partition. */

/** Content by name, relative to the root of the FAT partition. */
export type BootFiles = ReadonlyMap<string, string>
