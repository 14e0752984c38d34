/**
 * What every program that follows a ledger opens first: its data directory, key and chain store.
 *
 * `key.json` is made on the first start and never leaves the directory; the files `*.log` are the ledger, see chain-store.ts.
 */
import { existsSync, readFileSync } from 'node:fs'
import type { ConnectionConfig, StorageConfig } from '../schemas/config.ts'
import { ChainStore, STORE_DEFAULTS, type StoreOptions, storedGenesis } from './chain-store.ts'
import { type DataDir, openDataDir } from './data-dir.ts'
import { openDisk } from './disk.ts'
import { WorldError } from './error.ts'
import { readGenesis } from './genesis-file.ts'
import { HAND_FILE, HandStore } from './hand-store.ts'
import { createKey, loadKey } from './key-file.ts'
import type { Log } from './log.ts'
import type { SessionOptions } from './session.ts'
import { type Signer, selfTest } from './signing.ts'

export const SOFTWARE = 'pinledger 0.1.0'
export const KEY_FILE = 'key.json'

export interface Runtime {
  readonly dir: DataDir
  readonly signer: Signer
  readonly store: ChainStore
  /** Undefined on networks without a slow hand. */
  readonly hand: HandStore | undefined
  close(): void
}

/** The key of a data directory, made when there is none. Throws WorldError `key-file`. */
export function ownKey(dir: DataDir): Signer {
  const path = dir.file(KEY_FILE)
  return existsSync(path) ? loadKey(path) : createKey(path)
}

/** Throws WorldError; whatever was opened before is closed again. */
export function openRuntime(
  data: string,
  genesisPath: string | undefined,
  log: Log,
  limits: Pick<StoreOptions, 'bytesMax' | 'ageMsMax'> = STORE_DEFAULTS,
): Runtime {
  selfTest()
  const dir = openDataDir(data)
  try {
    const signer = ownKey(dir)
    const disk = openDisk(dir.path)
    if (storedGenesis(disk) === undefined && genesisPath === undefined) {
      throw new WorldError(
        'config',
        `${dir.path} holds no ledger yet: name the network's genesis file (genesis: in the configuration, or --genesis FILE)`,
      )
    }
    const genesis = genesisPath === undefined ? undefined : readGenesis(genesisPath)
    const onNotice = (reason: string): void => log.warn('storage', { reason })
    const store = new ChainStore(disk, genesis, {
      bytesMax: limits.bytesMax,
      ageMsMax: limits.ageMsMax,
      // Not before a node has listened to others.
      maySettle: () => false,
      onNotice,
    })
    if (store.torn > 0) log.info('cut off an unfinished write', { bytes: store.torn })
    const { tip, network } = store.chain
    const hand = network.hand && new HandStore(disk.open(HAND_FILE), network.hand)
    log.info('ledger open', { network: network.id, height: tip.height, account: signer.account })
    return {
      dir,
      signer,
      store,
      hand,
      close() {
        hand?.close()
        store.close()
        dir.close()
      },
    }
  } catch (error) {
    dir.close()
    throw error
  }
}

/** Room below the budget for what is written before old blocks are deleted: a block, or the state that a segment begins with. */
const RESERVE_BYTES = 2 << 20

/** What a configuration's `storage` comes to. */
export const storageLimits = ({
  keep,
  megabytesMax,
  daysMax,
}: StorageConfig): Pick<StoreOptions, 'bytesMax' | 'ageMsMax'> =>
  keep === 'all'
    ? { bytesMax: Number.POSITIVE_INFINITY, ageMsMax: Number.POSITIVE_INFINITY }
    : {
        bytesMax: megabytesMax * 2 ** 20 - RESERVE_BYTES,
        ageMsMax: daysMax === undefined ? Number.POSITIVE_INFINITY : daysMax * 86_400_000,
      }

/** Session options from a connection's configuration; reads the password and the CA from their files. */
export function sessionOptions({
  url,
  caFile,
  username,
  passwordFile,
}: ConnectionConfig): Pick<SessionOptions, 'url' | 'ca' | 'username' | 'password'> {
  return {
    url,
    ca: caFile === undefined ? undefined : readText(caFile),
    username,
    password: passwordFile === undefined ? undefined : readText(passwordFile).trim(),
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new WorldError('config', `cannot read ${path}: ${String(error)}`, error)
  }
}

/** Resolves when the signal is aborted, rejects with the first fatal error. */
export function untilAborted(signal: AbortSignal): { done: Promise<void>; fail: (error: unknown) => void } {
  let fail: (error: unknown) => void = () => {}
  const done = new Promise<void>((resolve, reject) => {
    fail = reject
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  return { done, fail }
}
