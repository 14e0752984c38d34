/** Changes of bytes as a bad line, a bad disk or a bad neighbour makes them. */
import fc from 'fast-check'

export const byteChange = fc.oneof(
  fc.record({ do: fc.constant('set' as const), at: fc.nat(), byte: fc.nat(255) }),
  fc.record({ do: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(7) }),
  fc.record({ do: fc.constant('cut' as const), at: fc.nat() }),
  fc.record({ do: fc.constant('remove' as const), at: fc.nat(), count: fc.integer({ min: 1, max: 8 }) }),
  fc.record({
    do: fc.constant('insert' as const),
    at: fc.nat(),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  }),
  fc.record({ do: fc.constant('repeat' as const), at: fc.nat(), count: fc.integer({ min: 1, max: 40 }) }),
)
type ByteChange = typeof byteChange extends fc.Arbitrary<infer T> ? T : never

/** Bytes with one change, made at `from` or after; positions are taken modulo the length. */
export function changed(bytes: Uint8Array, one: ByteChange, from = 0): Uint8Array {
  const at = from + (one.at % Math.max(1, bytes.length - from))
  const [left, right] = [bytes.subarray(0, at), bytes.subarray(at)]
  if (one.do === 'cut') return left.slice()
  if (one.do === 'remove') return Uint8Array.of(...left, ...right.subarray(one.count))
  if (one.do === 'insert') return Uint8Array.of(...left, ...one.bytes, ...right)
  if (one.do === 'repeat') return Uint8Array.of(...left, ...right.subarray(0, one.count), ...right)
  const copy = bytes.slice()
  copy[at] = one.do === 'set' ? one.byte : (copy[at] ?? 0) ^ (1 << one.bit)
  return copy
}
