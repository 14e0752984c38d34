/**
 * Bounds of time. How long something takes says something about the program only where nothing else runs: at its end
 * test/system/run.sh runs these tests once more, one at a time, with PINLEDGER_ALONE=true. Elsewhere they are patient.
 */
export const ALONE = process.env.PINLEDGER_ALONE === 'true'

const PATIENCE_MS = 60_000

/** Milliseconds that something may take: `msMax` on a machine that does nothing else. */
export const bound = (msMax: number): number => (ALONE ? msMax : PATIENCE_MS)
