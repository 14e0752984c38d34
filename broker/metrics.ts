/**
 * The broker's Prometheus metrics, read from its `stats` when they are asked for.
 */
import { Counter, Gauge, Registry } from 'prom-client'
import type { BrokerStats } from './broker.ts'

/** These are apart: they have a label. */
type Labelled = 'refused' | 'withheld'
type Plain = Exclude<keyof BrokerStats, Labelled>

const GAUGES = {
  connections: ['connections', 'Open sockets'],
  clients: ['clients', 'Clients that are logged in'],
  retained: ['retained_messages', 'Retained messages'],
  retainedBytes: ['retained_bytes', 'Bytes of retained messages'],
  sessions: ['sessions', 'Persistent sessions'],
  grants: ['grants', 'Buyers of paid topics, each for each topic'],
  queuedBytes: ['queued_bytes', 'Bytes that wait in persistent sessions'],
  backlogBytes: ['backlog_bytes', 'Bytes that connected clients have not read yet'],
} as const satisfies Partial<Record<Plain, readonly [string, string]>>

const COUNTERS = {
  messages: ['messages_total', 'Messages accepted from clients'],
  bytes: ['message_bytes_total', 'Payload bytes accepted from clients'],
} as const satisfies Partial<Record<Plain, readonly [string, string]>>

const REASONS: Readonly<Record<Labelled, readonly [string, string]>> = {
  refused: ['refused_total', 'Refusals by reason'],
  withheld: ['withheld_total', 'Messages not forwarded to a subscriber, by reason'],
}

const PREFIX = 'pinledger_broker_'

export function createBrokerMetrics(stats: () => BrokerStats): Registry {
  const registry = new Registry()
  const registers = [registry]
  for (const field of Object.keys(GAUGES) as (keyof typeof GAUGES)[]) {
    const [name, help] = GAUGES[field]
    const gauge: Gauge = new Gauge({
      name: PREFIX + name,
      help,
      registers,
      collect: () => gauge.set(stats()[field]),
    })
  }
  for (const field of Object.keys(COUNTERS) as (keyof typeof COUNTERS)[]) {
    const [name, help] = COUNTERS[field]
    const counter: Counter = new Counter({
      name: PREFIX + name,
      help,
      registers,
      collect() {
        counter.reset()
        counter.inc(stats()[field])
      },
    })
  }
  for (const field of Object.keys(REASONS) as Labelled[]) {
    const [name, help] = REASONS[field]
    const counter: Counter<'reason'> = new Counter({
      name: PREFIX + name,
      help,
      labelNames: ['reason'],
      registers,
      collect() {
        counter.reset()
        for (const [reason, count] of stats()[field]) counter.inc({ reason }, count)
      },
    })
  }
  return registry
}
