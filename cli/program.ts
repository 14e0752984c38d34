/** What the long-running commands share: stop signals, a duration, the log, readiness told to a supervisor and to systemd. */
import { createLog, formatFor, type Level, type Log } from '../node/log.ts'
import { createNotifier } from '../node/notify.ts'

/** How a child of `pinledger up` says that it runs and where. */
export interface Ready {
  readonly ready: Readonly<Record<string, string | number | null>>
}

export interface Running {
  readonly log: Log
  readonly signal: AbortSignal
  readonly ready: (facts: Ready['ready']) => void
  /** Takes the signal handlers away again. */
  end(): void
}

export interface RunningOptions {
  readonly name: string
  readonly json: boolean
  readonly level: Level
  /** Stop by itself after so many seconds. */
  readonly duration?: number | undefined
}

/** Stops on SIGINT, SIGTERM, the end of the supervisor, or the duration. A second signal ends at once. */
export function running({ name, json, level, duration }: RunningOptions): Running {
  const controller = new AbortController()
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
  }
  const gone = (): void => controller.abort()
  const timer = duration === undefined ? undefined : setTimeout(gone, duration * 1000)
  process.on('SIGINT', stop).on('SIGTERM', stop).on('disconnect', gone)
  const log = createLog({
    name,
    format: formatFor(process.stdout, json),
    level,
    write: (line) => process.stdout.write(line),
    now: Date.now,
  })
  const notifier = createNotifier(process.env, { onFailure: (reason) => log.warn('systemd', { reason }) })
  controller.signal.addEventListener('abort', () => notifier.stopping(), { once: true })
  return {
    log,
    signal: controller.signal,
    ready(facts) {
      notifier.ready(
        Object.entries(facts)
          .filter(([, fact]) => fact !== null)
          .map(([name, fact]) => `${name} ${fact}`)
          .join(', '),
      )
      if (process.send !== undefined && process.connected) process.send({ ready: facts } satisfies Ready)
    },
    end() {
      clearTimeout(timer)
      notifier.stopping()
      process.off('SIGINT', stop).off('SIGTERM', stop).off('disconnect', gone)
      // An open channel to the supervisor would keep the process alive.
      if (process.connected) process.disconnect()
    },
  }
}
