/** A carrier as a program: data directory, key, hand and two sessions wired together until the signal ends them. */
import { networkOf } from '../node/chain-store.ts'
import type { Clock } from '../node/clock.ts'
import { openDataDir } from '../node/data-dir.ts'
import { openDisk } from '../node/disk.ts'
import { WorldError } from '../node/error.ts'
import { readGenesis } from '../node/genesis-file.ts'
import { HAND_FILE, HandStore } from '../node/hand-store.ts'
import type { Log } from '../node/log.ts'
import { ownKey, sessionOptions, untilAborted } from '../node/runtime.ts'
import { selfTest } from '../node/signing.ts'
import type { CarrierConfig } from '../schemas/config.ts'
import type { Account } from '../schemas/hex.ts'
import { Carrier, sharedHand } from './carrier.ts'

export interface CarrierMainModules {
  readonly log: Log
  readonly clock: Clock
  readonly random: () => number
  /** Ends the program. */
  readonly signal: AbortSignal
  readonly onReady: (ready: { account: Account }) => void
}

/** Runs until the signal is aborted; throws WorldError, or our own bug, with nothing left running. */
export async function runCarrier(
  config: CarrierConfig,
  { log, clock, random, signal, onReady }: CarrierMainModules,
): Promise<void> {
  selfTest()
  const here = { network: networkOf(readGenesis(config.genesis)), session: sessionOptions(config.broker) }
  const there = {
    network: networkOf(readGenesis(config.otherGenesis)),
    session: sessionOptions(config.otherBroker),
  }
  const hand = sharedHand(here.network, there.network)
  if (config.broker.url === config.otherBroker.url)
    throw new WorldError(
      'config',
      `both networks are at ${config.broker.url}: ledgers on one broker share their hand without a carrier; --other-broker names another one`,
    )
  const dir = openDataDir(config.data)
  let store: HandStore | undefined
  try {
    const signer = ownKey(dir)
    store = new HandStore(openDisk(dir.path).open(HAND_FILE), hand)
    log.info('slow hand open', { hand: hand.id, height: store.slow.tip.height, account: signer.account })
    const { done, fail } = untilAborted(signal)
    const carrier = new Carrier(signer, [here, there], { store, clock, random, log, onFatal: fail })
    try {
      carrier.start()
      onReady({ account: signer.account })
      await done
    } finally {
      await carrier.stop()
    }
  } finally {
    store?.close()
    dir.close()
  }
}
