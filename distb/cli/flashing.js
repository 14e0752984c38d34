/** The commands that prepare a Pi's card. Each command's work is in its own file, loaded when it is called. */
import { Option } from 'commander';
import { example, jsonOption } from './options.js';
import { running } from './program.js';
const print = (text) => void process.stdout.write(text);
/** Adds firmware and flash. */
export function addFlashCommands(program) {
    program
        .command('firmware')
        .description("writes the files of a Pi's boot partition: host name, user, SSH keys, network, config.txt")
        .requiredOption('--config <file>', 'pi.yaml of this device')
        .requiredOption('--out <dir>', 'where to write them: a directory, or the mounted boot partition')
        .addOption(new Option('--release <name>', 'of Raspberry Pi OS; told from the boot partition when left out').choices(['trixie', 'bookworm']))
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger firmware --config pi.yaml --out /media/you/bootfs', 'pinledger firmware --config pi.yaml --out boot --release trixie'))
        .action(async (options) => {
        const { firmwareCommand } = await import('./firmware.js');
        firmwareCommand(options, print);
    });
    program
        .command('flash')
        .description('writes an image of Raspberry Pi OS to a card and sets it up for its Pi')
        .option('--image <file>', '.img, .img.xz, .img.gz or .zip, as it was fetched')
        .option('--sha256 <hash>', 'of that file, still compressed: 64 hex digits, or a file as sha256sum writes it')
        .option('--to <target>', 'disk, such as /dev/sdb, or an image file to make')
        .option('--config <file>', 'pi.yaml of this device')
        .option('--yes-erase', 'do not ask; also for disks above 256 GB or built in', false)
        .option('--list', 'show the disks, and which of them may be written', false)
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger flash --list', 'sudo pinledger flash --image raspios.img.xz --sha256 raspios.img.xz.sha256 --to /dev/sdb --config pi.yaml', 'pinledger flash --image raspios.img.xz --sha256 HASH --to card.img --config pi.yaml'))
        .action(async (options) => {
        const { flashCommand } = await import('./flash.js');
        const { checkMtools } = await import('../firmware-config/fat.js');
        const run = running({ name: 'flash', json: options.json, level: 'info' });
        process.exitCode = await flashCommand(options, {
            input: process.stdin,
            output: process.stderr,
            print,
            nowMs: Date.now,
            signal: run.signal,
            checkTools: checkMtools,
        }).finally(run.end);
    });
}
//# sourceMappingURL=flashing.js.map