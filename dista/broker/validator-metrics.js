/** A validator's Prometheus metrics. */
import { Counter, Gauge, Registry } from 'prom-client';
export function createValidatorMetrics(validator, storeBytes) {
    const registry = new Registry();
    const registers = [registry];
    const gauges = {
        height: ['Height of the best chain', () => validator().node.chain.tip.height],
        final_height: ['Height of the highest final block', () => validator().node.checkpoints.final.height],
        tip_time_seconds: ['Time of the tip, seconds since 1970', () => validator().node.chain.tip.time / 1000],
        supply_units: ['Smallest units in existence', () => validator().node.chain.state.totals().supply],
        mempool_transactions: ['Transactions that wait', () => validator().node.mempool.size],
        mempool_bytes: ['Bytes of transactions that wait', () => validator().node.mempool.bytes],
        store_bytes: ['Bytes of the chain on disk', storeBytes],
        grants: ['Buyers of paid topics, each for each topic', () => validator().grants.size],
        grants_dropped: ['Receipts for paid topics that found no room', () => validator().grants.dropped],
        connected: ['1 while connected to the broker', () => Number(validator().node.session.connected)],
    };
    for (const [name, [help, read]] of Object.entries(gauges)) {
        const gauge = new Gauge({
            name: `pinledger_${name}`,
            help,
            registers,
            collect: () => gauge.set(read()),
        });
    }
    const blocks = new Counter({
        name: 'pinledger_blocks_total',
        help: 'Blocks connected since the start',
        registers,
    });
    const transactions = new Counter({
        name: 'pinledger_transactions_total',
        help: 'Transactions confirmed since the start',
        registers,
    });
    const readings = new Counter({
        name: 'pinledger_readings_total',
        help: 'Readings confirmed since the start',
        registers,
    });
    const disconnected = new Counter({
        name: 'pinledger_blocks_disconnected_total',
        help: 'Blocks undone by reorganisations',
        registers,
    });
    const refused = new Counter({
        name: 'pinledger_refused_total',
        help: 'Refused messages',
        labelNames: ['kind', 'code'],
        registers,
    });
    return {
        registry,
        events: {
            connected(count, confirmed, read) {
                blocks.inc(count);
                transactions.inc(confirmed);
                readings.inc(read);
            },
            disconnected: (count) => disconnected.inc(count),
            refused: (kind, code) => refused.inc({ kind, code }),
        },
    };
}
//# sourceMappingURL=validator-metrics.js.map