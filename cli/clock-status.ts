/** `pinledger clock status`: how good a clock a running network is, as its validators say. */
import { z } from 'zod'
import { harmless, type Log } from '../node/log.ts'
import type { SessionOptions } from '../node/session.ts'
import { short } from '../schemas/hex.ts'
import { EXIT } from './exit.ts'
import { readRetained } from './reader.ts'

const nullable = z.number().nullable()
const hand = z.looseObject({
  height: z.int(),
  meanMs: nullable,
  sdMs: nullable,
  beats: z.int(),
  intervalMs: z.number(),
  driftMs: z.number(),
  driftRuleMs: z.number(),
  driftSdMs: z.number(),
  silentMs: z.number(),
})
const report = z.looseObject({
  fast: hand,
  slow: hand.nullable(),
  ratio: z.looseObject({ mean: z.number(), law: z.number(), sd: z.number(), ticks: z.int() }).nullable(),
  stale: z.looseObject({ blocks: z.int(), of: z.int() }),
  miners: z
    .array(
      z.looseObject({ account: z.string(), blocks: z.int(), hashesPerSecond: z.number(), aheadMs: nullable }),
    )
    .max(256),
  alarms: z.array(z.looseObject({ code: z.string(), message: z.string() })).max(256),
})
type Report = z.infer<typeof report>
const presence = z.looseObject({ name: z.string() })

/** Prints to `out`; 1 when a validator raises an alarm, or none says anything. Throws WorldError `broker-unreachable`. */
export async function statusCommand(
  where: Pick<SessionOptions, 'url'>,
  json: boolean,
  log: Log,
  out: (text: string) => void,
): Promise<number> {
  const reports = new Map<string, { network: string; report: Report }>()
  const names = new Map<string, string>()
  await readRetained(where, ['clock', 'status'], log, ({ kind, network, publisher, value }) => {
    const name = kind === 'status' ? presence.safeParse(value) : undefined
    if (name?.success) names.set(publisher, name.data.name)
    const parsed = kind === 'clock' ? report.safeParse(value) : undefined
    if (parsed?.success) reports.set(`${network} ${publisher}`, { network, report: parsed.data })
  })
  const nameOf = (account: string): string => names.get(account) ?? short(account)
  if (reports.size === 0) {
    log.warn('no validator on this broker says what its clock does: does one run, and is it of this version?')
    return EXIT.no
  }
  for (const [key, { network, report: said }] of reports) {
    const validator = key.split(' ')[1] ?? ''
    out(
      json
        ? `${JSON.stringify({ network, validator, ...said })}\n`
        : `${linesOf(`network ${network}, as ${nameOf(validator)} sees it`, said, nameOf)
            .map(harmless)
            .join('\n')}\n`,
    )
  }
  return [...reports.values()].some(({ report: { alarms } }) => alarms.length > 0) ? EXIT.no : EXIT.ok
}

function linesOf(
  title: string,
  { fast, slow, ratio, stale, miners, alarms }: Report,
  nameOf: (account: string) => string,
): string[] {
  return [
    title,
    handWords('fast hand', 'blocks', fast),
    ...(slow === null ? [] : [handWords('slow hand', 'ticks', slow)]),
    ...(ratio === null
      ? slow === null
        ? []
        : ['  hand ratio   too few ticks yet']
      : [
          `  hand ratio   ${ratio.mean.toFixed(1)} blocks per tick over ${ratio.ticks}; the law says ${ratio.law} ± ${(3 * ratio.sd).toFixed(1)} (3 sigma)`,
        ]),
    `  stale        ${stale.blocks} of ${stale.of} blocks that came were not on the best chain`,
    ...miners.map(
      ({ account, blocks, hashesPerSecond, aheadMs }) =>
        `  miner        ${nameOf(account)}: ${blocks} blocks, ${rate(hashesPerSecond)}${aheadMs === null ? '' : `, clock ${signed(aheadMs)}`}`,
    ),
    ...(alarms.length === 0
      ? ['  alarms       none']
      : alarms.map(({ code, message }) => `  ALARM        ${code}: ${message}`)),
  ]
}

function handWords(
  name: string,
  what: string,
  { height, meanMs, sdMs, beats, intervalMs, driftMs, driftRuleMs, driftSdMs, silentMs }: Report['fast'],
): string {
  const pace =
    meanMs === null || sdMs === null
      ? 'too few yet'
      : `one in ${(meanMs / 1000).toFixed(1)} s over ${beats} (steers to ${intervalMs / 1000} s, luck ± ${((3 * sdMs) / 1000).toFixed(1)})`
  return `  ${name.padEnd(12)} ${height} ${what}, ${pace}; drift ${signed(driftMs)} (at a steady rate ${signed(driftRuleMs)} ± ${((3 * driftSdMs) / 1000).toFixed(0)} s); last ${(silentMs / 1000).toFixed(0)} s ago`
}

const signed = (ms: number): string => `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1000).toFixed(1)} s`

const rate = (perSecond: number): string =>
  perSecond >= 1e6 ? `${(perSecond / 1e6).toFixed(2)} MH/s` : `${(perSecond / 1e3).toFixed(1)} kH/s`
