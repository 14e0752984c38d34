/**
 * The broker's Prometheus metrics, read from its `stats` when they are asked for.
 */
import { Counter, Gauge, Registry } from 'prom-client';
const GAUGES = {
    connections: ['connections', 'Open sockets'],
    clients: ['clients', 'Clients that are logged in'],
    retained: ['retained_messages', 'Retained messages'],
    retainedBytes: ['retained_bytes', 'Bytes of retained messages'],
    sessions: ['sessions', 'Persistent sessions'],
    grants: ['grants', 'Buyers of paid topics, each for each topic'],
    queuedBytes: ['queued_bytes', 'Bytes that wait in persistent sessions'],
    backlogBytes: ['backlog_bytes', 'Bytes that connected clients have not read yet'],
};
const COUNTERS = {
    messages: ['messages_total', 'Messages accepted from clients'],
    bytes: ['message_bytes_total', 'Payload bytes accepted from clients'],
};
const REASONS = {
    refused: ['refused_total', 'Refusals by reason'],
    withheld: ['withheld_total', 'Messages not forwarded to a subscriber, by reason'],
};
const PREFIX = 'pinledger_broker_';
export function createBrokerMetrics(stats) {
    const registry = new Registry();
    const registers = [registry];
    for (const field of Object.keys(GAUGES)) {
        const [name, help] = GAUGES[field];
        const gauge = new Gauge({
            name: PREFIX + name,
            help,
            registers,
            collect: () => gauge.set(stats()[field]),
        });
    }
    for (const field of Object.keys(COUNTERS)) {
        const [name, help] = COUNTERS[field];
        const counter = new Counter({
            name: PREFIX + name,
            help,
            registers,
            collect() {
                counter.reset();
                counter.inc(stats()[field]);
            },
        });
    }
    for (const field of Object.keys(REASONS)) {
        const [name, help] = REASONS[field];
        const counter = new Counter({
            name: PREFIX + name,
            help,
            labelNames: ['reason'],
            registers,
            collect() {
                counter.reset();
                for (const [reason, count] of stats()[field])
                    counter.inc({ reason }, count);
            },
        });
    }
    return registry;
}
//# sourceMappingURL=metrics.js.map