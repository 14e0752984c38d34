/**
 * `pinledger clock export`: a tick for those who keep time elsewhere.
 *
 * The file is the tick's 115 bytes of header. What OpenTimestamps stamps of a file is its SHA-256, and a tick's hash is the SHA-256 of
 * just that: so a stamp on the file is one on the tick, and on all that the tick and those before it name. Nothing but a hash leaves the house.
 */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { WorldError } from '../node/error.ts'
import { withHand } from '../node/open-hand.ts'
import { sha256 } from '../node/sha256.ts'
import { HEADER_BYTES } from '../schemas/block.ts'
import { toHex } from '../schemas/hex.ts'
import { EXIT } from './exit.ts'
import { ledgersIn } from './ledgers.ts'

export interface ExportOptions {
  readonly data: string
  readonly out?: string
  readonly json: boolean
}

/** Prints to stdout. Throws WorldError `usage`. */
export function exportCommand(height: number, options: ExportOptions): number {
  const [data = options.data] = ledgersIn(options.data)
  return withHand(data, ({ chain }, hand) => {
    const { slow } = hand
    if (height > slow.tip.height)
      throw new WorldError(
        'usage',
        `tick ${height} is not there yet: the slow hand stands at ${slow.tip.height}`,
      )
    const header = hand.tick(height).subarray(0, HEADER_BYTES)
    const out = resolve(options.out ?? `tick-${height}.header`)
    try {
      writeFileSync(out, header)
    } catch (error) {
      throw new WorldError(
        'usage',
        `cannot write ${out}: ${String(error)}: name another file with --out`,
        error,
      )
    }
    const facts = {
      hand: slow.hand.genesisHash,
      height,
      hash: slow.hashAt(height),
      sha256: toHex(sha256(header)),
      file: out,
    }
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ network: chain.network.id, ...facts })}\n`
        : `tick          ${height} of slow hand ${facts.hand}
hash          ${facts.hash}
file          ${out}, ${header.length} bytes
its SHA-256   ${facts.sha256}: what a timestamp service gets
`,
    )
    return EXIT.ok
  })
}
