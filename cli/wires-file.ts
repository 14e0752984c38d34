/** A file with wires: checked as an agent's configuration is, and as it stands there. */
import { z } from 'zod'
import { wiresConfig } from '../edge-agent/wires/config.ts'
import type { Wire } from '../edge-agent/wires/wire.ts'
import { loadConfig } from '../node/config-file.ts'
import { WorldError } from '../node/error.ts'

export interface WiresFile {
  readonly wires: readonly Wire[]
  /** As written, for an agent to read itself. */
  readonly written: readonly unknown[]
}

/** Throws WorldError `config` that names file, line and field. */
export function readWiresFile(path: string): WiresFile {
  if (Array.isArray(loadConfig(path, z.unknown())))
    throw new WorldError(
      'config',
      `${path}: expected a group of keys, got a list. Put a line "wires:" above the list`,
    )
  const { wires } = loadConfig(path, z.strictObject({ wires: wiresConfig }))
  const { wires: written } = loadConfig(path, z.strictObject({ wires: z.array(z.unknown()) }))
  return { wires, written }
}
