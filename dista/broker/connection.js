/**
 * One client's connection as Aedes sees it: a stream around a TCP socket or a WebSocket stream.
 *
 * Inwards it passes on only whole, well-formed frames of bounded size, with the source's backpressure. Outwards it
 * never makes Aedes wait, since one slow subscriber would stall every publisher: what the client does not read yet is
 * kept here, and a client that is too far behind is cut off. Invariants: `backlog` counts every byte in `#waiting`;
 * the budget's sums contain exactly the bytes of its connections; nothing is passed on after a fault.
 */
import { Duplex } from 'node:stream';
import { FrameScanner } from './frame.js';
/** Small writes that wait are copied into pages, so that memory is used by bytes and not by objects. */
const PAGE_BYTES = 16_384;
/** How long a refused client has to read the last answer and close. */
const LINGER_MS = 1000;
export class Connection extends Duplex {
    address;
    /** Set by the hooks once the client has said its name, for the log. */
    clientId;
    #source;
    #modules;
    #scanner;
    #waiting = [];
    /** Bytes used of the last page of `#waiting`, undefined when that is not a page of ours. */
    #pageUsed;
    #blocked = false;
    #received = 0;
    #stallTimer;
    /** Bytes that wait for the client to read, beside what the source itself holds. */
    backlog = 0;
    constructor(source, modules) {
        // One largest message passes without a wait for 'drain'.
        super({ allowHalfOpen: false, writableHighWaterMark: 2 * modules.limits.messageBytesMax });
        this.address = modules.address;
        this.#source = source;
        this.#modules = modules;
        this.#scanner = new FrameScanner(modules.limits);
    }
    /** Begins to read; not in the constructor, so that the owner can register the connection first. */
    open() {
        this.#modules.budget.add(this);
        this.#source.on('data', this.#onData);
        this.#source.on('end', () => this.push(null));
        this.#source.on('drain', () => this.#drained());
        this.#source.on('error', (error) => this.destroy(error));
        this.#source.on('close', () => this.destroy());
    }
    /** The login succeeded: frames after CONNECT go on. */
    admit(publishes) {
        if (this.destroyed)
            return;
        this.#pass(this.#scanner.admit(publishes));
        this._read();
    }
    /** Ends a connection at once, without a last will's delay or a lingering socket. */
    cut(reason) {
        if (this.destroyed)
            return;
        this.#modules.onRefuse(reason, this.backlog);
        this.#source.destroy();
        this.destroy();
    }
    #onData = (chunk) => {
        this.#pass(this.#scanner.scan(chunk));
    };
    #pass(scan) {
        const { budget } = this.#modules;
        budget.receiving += this.#scanner.buffered - this.#received;
        this.#received = this.#scanner.buffered;
        const more = scan.frames.length === 0 || this.push(scan.frames);
        if (!more || this.#scanner.held)
            this.#source.pause();
        if (scan.fault !== undefined)
            this.#refuse(scan.fault);
        else if (budget.receiving > this.#modules.limits.receivingBytesMax)
            this.cut('receive-budget');
    }
    #refuse(fault) {
        this.#modules.onRefuse(fault.code, fault.bytes);
        if (fault.answer !== undefined)
            this.#source.write(fault.answer);
        this.destroy();
    }
    _read() {
        if (!this.#scanner.held)
            this.#source.resume();
    }
    _write(chunk, _encoding, done) {
        this.#send(chunk);
        this.#bound();
        done();
    }
    _writev(items, done) {
        this.#source.cork();
        for (const { chunk } of items)
            this.#send(chunk);
        this.#source.uncork();
        this.#bound();
        done();
    }
    #send(chunk) {
        if (this.destroyed)
            return;
        if (!this.#blocked) {
            this.#offer(chunk);
            return;
        }
        this.backlog += chunk.length;
        this.#modules.budget.outgoing += chunk.length;
        if (chunk.length >= PAGE_BYTES / 4) {
            this.#sealPage();
            this.#waiting.push(chunk);
            return;
        }
        const page = this.#waiting.at(-1);
        if (page !== undefined && this.#pageUsed !== undefined && this.#pageUsed + chunk.length <= PAGE_BYTES) {
            page.set(chunk, this.#pageUsed);
            this.#pageUsed += chunk.length;
            return;
        }
        this.#sealPage();
        const fresh = Buffer.allocUnsafeSlow(PAGE_BYTES);
        fresh.set(chunk);
        this.#waiting.push(fresh);
        this.#pageUsed = chunk.length;
    }
    /** Cuts the last page to what was written into it: the rest is other people's memory. */
    #sealPage() {
        const page = this.#waiting.pop();
        if (page === undefined)
            return;
        const used = this.#pageUsed === undefined ? page : page.subarray(0, this.#pageUsed);
        // A nearly empty page would keep all its memory while it counts for its few bytes.
        this.#waiting.push(used.length < PAGE_BYTES / 2 ? Buffer.from(used) : used);
        this.#pageUsed = undefined;
    }
    #offer(chunk) {
        this.#blocked = !this.#source.write(chunk);
        if (!this.#blocked)
            return;
        this.#stallTimer ??= setTimeout(() => this.cut('stalled-reader'), this.#modules.limits.stallMsMax).unref();
    }
    #drained() {
        clearTimeout(this.#stallTimer);
        this.#stallTimer = undefined;
        this.#blocked = false;
        this.#sealPage();
        while (!this.#blocked) {
            const next = this.#waiting.shift();
            if (next === undefined)
                return;
            this.backlog -= next.length;
            this.#modules.budget.outgoing -= next.length;
            this.#offer(next);
        }
    }
    #bound() {
        if (this.backlog > this.#modules.limits.outgoingBytesMax)
            this.cut('slow-reader');
        else
            this.#modules.budget.settle();
    }
    _destroy(error, done) {
        const { budget } = this.#modules;
        clearTimeout(this.#stallTimer);
        const unread = this.#waiting.length > 0;
        budget.remove(this);
        budget.outgoing -= this.backlog;
        budget.receiving -= this.#received;
        this.backlog = 0;
        this.#received = 0;
        this.#waiting = [];
        this.#pageUsed = undefined;
        this.#source.off('data', this.#onData);
        if (unread)
            this.#source.destroy();
        else
            closeGently(this.#source);
        done(error);
    }
}
/** Lets the peer read what was written last: a socket closed with unread input would reset and lose it. */
function closeGently(source) {
    if (source.destroyed)
        return;
    const timer = setTimeout(() => source.destroy(), LINGER_MS);
    source.once('close', () => clearTimeout(timer));
    source.on('data', () => { }); // discard
    source.end();
    source.resume();
}
//# sourceMappingURL=connection.js.map