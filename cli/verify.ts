/** `pinledger verify`: re-validates stored chains and prints what they come to. */
import { formatCoins } from '../ledger/amount.ts'
import type { Hand } from '../ledger/hand.ts'
import { networkOf, storedGenesis } from '../node/chain-store.ts'
import { type Disk, openDiskReadOnly } from '../node/disk.ts'
import { auditHands, describeFault, handOfLog } from '../node/hand-audit.ts'
import { HAND_FILE } from '../node/hand-store.ts'
import { type Verification, verifyLedger } from '../node/verify.ts'
import { EXIT } from './exit.ts'
import { ledgersIn } from './ledgers.ts'

interface Verified extends Verification {
  /** Height of the slow hand, as far as it holds; undefined without one. */
  readonly ticks: number | undefined
  /** Bytes of an unfinished last write of it. */
  readonly handTorn?: number | undefined
}

function verifyDirectory(path: string, progress: (height: number) => void): Verified {
  const disk = openDiskReadOnly(path)
  const steps = verifyLedger(disk)
  for (;;) {
    const step = steps.next()
    if (step.done !== true) {
      progress(step.value)
      continue
    }
    const ledger = step.value
    const genesis = ledger.ok ? storedGenesis(disk) : undefined
    const { hand } = genesis === undefined ? {} : networkOf(genesis)
    if (hand === undefined || !disk.list().includes(HAND_FILE)) return { ...ledger, ticks: undefined }
    return { ...ledger, ...verifyHand(disk, hand) }
  }
}

function verifyHand(disk: Disk, hand: Hand) {
  const file = disk.open(HAND_FILE)
  const wrong = (ticks: number, what: string) => ({ ok: false, fault: `${HAND_FILE}: ${what}`, ticks })
  try {
    const stored = handOfLog(file, hand)
    if (!stored.ok) return wrong(0, stored.fault)
    const audited = auditHands([stored.value])
    if (!audited.ok) return wrong(audited.fault.height, describeFault(audited.fault))
    const [sound] = audited.value
    return { ticks: sound?.slow.tip.height, handTorn: sound?.torn }
  } finally {
    file.close()
  }
}

/** Prints to stdout and returns the exit code: 0 when every store holds, 1 otherwise. */
export function verifyCommand({ data, json }: { data: string; json: boolean }): number {
  let shownMs = performance.now()
  const stores = ledgersIn(data).map((store) => {
    const progress = (height: number): void => {
      if (json || performance.now() - shownMs < 1_000) return
      shownMs = performance.now()
      process.stderr.write(`${store}: block ${height}\n`)
    }
    return { store, ...verifyDirectory(store, progress) }
  })
  const ok = stores.every((store) => store.ok)
  const best = stores.reduce((most, store) => (store.height > most.height ? store : most))
  if (json) {
    const { height, tip, stateRoot, transactions, readings, supply } = best
    const fault = stores.find((store) => !store.ok)
    const first = fault === undefined ? {} : { store: fault.store, fault: fault.fault }
    process.stdout.write(
      `${JSON.stringify({ height, tip, stateRoot, transactions, readings, supply, ok, ...first, stores })}\n`,
    )
  } else for (const store of stores) process.stdout.write(`${describe(store)}\n`)
  return ok ? EXIT.ok : EXIT.no
}

function describe({
  store,
  ok,
  fault,
  torn,
  from,
  height,
  tip,
  stateRoot,
  transactions,
  readings,
  supply,
  ticks,
  handTorn,
}: Verified & { store: string }): string {
  if (!ok) {
    return `${store}: FAULT after block ${height}: ${fault ?? 'incomplete'}
  What to do: stop the program that uses it, restore a backup or run  pinledger repair --data ${store}  and start again; it fetches what is missing from its peers.
  If it says that there is nothing to repair, somebody wrote this who had no right to: move the ledger away, and import a snapshot of somebody you trust.`
  }
  const note = (bytes = 0) =>
    bytes === 0 ? '' : ` (an unfinished write of ${bytes} bytes at the end will be cut off at the next start)`
  return `${store}: ok${note(torn)}
  height ${height}, tip ${tip}
  state root ${stateRoot}
  ${ticks === undefined ? '' : `slow hand ok, ${ticks} ticks${note(handTorn)}\n  `}${from === undefined ? '' : `blocks up to ${from} were deleted: of those the headers were checked\n  `}${transactions} transactions, ${readings} readings, ${formatCoins(supply)} coins`
}
