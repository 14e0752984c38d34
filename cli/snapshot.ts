/** `pinledger snapshot export` and `import`: a ledger without its history, for a machine that joins late. */
import { existsSync, rmSync } from 'node:fs'
import { ChainStore } from '../node/chain-store.ts'
import { openDataDir } from '../node/data-dir.ts'
import { openDisk, openDiskReadOnly, openLogFile, openLogFileReadOnly } from '../node/disk.ts'
import { WorldError } from '../node/error.ts'
import { readGenesis } from '../node/genesis-file.ts'
import { expectHistory } from '../node/history.ts'
import { readSnapshot, type Snapshot, snapshotHeight, writeSnapshot } from '../node/snapshot.ts'
import type { Hash } from '../schemas/hex.ts'
import { checkLedger } from './ledgers.ts'

export interface ExportOptions {
  readonly data: string
  readonly out: string
  readonly height?: number
  readonly json: boolean
}

/** Makes a snapshot, also while the program runs. */
export function exportCommand(
  { data, out: path, height, json }: ExportOptions,
  out: (text: string) => void,
): void {
  checkLedger(data)
  if (existsSync(path)) throw new WorldError('usage', `${path} is there already: choose another --out`)
  const store = new ChainStore(openDiskReadOnly(data), undefined, { readOnly: true })
  try {
    const at = snapshotHeight(store, height)
    const file = openLogFile(path)
    try {
      tell(out, json, writeSnapshot(store, at, file), path)
    } catch (error) {
      file.close()
      rmSync(path, { force: true })
      throw error
    }
  } finally {
    store.close()
  }
}

export interface ImportCommandOptions {
  readonly file: string
  readonly data: string
  readonly genesis?: string
  readonly hash?: Hash
  readonly json: boolean
}

/** Takes a snapshot into a directory without a ledger. */
export function importCommand(
  { file: path, data, genesis, hash, json }: ImportCommandOptions,
  nowMs: number,
  out: (text: string) => void,
  err: (text: string) => void,
): void {
  const expected = genesis === undefined ? undefined : readGenesis(genesis)
  const file = openLogFileReadOnly(path)
  try {
    const dir = openDataDir(data)
    try {
      const steps = readSnapshot(file, openDisk(dir.path), { genesis: expected, hash, nowMs })
      for (;;) {
        const step = steps.next()
        if (step.done === true) {
          expectHistory(dir.path)
          tell(out, json, step.value, data)
          return
        }
        if (!json) err(`headers checked up to height ${step.value}\n`)
      }
    } finally {
      dir.close()
    }
  } finally {
    file.close()
  }
}

function tell(
  out: (text: string) => void,
  json: boolean,
  { network, height, hash, stateRoot, work }: Snapshot,
  where: string,
): void {
  out(
    json
      ? `${JSON.stringify({ network, height, hash, stateRoot, work: work.toString(), where })}\n`
      : `${where}: network ${network} at height ${height}
  block ${hash}
  state root ${stateRoot}
Compare the block with what machines you trust have at that height (their explorer, their own snapshot export): whoever takes the
snapshot checks all proof of work, but trusts that this chain has no better rival and that its miners had checked its history.
`,
  )
}
