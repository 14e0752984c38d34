/** The whole of `pinledger buy readings`: the channel that there is or a new one, the readings, and the wish to close it. */
import { formatCoins } from '../ledger/amount.ts'
import { WorldError } from '../node/error.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import { short } from '../schemas/hex.ts'
import { decimalNumber } from '../schemas/units.ts'
import { buyReadings, type ReadingsOrder, usable } from './buy-readings.ts'
import { openBooks } from './channel-books.ts'
import { checkPrice, closeChannel, openChannel } from './channel-open.ts'
import { EXIT } from './exit.ts'
import { findOffer } from './offers.ts'
import type { Where } from './sender.ts'

export interface ReadingsCommand extends ReadingsOrder {
  /** Smallest units; what the seller offers when undefined. */
  readonly price: number | undefined
  readonly deposit: number | undefined
  readonly mode: 'payword' | 'signed'
  readonly delay: number
  readonly keep: boolean
}

interface Modules {
  readonly json: boolean
  readonly log: Log
  readonly signal: AbortSignal
}

export async function readingsCommand(
  where: Where,
  signer: Signer,
  key: string,
  order: ReadingsCommand,
  { json, log: warnings, signal }: Modules,
): Promise<number> {
  const out = (fields: object, text: string): void =>
    void process.stdout.write(`${json ? JSON.stringify(fields) : text}\n`)
  const { seller, sensor, count, network, waitSeconds } = order
  const { log, close } = openBooks(key)
  try {
    if (usable(log, seller, sensor) === undefined) {
      const price = order.price ?? (await offeredPrice(where, order, warnings))
      if (order.price !== undefined) await checkPrice(where, { ...order, price }, warnings)
      const open = { seller, sensor, price, deposit: order.deposit ?? price * count, delay: order.delay }
      const rest = { mode: order.mode, fee: undefined, network, waitSeconds }
      const code = await openChannel(where, signer, log, { ...open, ...rest }, json, warnings)
      if (code !== EXIT.ok) return code
    }
    const purchase = usable(log, seller, sensor)
    if (purchase === undefined)
      throw new WorldError('usage', 'the channel that was opened has no readings left')
    const code = await buyReadings(where, signer, purchase, order, {
      log,
      warnings,
      signal,
      onReading({ sequence, value, unit, time }, { index, price }) {
        const at = new Date(time).toISOString()
        const fields = {
          step: 'reading',
          sensor,
          sequence,
          value: decimalNumber(value),
          unit,
          time: at,
          index,
        }
        out(
          fields,
          `${at.slice(11, 19)} ${sensor} ${fields.value} ${unit}, ${formatCoins(index * price)} paid in all`,
        )
      },
      onStop: (reason) => out({ step: 'stopped', reason }, `${short(seller)} and this side stop: ${reason}`),
    })
    if (order.keep || signal.aborted) return code
    log.write([{ type: 'purchaseStopped', number: purchase.number, reason: 'done' }])
    log.flush()
    await closeChannel(
      where,
      signer,
      purchase.channel,
      { fee: undefined, network, waitSeconds },
      json,
      warnings,
    )
    return code
  } finally {
    close()
  }
}

async function offeredPrice(
  where: Where,
  { seller, sensor, network }: ReadingsCommand,
  log: Log,
): Promise<number> {
  const found = await findOffer(where, { of: seller, kind: 'readings', item: sensor }, network, log)
  if (!found.ok) throw new WorldError('usage', `${found.fault.message}; or say what you pay with --price`)
  return found.value.item.price
}
