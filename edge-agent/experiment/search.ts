/**
 * Who searches nonces for one hand of an experiment: worker threads of this machine here, those of another over SSH in the cli.
 *
 * A search has one job at a time. After a find it rests until the next job. A find may be one of a job that was just replaced.
 */
import type { Log } from '../../node/log.ts'
import { HEADER_BYTES, header as headerCodec } from '../../schemas/block.ts'
import { decode } from '../../schemas/codec.ts'
import { invariant } from '../../schemas/result.ts'
import { MINER_DEFAULTS, Miner } from '../miner.ts'

export interface Find {
  /** Encoded, with its nonce. */
  readonly header: Uint8Array
  /** Tried since the find before. */
  readonly hashes: number
  /** Milliseconds with a job since the find before. */
  readonly ms: number
}

export interface Search {
  /** Replaces the job: an encoded header, which says its target. */
  mine(header: Uint8Array): void
  /** Ends it, and says how many hashes it tried since its last find. May be called twice. */
  stop(): Promise<number>
}

export interface SearchEvents {
  readonly onFound: (find: Find) => void
  /** It is over and finds nothing more. */
  readonly onFailed: (error: unknown) => void
}

/** Resolves when it is ready to search. */
export type OpenSearch = (events: SearchEvents) => Promise<Search>

export interface ThreadsModules {
  readonly log: Log
  /** Uniform in [0, 1), for the first nonce. */
  readonly random: () => number
}

/** Four thousand hashes in the mean: the threads have started and the compiler knows the kernel. */
const WARM_UP_TARGET = 2n ** 244n - 1n

/** Threads of this machine, each with a core for itself. */
export const threads =
  (count: number, { log, random }: ThreadsModules): OpenSearch =>
  async ({ onFound }) => {
    let counted = 0
    let searchingSinceMs: number | undefined
    let warm = (): void => {}
    const warmed = new Promise<void>((resolve) => {
      warm = resolve
    })
    let isWarm = false
    const miner: Miner = new Miner(
      { ...MINER_DEFAULTS, threads: count, duty: 1 },
      {
        log,
        random,
        nonceStart: () => BigInt(Math.floor(random() * 2 ** 48)) << 16n,
        onFound: (header) => {
          const { hashes } = miner.stats()
          const nowMs = performance.now()
          const find = { header, hashes: hashes - counted, ms: nowMs - (searchingSinceMs ?? nowMs) }
          counted = hashes
          searchingSinceMs = undefined
          // Of a job that was just replaced: its successor is void, too.
          miner.pause()
          if (isWarm) onFound(find)
          else warm()
        },
      },
    )
    miner.start()
    miner.mine({ header: new Uint8Array(HEADER_BYTES), target: WARM_UP_TARGET })
    await warmed
    isWarm = true
    return {
      mine(header) {
        const decoded = decode(headerCodec, header, HEADER_BYTES)
        invariant(decoded.ok, 'a job is a header')
        searchingSinceMs ??= performance.now()
        miner.mine({ header, target: decoded.value.target })
      },
      async stop() {
        await miner.stop()
        const { hashes } = miner.stats()
        const unfinished = hashes - counted
        counted = hashes
        return unfinished
      },
    }
  }
