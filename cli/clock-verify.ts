/** `pinledger clock verify`: checks hands of a clock from their bytes alone and prints what they come to. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hexDigits } from '../ledger/difficulty.ts'
import { openLogFileReadOnly } from '../node/disk.ts'
import { WorldError } from '../node/error.ts'
import {
  type AuditedHand,
  auditHands,
  describeFault,
  type HandFault,
  handOfJson,
  handOfLog,
  type StoredHand,
} from '../node/hand-audit.ts'
import { HAND_FILE } from '../node/hand-store.ts'
import { harmless } from '../node/log.ts'
import type { Hash } from '../schemas/hex.ts'
import { EXIT } from './exit.ts'

export interface VerifyOptions {
  readonly json: boolean
}

const JSON_FILE = 'hand.json'
const JSON_BYTES_MAX = 64 << 20
const HANDS_MAX = 1024

/** Prints to stdout; 1 when one of them does not hold. Throws WorldError `usage`. */
export function verifyHandsCommand(directory: string, { json }: VerifyOptions): number {
  const hands: StoredHand[] = []
  const closing: (() => void)[] = []
  const refused = (fault: HandFault): number => {
    if (json) process.stdout.write(`${JSON.stringify({ ok: false, ...fault })}\n`)
    else process.stderr.write(`${fault.path}: ${harmless(describeFault(fault))}\n`)
    return EXIT.no
  }
  try {
    for (const path of handFiles(directory)) {
      const file = path.endsWith('.json') ? undefined : openLogFileReadOnly(path)
      if (file !== undefined) closing.push(() => file.close())
      const hand = file === undefined ? handOfJson(path, readText(path)) : handOfLog(file)
      if (!hand.ok) return refused({ path, code: 'no-hand', message: hand.fault, height: 0 })
      hands.push(hand.value)
    }
    const audited = auditHands(hands)
    if (!audited.ok) return refused(audited.fault)
    const names = new Map(hands.map(({ hand }) => [hand.genesisHash, hand.genesis.name]))
    for (const each of audited.value)
      process.stdout.write(json ? `${JSON.stringify(asJson(each, names))}\n` : describe(each, names))
    return EXIT.ok
  } finally {
    for (const close of closing) close()
  }
}

/** Those in the folder itself and in the folders in it. */
function handFiles(directory: string): string[] {
  let folders: string[]
  try {
    const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    folders = [directory, ...below.map(({ name }) => join(directory, name)).sort()]
  } catch (error) {
    throw new WorldError('usage', `cannot read the folder ${directory} (${String(error)})`, error)
  }
  const files = folders
    .flatMap((folder) => [join(folder, HAND_FILE), join(folder, JSON_FILE)])
    .filter(existsSync)
  if (files.length === 0)
    throw new WorldError('usage', `no ${HAND_FILE} or ${JSON_FILE} in ${directory} or a folder in it`)
  if (files.length > HANDS_MAX) throw new WorldError('usage', `${directory} has more than ${HANDS_MAX} hands`)
  return files
}

function readText(path: string): string {
  const { size } = statSync(path)
  if (size > JSON_BYTES_MAX) throw new WorldError('usage', `${path} is larger than ${JSON_BYTES_MAX} bytes`)
  return readFileSync(path, 'utf8')
}

function facts(
  { path, slow, stored, torn, from, to, named, unjudged }: AuditedHand,
  names: ReadonlyMap<Hash, string>,
) {
  const { tip, hand } = slow
  return {
    path,
    hand: hand.genesis.name,
    genesisHash: hand.genesisHash,
    ticks: tip.height,
    stored,
    torn,
    tip: tip.hash,
    work: String(tip.work),
    difficulty: Math.round(hexDigits(tip.target) * 100) / 100,
    from,
    to,
    anchors: [...named].map(([ledger, ticks]) => ({ hand: names.get(ledger) ?? ledger, ticks })),
    unjudged,
  }
}

const asJson = (each: AuditedHand, names: ReadonlyMap<Hash, string>) => ({ ok: true, ...facts(each, names) })

function describe(each: AuditedHand, names: ReadonlyMap<Hash, string>): string {
  const { path, hand, ticks, stored, torn, tip, work, difficulty, from, to, anchors, unjudged } = facts(
    each,
    names,
  )
  const lasted =
    from === undefined || to === undefined
      ? ''
      : `, the last ${((to - from) / 1000).toFixed(1)} s after the first by its miners' clocks`
  const aside = stored > ticks ? `, ${stored - ticks} beside the best chain` : ''
  const end = torn > 0 ? ` (an unfinished write of ${torn} bytes at the end)` : ''
  const others = unjudged > 0 ? [`${unjudged} anchors of ledgers that are not here`] : []
  const words = [
    ...anchors.map((each) => `${each.ticks} ticks name hand ${each.hand}, never an earlier one than before`),
    ...others,
  ]
  return `${path}: ok${end}
  hand ${hand}, ${ticks} ticks${aside}${lasted}, difficulty ${difficulty}, ${work} hashes of work
  tip ${tip}
${words.map((line) => `  ${line}\n`).join('')}`
}
