/** `pinledger verify`: re-validates stored chains and prints what they come to. */
import { formatCoins } from '../ledger/amount.ts'
import { networkOf, storedGenesis } from '../node/chain-store.ts'
import { openDiskReadOnly } from '../node/disk.ts'
import { type Verification, verifyLedger } from '../node/verify.ts'
import { verifyHand } from '../node/verify-hand.ts'
import { EXIT } from './exit.ts'
import { ledgersIn } from './ledgers.ts'

type Verified = Verification & { readonly ticks: number | undefined }

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
    const slow = hand && verifyHand(disk, hand)
    if (slow === undefined) return { ...ledger, ticks: undefined }
    return slow.fault === undefined
      ? { ...ledger, ticks: slow.height }
      : { ...ledger, ok: false, fault: slow.fault, ticks: slow.height }
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
}: Verified & { store: string }): string {
  if (!ok) {
    return `${store}: FAULT after block ${height}: ${fault ?? 'incomplete'}
  What to do: stop the program that uses it, restore a backup or run  pinledger repair --data ${store}  and start again; it fetches what is missing from its peers.`
  }
  const note =
    torn === undefined
      ? ''
      : ` (an unfinished write of ${torn} bytes at the end will be cut off at the next start)`
  return `${store}: ok${note}
  height ${height}, tip ${tip}
  state root ${stateRoot}
  ${ticks === undefined ? '' : `slow hand ok, ${ticks} ticks\n  `}${from === undefined ? '' : `blocks up to ${from} were deleted: of those the headers were checked\n  `}${transactions} transactions, ${readings} readings, ${formatCoins(supply)} coins`
}
