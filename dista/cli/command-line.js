/** Commands and options of `pinledger`, and what running one command line comes to. */
import { Command } from 'commander';
import { SOFTWARE } from '../node/runtime.js';
import { addChannelCommands } from './channels.js';
import { addDoctorCommands } from './doctor.js';
import { EXIT, exitCodeOf, explain } from './exit.js';
import { addFlashCommands } from './flashing.js';
import { addMarketCommands } from './market.js';
import { addNetworkCommands } from './networks.js';
import { example } from './options.js';
import { addOutputCommands } from './outputs.js';
import { addProgramCommands } from './programs.js';
import { addSimulationCommand } from './simulation.js';
import { addSplitCommands } from './splits.js';
import { addStorageCommands } from './storage.js';
import { addTradingCommands } from './trading.js';
import { addWalletCommands } from './wallet.js';
import { addWiringCommands } from './wiring.js';
const STREAMS = {
    writeOut: (text) => process.stdout.write(text),
    writeErr: (text) => process.stderr.write(text),
};
function createProgram(output) {
    // Before the commands are added, which take these two from it.
    const program = new Command('pinledger').configureOutput(output).exitOverride();
    program
        .description('Sensors that sign, mine and pay over MQTT')
        .version(SOFTWARE)
        .showSuggestionAfterError()
        .showHelpAfterError('(add --help for the options and an example)')
        .addHelpText('after', example('pinledger up', 'pinledger watch', 'pinledger verify --data .pinledger'));
    addProgramCommands(program);
    addWalletCommands(program);
    addStorageCommands(program);
    addDoctorCommands(program);
    addSimulationCommand(program);
    addNetworkCommands(program);
    addOutputCommands(program);
    addMarketCommands(program);
    addSplitCommands(program);
    addTradingCommands(program);
    addChannelCommands(program);
    addWiringCommands(program);
    addFlashCommands(program);
    return program;
}
/** Runs a command line. The exit code, if it ended before its command could set `process.exitCode`. */
export async function runCommandLine(args, output = STREAMS) {
    try {
        await createProgram(output).parseAsync(args, { from: 'user' });
        return undefined;
    }
    catch (error) {
        const { code, exitCode } = error;
        if (typeof code === 'string' && code.startsWith('commander.'))
            return exitCode === 0 ? EXIT.ok : EXIT.usage;
        output.writeErr(`${explain(error)}\n`);
        return exitCodeOf(error);
    }
}
//# sourceMappingURL=command-line.js.map