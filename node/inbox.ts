/**
 * Messages on their way from a socket to the one loop that owns the ledger.
 *
 * The socket's event only queues; messages are handed on one at a time, each in its own turn of the event loop, so that
 * a long queue does not starve keep-alives. The queue is bounded by bytes: what does not fit is dropped and counted,
 * because the peer decides how much it sends.
 */
export interface InboxMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly retain: boolean
}

export interface InboxModules {
  readonly handle: (message: InboxMessage) => Promise<void> | void
  /** How many messages, of how many bytes, were dropped since the last report. */
  readonly onDropped: (messages: number, bytes: number) => void
  /** `handle` threw: our own bug. */
  readonly onFault: (error: unknown) => void
}

/** What a queued message costs beside its payload and topic, so that empty messages are bounded too. */
const MESSAGE_OVERHEAD_BYTES = 256

export class Inbox {
  readonly #bytesMax: number
  readonly #modules: InboxModules
  #queue: InboxMessage[] = []
  #next = 0
  #bytes = 0
  #droppedMessages = 0
  #droppedBytes = 0
  #draining: Promise<void> | undefined
  #closed = false

  constructor(bytesMax: number, modules: InboxModules) {
    this.#bytesMax = bytesMax
    this.#modules = modules
  }

  push(message: InboxMessage): void {
    if (this.#closed) return
    const cost = costBytes(message)
    if (this.#bytes + cost > this.#bytesMax) this.drop(message.payload.length)
    else {
      this.#queue.push(message)
      this.#bytes += cost
    }
    this.#draining ??= this.#drain()
  }

  /** Counts a message that the caller had to refuse itself. */
  drop(bytes: number): void {
    this.#droppedMessages++
    this.#droppedBytes += bytes
    if (!this.#closed) this.#draining ??= this.#drain()
  }

  /** Takes nothing more; resolves once what is queued has been handled. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#draining
  }

  /** Forgets what is queued, but for the message that is being handled. */
  forget(): void {
    this.#queue = []
  }

  async #drain(): Promise<void> {
    await turn()
    try {
      for (let message = this.#take(); message !== undefined; message = this.#take()) {
        this.#report()
        try {
          await this.#modules.handle(message)
        } catch (error) {
          this.#modules.onFault(error)
        }
        await turn()
      }
      this.#report()
    } finally {
      this.#draining = undefined
    }
  }

  #take(): InboxMessage | undefined {
    const message = this.#queue[this.#next]
    if (message === undefined) {
      this.#queue = []
      this.#next = 0
      this.#bytes = 0
      return undefined
    }
    this.#bytes -= costBytes(message)
    if (++this.#next >= 1024) {
      this.#queue = this.#queue.slice(this.#next)
      this.#next = 0
    }
    return message
  }

  #report(): void {
    if (this.#droppedMessages === 0) return
    const [messages, bytes] = [this.#droppedMessages, this.#droppedBytes]
    this.#droppedMessages = 0
    this.#droppedBytes = 0
    try {
      this.#modules.onDropped(messages, bytes)
    } catch (error) {
      this.#modules.onFault(error)
    }
  }
}

const costBytes = ({ topic, payload }: InboxMessage): number =>
  payload.length + topic.length + MESSAGE_OVERHEAD_BYTES

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
