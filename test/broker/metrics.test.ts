import t from 'tap'
import { createBrokerMetrics } from '../../broker/metrics.ts'

t.test('metrics show what stats say when they are asked for', async (t) => {
  const stats = {
    connections: 3,
    clients: 2,
    messages: 10,
    bytes: 500,
    refused: new Map([['foreign-name', 4]]),
    withheld: new Map([['not-paid', 6]]),
    grants: 12,
    retained: 5,
    retainedBytes: 700,
    sessions: 1,
    queuedBytes: 8,
    backlogBytes: 9,
  }
  const registry = createBrokerMetrics(() => stats)
  await registry.metrics()
  stats.messages = 11
  const text = await registry.metrics()
  for (const line of [
    'connections 3',
    'clients 2',
    'messages_total 11',
    'message_bytes_total 500',
    'refused_total{reason="foreign-name"} 4',
    'withheld_total{reason="not-paid"} 6',
    'grants 12',
    'retained_messages 5',
    'retained_bytes 700',
    'sessions 1',
    'queued_bytes 8',
    'backlog_bytes 9',
  ])
    t.match(text, `\npinledger_broker_${line}\n`, line)
})
