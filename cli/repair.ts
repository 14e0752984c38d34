/** `pinledger repair`: makes a damaged ledger one that opens again, and says what it did. */
import { existsSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { LAB_FOLDER, ORDERS_FILE } from '../edge-agent/lab/lab-log.ts'
import { audit } from '../node/append-log.ts'
import { OUTBOX_FILE, WIRES_FILE } from '../node/backup.ts'
import { CHANNEL_LOG } from '../node/channel/channel-log.ts'
import { openDataDir } from '../node/data-dir.ts'
import { type Disk, openDisk, syncDirectory } from '../node/disk.ts'
import { WorldError } from '../node/error.ts'
import { HAND_FILE } from '../node/hand-store.ts'
import { HISTORY_FOLDER } from '../node/history.ts'
import { repair } from '../node/repair.ts'
import { checkLedger } from './ledgers.ts'

export function repairCommand(
  { data, json }: { data: string; json: boolean },
  now: Date,
  out: (text: string) => void,
): void {
  if (!existsSync(data)) throw new WorldError('usage', `no directory ${data}: see --data`)
  // An outbox can be damaged where there is no ledger yet.
  if (!existsSync(join(data, OUTBOX_FILE))) checkLedger(data)
  const dir = openDataDir(data)
  try {
    const at = now.toISOString().replace(/[-:]/g, '').slice(0, 15)
    const disk = openDisk(dir.path)
    const before = new Set(disk.list())
    const { steps: done, height } = repair(disk, at)
    const pieces = disk.list().filter((name) => name.includes('.cut-') && !before.has(name))
    const cut = pieces.map((name) => `the last write was not whole: it was cut off and kept as ${name}`)
    const history = height === undefined || height === 0 ? moveHistory(dir.path, at) : []
    const steps = [...done, ...cut, ...history, ...repairOthers(disk, at), ...repairLab(dir.path, at)]
    if (json) out(`${JSON.stringify({ steps, height: height ?? null })}\n`)
    else {
      for (const step of steps) out(`${step}\n`)
      out(
        height === undefined
          ? `no ledger is left. Either the next start, with --genesis FILE, fetches everything from its peers, one of which has to keep all
blocks; or found it before that: pinledger snapshot import FILE --data ${data} --genesis FILE
`
          : `${steps.length === 0 ? 'nothing to repair: ' : ''}the ledger opens at height ${height}\n`,
      )
    }
  } finally {
    dir.close()
  }
}

/** What was being checked below a snapshot that is gone: the next one brings its own. */
function moveHistory(data: string, at: string): string[] {
  if (!existsSync(join(data, HISTORY_FOLDER))) return []
  const aside = `${HISTORY_FOLDER}.damaged-${at}`
  renameSync(join(data, HISTORY_FOLDER), join(data, aside))
  syncDirectory(data)
  return [`${HISTORY_FOLDER} was moved to ${aside}: it is of the ledger that is gone`]
}

type Lost = readonly (readonly [name: string, lost: string])[]

/** What is lost with the end of a log beside the ledger, or with all of it. */
const LOST: Lost = [
  [OUTBOX_FILE, 'readings and payments that were not yet in a block are not sent again'],
  [
    WIRES_FILE,
    "edges that wires have seen since then may count again; wires that the owner has set since then, and old messages of the owner's, have to be looked at: pinledger wires show",
  ],
  [
    CHANNEL_LOG,
    'what was sold and paid on channels since then is forgotten: a reading may be delivered twice for one price on each of them, and what was opened since then is closed by hand; see OPERATIONS.md, Damage',
  ],
  [HAND_FILE, 'the ticks of the slow hand that came since then are fetched anew from others'],
]

const LOST_ORDERS: Lost = [
  [
    ORDERS_FILE,
    "orders of the owner's for experiments that came since then could be taken again within their hour",
  ],
]
const LOST_TICKS: Lost = [
  [
    HAND_FILE,
    "the experiment's ticks that came since then are lacking; if it was this agent's own hand, others take no more of it",
  ],
]

/** The same in the folder of experiments, and in that of each of their hands. */
function repairLab(data: string, at: string): string[] {
  const repairIn = (folder: string, logs: Lost): string[] =>
    repairOthers(openDisk(join(data, folder)), at, logs).map((step) => `${folder}: ${step}`)
  const foldersIn = (folder: string): string[] =>
    readdirSync(join(data, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(folder, name))
  if (!existsSync(join(data, LAB_FOLDER))) return []
  const hands = foldersIn(LAB_FOLDER).flatMap(foldersIn)
  return [...repairIn(LAB_FOLDER, LOST_ORDERS), ...hands.flatMap((hand) => repairIn(hand, LOST_TICKS))]
}

/** Moves damaged logs beside the ledger aside. Of all but the outbox what was whole before the damage stays: the ledger does not tell it. */
function repairOthers(disk: Disk, at: string, logs = LOST): string[] {
  return logs.flatMap(([name, lost]) => {
    const damage = damageOf(disk, name)
    if (damage === undefined) return []
    const aside = `${name}.damaged-${at}`
    const moved = `${name} was moved to ${aside}: ${damage.why}`
    if (name === OUTBOX_FILE || damage.wholeBytes === 0) {
      disk.rename(name, aside)
      return [moved, lost]
    }
    // The damaged log keeps its name until the mended one takes it, in one step: killed before that, or without room, it is found again.
    copyStart(disk, name, aside, damage.bytes)
    copyStart(disk, name, name, damage.wholeBytes)
    return [moved, `${name} has what was whole before the damage, ${damage.wholeBytes} bytes`, lost]
  })
}

function damageOf(
  disk: Disk,
  name: string,
): { readonly why: string; readonly bytes: number; readonly wholeBytes: number } | undefined {
  if (!disk.list().includes(name)) return undefined
  const file = disk.open(name)
  try {
    for (const read of audit(file))
      if (!read.ok && !read.fault.unfinished) {
        const { record, position, message, code, batch } = read.fault
        const why = `record ${record} at offset ${position}: ${message} (${code})`
        return { why, bytes: file.size, wholeBytes: batch }
      }
    return undefined
  } finally {
    file.close()
  }
}

function copyStart(disk: Disk, from: string, to: string, bytes: number): void {
  const source = disk.open(from)
  const draft = disk.open(`${to}.new`)
  try {
    draft.append(source.read(0, bytes))
  } finally {
    source.close()
    draft.close()
  }
  disk.rename(`${to}.new`, to)
}
