/**
 * A search for somebody at the other end of a pipe, such as SSH: headers come in on stdin, finds go out on stdout, one JSON
 * object a line. Its end of stdin is the end: no miner stays behind on a machine that nobody hears any more.
 *
 *     in    {"header": HEX}                                     replaces the job
 *     out   {"ready": 1, "software": "0.1.0"}                   first; the number is this protocol's
 *           {"header": HEX, "hashes": 4711, "ms": 9.8}          a find; it rests until the next job
 *           {"unfinished": 120}                                 last: hashes since the last find
 */
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { WorldError } from '../../node/error.ts'
import { HEADER_BYTES } from '../../schemas/block.ts'
import { fromHex, toHex } from '../../schemas/hex.ts'
import type { OpenSearch } from './search.ts'

export const FEED_PROTOCOL = 1
/** Of a line, in characters. */
const LINE_MAX = 4096

const headerText = z
  .string()
  .regex(new RegExp(`^[0-9a-f]{${2 * HEADER_BYTES}}$`), `expected a header: ${2 * HEADER_BYTES} hex digits`)
  .transform(fromHex)
export const feedJob = z.strictObject({ header: headerText })
export const feedAnswer = z.union([
  z.object({ ready: z.int().min(1), software: z.string().max(64) }),
  z.object({ header: headerText, hashes: z.int().min(1), ms: z.number().min(0) }),
  z.object({ unfinished: z.int().min(0) }),
])
export type FeedAnswer = z.infer<typeof feedAnswer>

/** What a line says; undefined when it is not of this protocol. */
export function parseLine<S extends z.ZodType>(schema: S, line: string): z.output<S> | undefined {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    // Words for people.
    return undefined
  }
  const parsed = schema.safeParse(json)
  return parsed.success ? parsed.data : undefined
}

/** Calls `onLine` for every line; a line that never ends is cut off. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = (lines.pop() ?? '').slice(0, LINE_MAX)
    for (const line of lines) if (line !== '') onLine(line.slice(0, LINE_MAX))
  })
}

/** Serves until the input ends. Throws WorldError `usage` on a line that is no job. */
export async function serveFeed(
  open: OpenSearch,
  input: Readable,
  software: string,
  say: (line: string) => void,
): Promise<void> {
  const answer = (value: object): void => say(`${JSON.stringify(value)}\n`)
  let fail = (_: unknown): void => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  // A search that fails while it opens rejects, too.
  failed.catch(() => {})
  const search = await open({
    onFound: ({ header, hashes, ms }) =>
      answer({ header: toHex(header), hashes, ms: Math.round(ms * 1000) / 1000 }),
    onFailed: fail,
  })
  try {
    const ended = new Promise<void>((resolve) => {
      input.once('end', resolve)
      input.once('error', () => resolve())
    })
    readLines(input, (line) => {
      const job = parseLine(feedJob, line)
      if (job === undefined)
        fail(
          new WorldError('usage', 'what came in on stdin is no job; --feed is for other pinledgers to call'),
        )
      else search.mine(job.header)
    })
    answer({ ready: FEED_PROTOCOL, software })
    await Promise.race([ended, failed])
  } finally {
    answer({ unfinished: await search.stop() })
  }
}
