/** The command `pinledger sim`; the simulator is loaded when it is called. */
import { Option } from 'commander';
import { FAULT_KINDS } from '../sim/faults.js';
import { example, faultKinds, hours, jsonOption, nodes, numbers, seconds, whole } from './options.js';
/** Adds sim. */
export function addSimulationCommand(program) {
    program
        .command('sim')
        .description('runs a whole network in virtual time under faults that a seed decides, and checks what must hold')
        .option('--seed <number>', 'the first seed', whole, 1)
        .option('--seeds <count>', 'how many seeds to run', whole, 1)
        .option('--nodes <count>', '2 to 200 machines, a fifth of them validators', nodes, 20)
        .option('--hours <hours>', 'virtual time of each run', hours, 0.5)
        .option('--interval <seconds>', 'T, the time between blocks', seconds, 10)
        .addOption(new Option('--faults <kinds>', `all, none, or some of ${FAULT_KINDS.join(',')}`)
        .argParser(faultKinds)
        .default(FAULT_KINDS, 'all'))
        .addOption(new Option('--only <numbers>', "only these of the seed's faults").argParser(numbers))
        .option('--trace', 'print everything that happens', false)
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger sim --seed 7 --trace', 'pinledger sim --seeds 1000', 'pinledger sim --hours 24 --faults network,clock'))
        .action(async (options) => {
        const { simCommand } = await import('./sim.js');
        process.exitCode = await simCommand(options);
    });
}
//# sourceMappingURL=simulation.js.map