/** All files that go onto the boot partition of one Pi, for either release. */
import { WorldError } from '../node/error.ts'
import { withConfigBlock, withParameters } from './boot-text.ts'
import { cloudInitFiles } from './cloud-init.ts'
import type { Device } from './device.ts'
import { KEY_FILE } from './first-boot.ts'
import { FIRSTRUN_PARAMETERS, firstrunFiles } from './firstrun.ts'
import type { PiConfig, Release } from './pi.ts'

/** Content by name, relative to the root of the FAT partition. */
export type BootFiles = ReadonlyMap<string, string>

/** The names that `bootFiles` may make: whoever changes the release takes the other's away. */
export const MADE = ['user-data', 'network-config', 'meta-data', 'firstrun.sh', KEY_FILE] as const

/** What the image's boot partition has already, as far as it is changed or tells the release. */
export interface BootPartition {
  readonly 'config.txt': string | undefined
  readonly 'cmdline.txt': string | undefined
  readonly hasCloudInit: boolean
}

/** cloud-init's images carry examples of its files. */
export const releaseOf = (
  { release }: PiConfig,
  { hasCloudInit }: Pick<BootPartition, 'hasCloudInit'>,
): Release => release ?? (hasCloudInit ? 'trixie' : 'bookworm')

/** Lines of our block in config.txt. */
export function configLines({ watchdogSeconds, i2c, oneWirePin, overlays, configLines }: PiConfig): string[] {
  return [
    ...(watchdogSeconds > 0 ? ['dtparam=watchdog=on'] : []),
    ...(i2c ? ['dtparam=i2c_arm=on'] : []),
    ...(oneWirePin === undefined ? [] : [`dtoverlay=w1-gpio,gpiopin=${oneWirePin}`]),
    ...overlays.map((overlay) => `dtoverlay=${overlay}`),
    ...configLines,
  ]
}

/** What stands in cmdline.txt for the first boot and, in part, later. */
export function kernelParameters({ wifi }: PiConfig, release: Release): string[] {
  return [
    ...(wifi === undefined ? [] : [`cfg80211.ieee80211_regdom=${wifi.country}`]),
    ...(release === 'trixie' ? ['ds=nocloud'] : FIRSTRUN_PARAMETERS),
  ]
}

/**
 * All files with their content; config.txt and cmdline.txt only where the partition has them. Throws WorldError `config`
 * for what the release cannot do.
 */
export function bootFiles(device: Device, release: Release, partition: BootPartition): BootFiles {
  const { config, accountKey } = device
  if (config.swap === 'zram' && release === 'bookworm') {
    throw new WorldError(
      'config',
      'swap: zram is for Trixie; Bookworm has no such service in its image. Write swap: off or swap: keep',
    )
  }
  const files = release === 'trixie' ? cloudInitFiles(device) : firstrunFiles(device)
  if (accountKey !== undefined) files.set(KEY_FILE, accountKey)
  const { 'config.txt': configText, 'cmdline.txt': cmdline } = partition
  if (configText !== undefined) files.set('config.txt', withConfigBlock(configText, configLines(config)))
  if (cmdline !== undefined)
    files.set('cmdline.txt', withParameters(cmdline, kernelParameters(config, release)))
  return files
}
