/** Searches for experiments that do what a test says: find at once, or only when told. */
import type { Find, OpenSearch, SearchEvents } from '../../edge-agent/experiment/search.ts'
import { HEADER_BYTES, header as headerCodec } from '../../schemas/block.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { invariant } from '../../schemas/result.ts'
import { mineHeader } from './hand.ts'

export function solve(header: Uint8Array, meets = true): Uint8Array {
  const decoded = decode(headerCodec, header, HEADER_BYTES)
  invariant(decoded.ok, 'a job is a header')
  return encode(headerCodec, mineHeader(decoded.value, meets))
}

export class TestSearch {
  /** Jobs that came in, the newest last. */
  readonly jobs: Uint8Array[] = []
  /** Finds each job in the next turn of the loop. */
  instant: boolean
  stops = 0
  /** Why it does not open. */
  cannot: Error | undefined
  #events: SearchEvents | undefined

  constructor(instant = true) {
    this.instant = instant
  }

  readonly open: OpenSearch = async (events) => {
    if (this.cannot !== undefined) throw this.cannot
    this.#events = events
    return {
      mine: (header) => {
        this.jobs.push(header)
        if (this.instant) setImmediate(() => this.find(header))
      },
      stop: async () => (this.stops++ === 0 ? 5 : 0),
    }
  }

  get newest(): Uint8Array {
    const job = this.jobs.at(-1)
    invariant(job !== undefined, 'there is a job')
    return job
  }

  find(header = this.newest, find: Partial<Find> = {}): void {
    this.#events?.onFound({ header: solve(header), hashes: 10, ms: 1, ...find })
  }

  fail(error: unknown): void {
    this.#events?.onFailed(error)
  }
}
