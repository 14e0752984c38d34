/** What a queued message costs beside its payload and topic, so that empty messages are bounded too. */
const MESSAGE_OVERHEAD_BYTES = 256;
export class Inbox {
    #bytesMax;
    #modules;
    #queue = [];
    #next = 0;
    #bytes = 0;
    #droppedMessages = 0;
    #droppedBytes = 0;
    #draining;
    #closed = false;
    constructor(bytesMax, modules) {
        this.#bytesMax = bytesMax;
        this.#modules = modules;
    }
    push(message) {
        if (this.#closed)
            return;
        const cost = costBytes(message);
        if (this.#bytes + cost > this.#bytesMax)
            this.drop(message.payload.length);
        else {
            this.#queue.push(message);
            this.#bytes += cost;
        }
        this.#draining ??= this.#drain();
    }
    /** Counts a message that the caller had to refuse itself. */
    drop(bytes) {
        this.#droppedMessages++;
        this.#droppedBytes += bytes;
        if (!this.#closed)
            this.#draining ??= this.#drain();
    }
    /** Forgets what is queued; resolves once a running handler has ended. */
    async close() {
        this.#closed = true;
        this.#queue = [];
        await this.#draining;
    }
    async #drain() {
        await turn();
        try {
            for (let message = this.#take(); message !== undefined; message = this.#take()) {
                this.#report();
                try {
                    await this.#modules.handle(message);
                }
                catch (error) {
                    this.#modules.onFault(error);
                }
                await turn();
            }
            this.#report();
        }
        finally {
            this.#draining = undefined;
        }
    }
    #take() {
        const message = this.#queue[this.#next];
        if (message === undefined) {
            this.#queue = [];
            this.#next = 0;
            this.#bytes = 0;
            return undefined;
        }
        this.#bytes -= costBytes(message);
        if (++this.#next >= 1024) {
            this.#queue = this.#queue.slice(this.#next);
            this.#next = 0;
        }
        return message;
    }
    #report() {
        if (this.#droppedMessages === 0)
            return;
        const [messages, bytes] = [this.#droppedMessages, this.#droppedBytes];
        this.#droppedMessages = 0;
        this.#droppedBytes = 0;
        try {
            this.#modules.onDropped(messages, bytes);
        }
        catch (error) {
            this.#modules.onFault(error);
        }
    }
}
const costBytes = ({ topic, payload }) => payload.length + topic.length + MESSAGE_OVERHEAD_BYTES;
const turn = () => new Promise((resolve) => setImmediate(resolve));
//# sourceMappingURL=inbox.js.map