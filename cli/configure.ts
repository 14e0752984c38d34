/** Configuration of a program from its file and its options. */
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import type { AgentConfig } from '../edge-agent/config.ts'
import { loadConfig } from '../node/config-file.ts'
import { formatIssues } from '../node/config-issues.ts'
import { WorldError } from '../node/error.ts'
import type { CarrierConfig, ConnectionConfig, ValidatorConfig } from '../schemas/config.ts'

/** A configuration from a file, or from options alone; options given win over the file, and are checked as it is. */
export function configure<S extends z.ZodObject>(
  schema: S,
  file: string | undefined,
  options: object,
): z.output<S> {
  if (file === undefined)
    return checked(schema, options, '\ngive the missing options, or a file with --config')
  const config = loadConfig(file, schema)
  // What refines the whole needs all of it, and the file has been checked so.
  checked(z.strictObject(schema.shape).partial(), options)
  return {
    ...(isFollower(config) ? besideFile(file, config) : (config as object)),
    ...options,
  } as z.output<S>
}

function checked<S extends z.ZodType>(schema: S, options: object, remedy = ''): z.output<S> {
  const parsed = schema.safeParse(options)
  if (parsed.success) return parsed.data
  const issues = formatIssues(parsed.error.issues, { value: options, schema })
  throw new WorldError('config', `${issues.join('\n')}${remedy}`)
}

type Follower = AgentConfig | ValidatorConfig | CarrierConfig

const isFollower = (config: unknown): config is Follower =>
  typeof config === 'object' && config !== null && 'data' in config

/** Paths in a configuration file are relative to that file; those in options, to where the user stands. */
function besideFile(file: string, config: Follower): object {
  const at = (path: string): string => resolve(dirname(file), path)
  const connection = (given: ConnectionConfig): ConnectionConfig => ({
    ...given,
    ...(given.caFile === undefined ? {} : { caFile: at(given.caFile) }),
    ...(given.passwordFile === undefined ? {} : { passwordFile: at(given.passwordFile) }),
  })
  const { data, genesis, broker } = config
  const own =
    'sensors' in config
      ? {
          sensors: config.sensors.map((sensor) =>
            sensor.driver === 'script' ? { ...sensor, file: at(sensor.file) } : sensor,
          ),
          outputs: config.outputs.map((output) =>
            output.file === undefined ? output : { ...output, file: at(output.file) },
          ),
        }
      : {}
  const files =
    'files' in config && config.files !== undefined
      ? { files: { ...config.files, directory: at(config.files.directory) } }
      : {}
  return {
    ...config,
    ...own,
    ...files,
    data: at(data),
    ...(genesis === undefined ? {} : { genesis: at(genesis) }),
    broker: connection(broker),
    ...('otherBroker' in config
      ? { otherGenesis: at(config.otherGenesis), otherBroker: connection(config.otherBroker) }
      : {}),
  }
}

/** Leaves out options that were not given, so that they do not hide the file's. */
export const given = (options: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
