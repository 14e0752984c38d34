/**
 * A mining thread: hashes its job in slices and sleeps between them, so that it uses `duty` of one core.
 *
 * It never returns to its event loop: orders are taken synchronously between batches of about a millisecond, which
 * bounds how long it goes on hashing after a newer order. A sleep that an order cuts short is slept to its end
 * afterwards, so that frequent orders do not raise the duty.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { invariant } from '../../schemas/result.js';
import { createKernel, targetWords, withNonce } from './kernel.js';
import { GENERATION, sharedViews } from './thread.js';
/** Between two looks at the generation. */
const BATCH_MS = 1;
const BATCH_MIN = 16;
const BATCH_MAX = 1 << 16;
function run(port, { memory, duty, sliceMs }) {
    const { generation, hashes } = sharedViews(memory);
    const kernel = createKernel();
    const report = (message) => port.postMessage(message);
    let job;
    let batch = BATCH_MIN;
    let lastHashNs = 0n;
    let sleepUntilMs = 0;
    /** Takes all waiting orders; the last counts. False: stop. */
    function takeOrders() {
        for (;;) {
            const order = receiveMessageOnPort(port)?.message;
            if (order === undefined)
                return true;
            if (order.stop)
                return false;
            if (job !== undefined) {
                const delayNs = lastHashNs - order.sentAtNs;
                report({ type: 'interrupted', delayMs: delayNs > 0n ? Number(delayNs) / 1e6 : 0 });
            }
            job = order.job && {
                number: order.job.number,
                header: order.job.header,
                work: kernel.prepare(order.job.header),
                target: targetWords(order.job.target),
                nonce: order.job.nonceStart,
            };
        }
    }
    /** Hashes until the slice is over, something is found or there is a newer order. */
    function slice(current, seen) {
        const startMs = performance.now();
        let nowMs = startMs;
        while (nowMs - startMs < sliceMs && Atomics.load(generation, GENERATION) === seen) {
            const nonce = kernel.scan(current.work, current.target, current.nonce, batch);
            lastHashNs = process.hrtime.bigint();
            const count = nonce === undefined ? batch : Number(BigInt.asUintN(64, nonce - current.nonce)) + 1;
            Atomics.add(hashes, 0, BigInt(count));
            if (nonce !== undefined) {
                report({ type: 'found', job: current.number, header: withNonce(current.header, nonce) });
                job = undefined;
                break;
            }
            current.nonce = BigInt.asUintN(64, current.nonce + BigInt(batch));
            const endMs = performance.now();
            batch = nextBatch(batch, endMs - nowMs);
            nowMs = endMs;
        }
        sleepUntilMs = performance.now() + (performance.now() - startMs) * (1 / duty - 1);
    }
    for (;;) {
        const seen = Atomics.load(generation, GENERATION);
        if (!takeOrders())
            return;
        const restMs = sleepUntilMs - performance.now();
        if (job === undefined)
            Atomics.wait(generation, GENERATION, seen);
        else if (restMs > 0)
            Atomics.wait(generation, GENERATION, seen, restMs);
        else
            slice(job, seen);
    }
}
/** Moves at most by a factor of two, so that one batch that was preempted does not decide. */
function nextBatch(batch, tookMs) {
    const ideal = (batch * BATCH_MS) / Math.max(tookMs, 0.001);
    const bounded = Math.min(batch * 2, Math.max(batch / 2, ideal));
    return Math.round(Math.min(BATCH_MAX, Math.max(BATCH_MIN, bounded)));
}
invariant(parentPort !== null, 'this file runs as a worker thread');
run(parentPort, workerData);
//# sourceMappingURL=worker.js.map