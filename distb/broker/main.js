/**
 * The broker as a program: broker, metrics and HTTP wired together until the signal ends them.
 */
import { createHttp } from '../node/http.js';
import { createBroker } from './broker.js';
import { createBrokerMetrics } from './metrics.js';
/** Runs until the signal is aborted; throws WorldError when it cannot listen, with nothing left running. */
export async function runBroker(config, modules) {
    const { log, signal, onReady } = modules;
    if (signal.aborted)
        return;
    const broker = createBroker(config, { log });
    const registry = createBrokerMetrics(() => broker.stats());
    const health = () => {
        const { clients, messages, retained } = broker.stats();
        return { ok: true, clients, messages, retained };
    };
    const http = config.httpPort === null
        ? undefined
        : createHttp({ host: config.host, port: config.httpPort }, { health, registry, log });
    try {
        const { mqttPort, wsPort } = await broker.start();
        const httpPort = (await http?.start()) ?? null;
        log.info('listening', { host: config.host, mqtt: mqttPort, ws: wsPort, http: httpPort ?? undefined });
        onReady?.({ mqttPort, wsPort, httpPort });
        await aborted(signal);
    }
    finally {
        // Both, whatever the other does.
        const steps = await Promise.allSettled([http?.stop(), broker.stop()]);
        for (const step of steps)
            if (step.status === 'rejected')
                log.error('stop failed', { error: String(step.reason) });
    }
}
const aborted = (signal) => new Promise((resolve) => {
    if (signal.aborted)
        resolve();
    else
        signal.addEventListener('abort', () => resolve(), { once: true });
});
//# sourceMappingURL=main.js.map