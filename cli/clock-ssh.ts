/**
 * A search on another machine: the system's ssh runs `pinledger clock mine --feed` there, jobs and finds travel through its pipes.
 *
 * What is said to ssh holds no secret: names, a port and the path of a key. Host keys are checked, nobody is asked for a
 * password. What the machine finds is checked here like anybody's tick, so it is not trusted.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  FEED_PROTOCOL,
  type FeedAnswer,
  feedAnswer,
  parseLine,
  readLines,
} from '../edge-agent/experiment/feed.ts'
import type { OpenSearch, SearchEvents } from '../edge-agent/experiment/search.ts'
import { WorldError } from '../node/error.ts'
import { harmless } from '../node/log.ts'
import { within } from '../node/within.ts'
import { toHex } from '../schemas/hex.ts'
import type { SshHost } from './clock-inventory.ts'

const CONNECT_SECONDS_MAX = 10
/** From the start of ssh to the first word of pinledger there: a small Pi takes seconds to load it and warm up. */
const READY_MS_MAX = 60_000
const STOP_MS_MAX = 3_000
/** Characters of stderr that are kept, for the message. */
const STDERR_MAX = 2_000

/** What ssh is called with. A machine that stops answering is given up after 15 s. */
export function sshArguments({ address, user, port, keyFile }: SshHost, command: string): string[] {
  const options = [
    ...['BatchMode=yes', 'StrictHostKeyChecking=yes', `ConnectTimeout=${CONNECT_SECONDS_MAX}`],
    ...['ServerAliveInterval=5', 'ServerAliveCountMax=3'],
  ].flatMap((option) => ['-o', option])
  return [
    '-T',
    ...options,
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(keyFile === undefined ? [] : ['-i', keyFile]),
    '--',
    address,
    command,
  ]
}

/** What the machine there is told to run. */
export const feedCommand = (threads: number): string =>
  `pinledger clock mine --feed --json --threads ${threads}`

/** Why there is no search on a host, from how ssh ended and what it said. */
export function whyEnded(host: SshHost, code: number | null, said: string): string {
  const where = host.address === host.name ? host.name : `${host.name} (${host.address})`
  const words = harmless(said.trim().split('\n').slice(-3).join(' / ').slice(-500))
  if (code === 255 && /host key verification failed|no .* host key is known/i.test(said))
    return `the host key of ${where} is not known, or not the one that it was: ${words}. If it is new:  ssh-keyscan ${host.address} >> ~/.ssh/known_hosts  and compare the key with the machine's`
  if (code === 255 && /permission denied/i.test(said))
    return `${where} does not let us in: ${words}. Nobody is asked for a password: put your key there, or into your ssh-agent`
  if (code === 255) return `cannot reach ${where} by ssh: ${words}`
  if (code === 127)
    return `there is no pinledger on ${where}: ${words}. To install it:  ansible-playbook playbooks/site.yml --limit ${host.name}`
  if (code === 2 && /unknown (command|option)|too many arguments/.test(said))
    return `pinledger on ${where} is too old for experiments. To update it:  ansible-playbook playbooks/update.yml --limit ${host.name} -e pinledger_release=FILE`
  return `pinledger on ${where} ended (${code}): ${words || 'without a word'}`
}

/** Searches on a host with so many threads. */
export const overSsh =
  (host: SshHost, threads: number): OpenSearch =>
  async (events) => {
    const remote = new Remote(host, threads, events)
    await remote.ready
    return { mine: (header) => remote.mine(header), stop: () => remote.stop() }
  }

class Remote {
  readonly #host: SshHost
  readonly #events: SearchEvents
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly ready: Promise<void>
  #unfinished = 0
  #stopping = false

  constructor(host: SshHost, threads: number, events: SearchEvents) {
    this.#host = host
    this.#events = events
    const child = spawn('ssh', sshArguments(host, feedCommand(threads)), {
      stdio: ['pipe', 'pipe', 'pipe'],
      // Ctrl-C is for us: we end it by closing its stdin, and hear what it says last.
      detached: true,
    })
    this.#child = child
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-STDERR_MAX)
    })
    // Jobs for a machine that has just gone; how ssh ends says why.
    child.stdin.on('error', () => {})
    let isReady = (): void => {}
    let failed = (_: WorldError): void => {}
    const greeted = new Promise<void>((resolve, reject) => {
      isReady = resolve
      failed = reject
    })
    const fail = (message: string, cause?: unknown): void => {
      const error = new WorldError('child', message, cause)
      failed(error)
      if (!this.#stopping) events.onFailed(error)
    }
    readLines(child.stdout, (line) => {
      const answer = parseLine(feedAnswer, line)
      // What a login script says goes by.
      if (answer === undefined) return
      if ('ready' in answer) {
        if (answer.ready === FEED_PROTOCOL) return isReady()
        fail(
          `pinledger ${harmless(answer.software)} on ${host.name} speaks another version of this (${answer.ready}, here ${FEED_PROTOCOL})`,
        )
      } else this.#heard(answer)
    })
    this.#ended = new Promise((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        fail(
          error.code === 'ENOENT'
            ? 'there is no program ssh here; on Debian: sudo apt-get install openssh-client'
            : `cannot start ssh: ${error.message}`,
          error,
        )
        resolve()
      })
      child.once('close', (code) => {
        fail(whyEnded(host, code, said))
        resolve()
      })
    })
    this.ready = this.#greeting(greeted)
  }

  mine(header: Uint8Array): void {
    this.#child.stdin?.write(`${JSON.stringify({ header: toHex(header) })}\n`)
  }

  async stop(): Promise<number> {
    if (!this.#stopping) {
      this.#stopping = true
      this.#child.stdin?.end()
    }
    const timer = setTimeout(() => this.#child.kill(), STOP_MS_MAX)
    await this.#ended
    clearTimeout(timer)
    const unfinished = this.#unfinished
    this.#unfinished = 0
    return unfinished
  }

  async #greeting(greeted: Promise<void>): Promise<void> {
    const inTime = await within(
      READY_MS_MAX,
      greeted.then(() => true),
    ).catch(async (error: unknown) => {
      await this.stop()
      throw error
    })
    if (inTime) return
    await this.stop()
    throw new WorldError(
      'child',
      `pinledger on ${this.#host.name} did not say in ${READY_MS_MAX / 1000} s that it is ready`,
    )
  }

  #heard(answer: Exclude<FeedAnswer, { ready: number }>): void {
    if ('unfinished' in answer) this.#unfinished = answer.unfinished
    else if (!this.#stopping) this.#events.onFound(answer)
  }
}
