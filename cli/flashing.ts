/** The commands that prepare a Pi's card. Each command's work is in its own file, loaded when it is called. */
import { type Command, Option } from 'commander'
import type { FirmwareOptions } from './firmware.ts'
import { example, jsonOption } from './options.ts'

const print = (text: string): void => void process.stdout.write(text)

/** Adds firmware. */
export function addFlashCommands(program: Command): void {
  program
    .command('firmware')
    .description("writes the files of a Pi's boot partition: host name, user, SSH keys, network, config.txt")
    .requiredOption('--config <file>', 'pi.yaml of this device')
    .requiredOption('--out <dir>', 'where to write them: a directory, or the mounted boot partition')
    .addOption(
      new Option(
        '--release <name>',
        'of Raspberry Pi OS; told from the boot partition when left out',
      ).choices(['trixie', 'bookworm']),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example(
        'pinledger firmware --config pi.yaml --out /media/you/bootfs',
        'pinledger firmware --config pi.yaml --out boot --release trixie',
      ),
    )
    .action(async (options: FirmwareOptions) => {
      const { firmwareCommand } = await import('./firmware.ts')
      firmwareCommand(options, print)
    })
}
