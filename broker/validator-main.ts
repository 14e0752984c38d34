/** A validator as a program: data directory, store, MQTT and HTTP wired together until the signal ends them. */
import type { Clock } from '../node/clock.ts'
import { History } from '../node/history.ts'
import { createHttp } from '../node/http.ts'
import type { Log } from '../node/log.ts'
import { openRuntime, SOFTWARE, sessionOptions, storageLimits, untilAborted } from '../node/runtime.ts'
import type { Progress } from '../node/sync-progress.ts'
import type { ValidatorConfig } from '../schemas/config.ts'
import type { Account } from '../schemas/hex.ts'
import { historyFile } from './history-file.ts'
import { Validator } from './validator.ts'

export interface ValidatorMainModules {
  readonly log: Log
  readonly clock: Clock
  readonly random: () => number
  /** Ends the program. */
  readonly signal: AbortSignal
  readonly onReady: (ready: { account: Account; httpPort: number | null }) => void
}

/** Runs until the signal is aborted; throws WorldError, or our own bug, with nothing left running. */
export async function runValidator(
  config: ValidatorConfig,
  { log, clock, random, signal, onReady }: ValidatorMainModules,
): Promise<void> {
  // Without HTTP nobody asks for them.
  const counting = config.httpPort === null ? undefined : await import('./validator-metrics.ts')
  const runtime = openRuntime(config.data, config.genesis, log, storageLimits(config.storage))
  const { done, fail } = untilAborted(signal)
  const metrics = counting?.createValidatorMetrics(
    () => validator,
    () => runtime.store.size,
  )
  const validator = new Validator(
    { session: sessionOptions(config.broker), name: config.name, software: SOFTWARE, signer: runtime.signer },
    {
      store: runtime.store,
      trusted: config.trusted,
      hand: runtime.hand,
      history: historyFile(runtime.dir.file('quality.json'), log),
      clock,
      random,
      log,
      events: metrics?.events,
      onFatal: fail,
    },
  )
  const health = () => {
    const { tip } = validator.node.chain
    return {
      ok: validator.node.session.connected,
      height: tip.height,
      final: validator.node.checkpoints.final.height,
      tip: tip.hash,
      inSync: validator.node.inSync,
      ...progressOf(validator.node.progress),
    }
  }
  const { node } = validator
  const history = new History(runtime.dir.path, runtime.store.chain, {
    requests: node.requests,
    peers: () => node.peers,
    log,
    monotonic: clock.monotonic,
    onFatal: fail,
  })
  const http =
    config.httpPort === null || metrics === undefined
      ? undefined
      : createHttp({ host: config.host, port: config.httpPort }, { health, registry: metrics.registry, log })
  try {
    const httpPort = (await http?.start()) ?? null
    validator.start()
    history.start()
    onReady({ account: runtime.signer.account, httpPort })
    await done
  } finally {
    history.stop()
    await Promise.allSettled([http?.stop(), validator.stop()])
    runtime.close()
  }
}

/** While catching up: which part of it, how much of how much, and the seconds that are left, if that is known. */
const progressOf = (progress: Progress | undefined) =>
  progress === undefined
    ? {}
    : {
        phase: progress.phase,
        done: progress.done,
        of: progress.of,
        perSecond: Math.round(progress.perSecond),
        secondsLeft: progress.secondsLeft === undefined ? null : Math.round(progress.secondsLeft),
      }
