/** An edge agent as a program: data directory, outbox, sensors and MQTT wired together until the signal ends them. */
import { existsSync } from 'node:fs'
import { OUTBOX_FILE, WIRES_FILE } from '../node/backup.ts'
import { CHANNEL_LOG } from '../node/channel/channel-log.ts'
import type { Clock } from '../node/clock.ts'
import { History } from '../node/history.ts'
import type { Log } from '../node/log.ts'
import { replaceableLog } from '../node/replaceable-log.ts'
import { openRuntime, SOFTWARE, sessionOptions, storageLimits, untilAborted } from '../node/runtime.ts'
import { systemTimers } from '../node/timers.ts'
import type { Account } from '../schemas/hex.ts'
import { Agent } from './agent.ts'
import { Catalogue } from './catalogue.ts'
import { channels } from './channel/channels.ts'
import { buyOf, termsOf } from './channel/config.ts'
import type { AgentConfig } from './config.ts'
import { openSensor, thisMachine } from './drivers.ts'
import { threads } from './experiment/search.ts'
import type { FilesConfig } from './files/config.ts'
import { FileShop } from './files/file-shop.ts'
import { LAB_FOLDER, LabLog } from './lab/lab-log.ts'
import { LabTrade } from './lab/trade.ts'
import { MINER_DEFAULTS } from './miner.ts'
import { itemsOf } from './offer-items.ts'
import { Outbox } from './outbox.ts'
import { guardLine } from './outputs/config.ts'
import { GuardProcess } from './outputs/guard-process.ts'
import { Outputs } from './outputs/outputs.ts'
import { end, guardsOf } from './outputs/takeover.ts'
import { PaidTopics } from './sale/paid-topics.ts'
import { Running } from './sale/running.ts'
import { Sale } from './sale/sale.ts'
import { Shop } from './sale/shop.ts'
import { SplitSetting, sharesOf } from './split-setting.ts'
import type { Desk, Trade } from './trade.ts'
import { WiresTrade, wiresOptions } from './wires/trade.ts'
import { WiresLog } from './wires/wires-log.ts'

export interface AgentMainModules {
  readonly log: Log
  readonly clock: Clock
  readonly random: () => number
  /** Ends the program. */
  readonly signal: AbortSignal
  readonly onReady: (ready: { account: Account }) => void
}

/** Runs until the signal is aborted; throws WorldError, or our own bug, with nothing left running. */
export async function runAgent(
  config: AgentConfig,
  { log, clock, random, signal, onReady }: AgentMainModules,
): Promise<void> {
  const runtime = openRuntime(config.data, config.genesis, log, storageLimits(config.storage))
  const { signer, store, hand } = runtime
  const { done, fail } = untilAborted(signal)
  try {
    const outbox = new Outbox(replaceableLog(runtime.dir.file(OUTBOX_FILE)), store.chain, signer)
    const surroundings = thisMachine(({ message }) => log.warn('sensor', { reason: message }))
    const sensors = config.sensors.map((sensor) => ({
      name: sensor.name,
      driver: sensor.driver,
      batch: sensor.batch,
      sell: sensor.sell,
      sensor: openSensor(sensor, surroundings),
    }))
    const wiresLog = new WiresLog(replaceableLog(runtime.dir.file(WIRES_FILE)))
    const factsOf = (name: string) => ({
      unit: sensors.find((each) => each.name === name)?.sensor.unit ?? '/',
      count: outbox.nextSequence(name),
    })
    // Without outputs, nobody else lets go of what was one before.
    if (config.outputs.length === 0) await end(guardsOf(runtime.dir.path))
    const lines = new GuardProcess(
      { directory: runtime.dir.path, lines: config.outputs.map(guardLine) },
      { log, nowMs: clock.monotonic, random },
    )
    const shop = new Shop(config)
    const running = new Running(clock)
    let sale: Sale | undefined
    const outputs = new Outputs(config.outputs, {
      lines,
      clock,
      timers: systemTimers,
      log,
      soldOf: (name) => (sale?.isKnown ? running.output(name) : undefined),
    })
    const selling = (desk: Desk): Trade => {
      sale = new Sale({ desk, shop, running, onSold: () => outputs.refresh() })
      return sale
    }
    const sold = new Map(
      config.sensors.flatMap(({ name, sell }) => (sell?.perMinute === undefined ? [] : [[name, sell]])),
    )
    const topics = (desk: Desk): Trade =>
      new PaidTopics({ desk, running, sold, isKnown: () => sale?.isKnown === true })
    const terms = termsOf(config.sensors)
    const channelLog = runtime.dir.file(CHANNEL_LOG)
    // Also for what was sold or bought before, until its coins are where they belong.
    const hasChannels = terms.size > 0 || config.buys.length > 0 || existsSync(channelLog)
    const modules = { files: replaceableLog(channelLog), timers: systemTimers }
    const trading = hasChannels ? [channels({ sells: terms, buys: config.buys.map(buyOf) }, modules)] : []
    const { files } = config
    let fileShop: FileShop | undefined
    const sellingFiles =
      (directory: FilesConfig) =>
      (desk: Desk): Trade => {
        fileShop = new FileShop(directory, desk)
        return fileShop
      }
    const { owner, clock: tower } = config
    const experiments =
      owner === undefined || !tower.lab
        ? []
        : [
            (desk: Desk): Trade => {
              const lab = { owner, open: threads(1, random, tower.duty), onFatal: fail }
              return new LabTrade(desk, lab, new LabLog(runtime.dir.file(LAB_FOLDER)))
            },
          ]
    const { split } = config
    const sellable = () => ({ ...config, files: fileShop?.onSale ?? [] })
    const agent = new Agent(
      {
        session: sessionOptions(config.broker),
        name: config.name,
        software: SOFTWARE,
        signer,
        sensors,
        mining: { ...MINER_DEFAULTS, ...config.mine },
      },
      {
        store,
        trusted: config.trusted,
        hand,
        outbox,
        outputs,
        trades: [
          (desk) => new WiresTrade(desk, wiresOptions(config), wiresLog),
          (desk) => new Catalogue(desk, config.name, () => itemsOf(sellable(), factsOf)),
          ...(shop.isEmpty ? [] : [selling, topics]),
          ...trading,
          ...(split === undefined ? [] : [(desk: Desk): Trade => new SplitSetting(desk, sharesOf(split))]),
          ...(files === undefined ? [] : [sellingFiles(files)]),
          ...experiments,
        ],
        clock,
        random,
        log,
        onFatal: fail,
      },
    )
    const { node } = agent
    const history = new History(runtime.dir.path, store.chain, {
      requests: node.requests,
      peers: () => node.peers,
      log,
      monotonic: clock.monotonic,
      onFatal: fail,
    })
    try {
      await agent.start()
      history.start()
      onReady({ account: signer.account })
      await done
    } finally {
      history.stop()
      await agent.stop()
    }
  } finally {
    runtime.close()
  }
}
