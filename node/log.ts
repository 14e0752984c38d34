/**
 * One line per event: for people on a terminal (coloured), plain in a pipe, or one JSON object a line.
 *
 * Fields are facts (`height=12 miner=ab12`), never secrets.
 */
export type Level = 'debug' | 'info' | 'warn' | 'error'
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>
export type Log = Readonly<Record<Level, (event: string, fields?: Fields) => void>>
export type Format = 'text' | 'colour' | 'json'

const RANK: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 }
const COLOUR: Readonly<Record<Level, string>> = {
  debug: '\x1b[90m',
  info: '',
  warn: '\x1b[33m',
  error: '\x1b[31m',
}

export interface LogOptions {
  /** Who speaks: `broker`, `validator 1`, a device's name. */
  readonly name: string
  readonly format: Format
  readonly level: Level
  readonly write: (line: string) => void
  readonly now: () => number
}

export function createLog(options: LogOptions): Log {
  const line =
    (level: Level) =>
    (event: string, fields: Fields = {}) => {
      if (RANK[level] < RANK[options.level]) return
      const at = new Date(options.now()).toISOString()
      if (options.format === 'json') {
        options.write(`${escaped(JSON.stringify({ at, level, name: options.name, event, ...fields }))}\n`)
        return
      }
      const facts = Object.entries(fields)
        .filter(([, value]) => value !== undefined)
        .map(([key, value]) => `${key}=${printable(String(value))}`)
        .join(' ')
      const text = `${at.slice(11, 19)} ${options.name.padEnd(12)} ${level === 'info' ? '' : `${level}: `}${event}${facts && ` ${facts}`}`
      const colour = options.format === 'colour' ? COLOUR[level] : ''
      options.write(colour === '' ? `${text}\n` : `${colour}${text}\x1b[0m\n`)
    }
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

/** A peer's text must not move our cursor or fake a line. */
export const harmless = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD')

/** JSON leaves the upper control characters as they are, and terminals obey them. */
const escaped = (json: string): string =>
  json.replace(/[\x7f-\x9f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

function printable(value: string): string {
  const clean = harmless(value)
  return /\s|"/.test(clean) ? JSON.stringify(clean) : clean
}

/** Format that suits where the output goes: colours on a terminal unless NO_COLOR is set. */
export const formatFor = (stream: { isTTY?: boolean }, json: boolean): Format =>
  json ? 'json' : stream.isTTY === true && process.env.NO_COLOR === undefined ? 'colour' : 'text'
