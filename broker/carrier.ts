/**
 * A carrier: takes the ticks of one slow hand from each of two brokers to the other, so that two ledgers have one clock.
 *
 * It has one hand and is a node of that hand on both sides: it checks what it takes, sends on what was new to it and
 * answers who asks. Invariants: a tick is sent on once, and never to where it came from; nothing is told that is not on disk. It
 * can delay and drop what it carries; it cannot forge a tick, which would cost the work. Source: docs/PROTOCOL.md section 14.
 */
import type { Hand } from '../ledger/hand.ts'
import type { Network } from '../ledger/network.ts'
import type { Random } from '../node/backoff.ts'
import type { Clock } from '../node/clock.ts'
import { WorldError } from '../node/error.ts'
import type { HandStore } from '../node/hand-store.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import { CarrierSide, type Site } from './carrier-side.ts'

export interface CarrierModules {
  /** Of the hand that both sites have. */
  readonly store: HandStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Our own bug, or a disk that no longer stores: the program has to end. */
  readonly onFatal: (error: unknown) => void
}

/** The hand of both networks. Throws WorldError `config` when they have not the same one. */
export function sharedHand(here: Network, there: Network): Hand {
  for (const { id, genesis, hand } of [here, there])
    if (hand === undefined)
      throw new WorldError(
        'config',
        `network ${id} (${genesis.name}) has no slow hand: there is nothing to carry; found it with  pinledger genesis --slow-hand <genesis file of the other network>`,
      )
  if (here.genesisHash === there.genesisHash)
    throw new WorldError(
      'config',
      `both genesis files are of network ${here.id} (${here.genesis.name}): a carrier goes between two ledgers; --other-genesis names the other one's`,
    )
  if (here.hand?.genesisHash !== there.hand?.genesisHash)
    throw new WorldError(
      'config',
      `network ${here.id} (${here.genesis.name}) has slow hand ${here.hand?.id}, network ${there.id} (${there.genesis.name}) has ${there.hand?.id}: only ledgers with one hand can be joined; found one of them with  pinledger genesis --slow-hand <genesis file of the other network>`,
    )
  return here.hand as Hand
}

export class Carrier {
  readonly here: CarrierSide
  readonly there: CarrierSide

  constructor(signer: Signer, [here, there]: readonly [Site, Site], modules: CarrierModules) {
    const announce = (): void => {
      this.here.announce()
      this.there.announce()
    }
    const side = (site: Site, other: Site, across: () => CarrierSide): CarrierSide =>
      new CarrierSide(site, signer, {
        ...modules,
        other: { network: other.network, newest: () => across().newest },
        onTaken: (bytes) => void across().node.publish(bytes).catch(modules.onFatal),
        onTick: announce,
        onNewest: () => across().announce(),
        onName: (name) => across().pass(name),
      })
    this.here = side(here, there, () => this.there)
    this.there = side(there, here, () => this.here)
  }

  /** Throws WorldError `config` when a broker's address cannot be one. */
  start(): void {
    this.here.start()
    this.there.start()
  }

  async stop(): Promise<void> {
    await Promise.all([this.here.stop(), this.there.stop()])
  }
}
