/** Waits for a condition instead of for a time. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves once `condition` holds; throws, naming `what`, when it does not within `timeoutMs`, which is long, for busy machines. */
export async function waitUntil(what: string, condition: () => boolean, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`)
    await sleep(5)
  }
}
