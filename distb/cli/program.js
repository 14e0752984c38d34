/** What the long-running commands share: stop signals, a duration, the log, readiness told to a supervisor and to systemd. */
import { createLog, formatFor } from '../node/log.js';
import { createNotifier } from '../node/notify.js';
/** Stops on SIGINT, SIGTERM, the end of the supervisor, or the duration. A second signal ends at once. */
export function running({ name, json, level, duration }) {
    const controller = new AbortController();
    const stop = () => {
        if (controller.signal.aborted)
            process.exit(130);
        controller.abort();
    };
    const gone = () => controller.abort();
    const timer = duration === undefined ? undefined : setTimeout(gone, duration * 1000);
    process.on('SIGINT', stop).on('SIGTERM', stop).on('disconnect', gone);
    const log = createLog({
        name,
        format: formatFor(process.stdout, json),
        level,
        write: (line) => process.stdout.write(line),
        now: Date.now,
    });
    const notifier = createNotifier(process.env, { onFailure: (reason) => log.warn('systemd', { reason }) });
    controller.signal.addEventListener('abort', () => notifier.stopping(), { once: true });
    return {
        log,
        signal: controller.signal,
        ready(facts) {
            notifier.ready(Object.entries(facts)
                .filter(([, fact]) => fact !== null)
                .map(([name, fact]) => `${name} ${fact}`)
                .join(', '));
            if (process.send !== undefined && process.connected)
                process.send({ ready: facts });
        },
        end() {
            clearTimeout(timer);
            notifier.stopping();
            process.off('SIGINT', stop).off('SIGTERM', stop).off('disconnect', gone);
            // An open channel to the supervisor would keep the process alive.
            if (process.connected)
                process.disconnect();
        },
    };
}
//# sourceMappingURL=program.js.map