import { History } from '../node/history.js';
import { createHttp } from '../node/http.js';
import { openRuntime, SOFTWARE, sessionOptions, storageLimits, untilAborted } from '../node/runtime.js';
import { Validator } from './validator.js';
import { createValidatorMetrics } from './validator-metrics.js';
/** Runs until the signal is aborted; throws WorldError, or our own bug, with nothing left running. */
export async function runValidator(config, { log, clock, random, signal, onReady }) {
    const runtime = openRuntime(config.data, config.genesis, log, storageLimits(config.storage));
    const { done, fail } = untilAborted(signal);
    const { registry, events } = createValidatorMetrics(() => validator, () => runtime.store.size);
    const validator = new Validator({ session: sessionOptions(config.broker), name: config.name, software: SOFTWARE, signer: runtime.signer }, { store: runtime.store, clock, random, log, events, onFatal: fail });
    const health = () => {
        const { tip } = validator.node.chain;
        return {
            ok: validator.node.session.connected,
            height: tip.height,
            final: validator.node.checkpoints.final.height,
            tip: tip.hash,
            inSync: validator.node.inSync,
            ...progressOf(validator.node.progress),
        };
    };
    const { node } = validator;
    const history = new History(runtime.dir.path, runtime.store.chain, {
        requests: node.requests,
        peers: () => node.peers,
        log,
        monotonic: clock.monotonic,
        onFatal: fail,
    });
    const http = config.httpPort === null
        ? undefined
        : createHttp({ host: config.host, port: config.httpPort }, { health, registry, log });
    try {
        const httpPort = (await http?.start()) ?? null;
        validator.start();
        history.start();
        onReady({ account: runtime.signer.account, httpPort });
        await done;
    }
    finally {
        history.stop();
        await Promise.allSettled([http?.stop(), validator.stop()]);
        runtime.close();
    }
}
/** While catching up: which part of it, how much of how much, and the seconds that are left, if that is known. */
const progressOf = (progress) => progress === undefined
    ? {}
    : {
        phase: progress.phase,
        done: progress.done,
        of: progress.of,
        perSecond: Math.round(progress.perSecond),
        secondsLeft: progress.secondsLeft === undefined ? null : Math.round(progress.secondsLeft),
    };
//# sourceMappingURL=validator-main.js.map