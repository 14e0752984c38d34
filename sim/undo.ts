/** Changes of the naive ledger that can be taken back and made again, as its walks along branches need them. */

/** Makes a change, and keeps how to make it again and take it back. */
export type Change = (make: () => void, back: () => void) => void

/** Puts an entry in place of what is there; undefined: takes it away. */
export function put<K, V>(map: Map<K, V>, key: K, after: V | undefined, change: Change): void {
  const before = map.get(key)
  const set = (value: V | undefined) => () => {
    if (value === undefined) map.delete(key)
    else map.set(key, value)
  }
  change(set(after), set(before))
}
