import { selfTest } from '../node/signing.js';
import { EXIT } from './exit.js';
import { example } from './options.js';
/** Adds doctor. */
export function addDoctorCommands(program) {
    program
        .command('doctor')
        .description('says what works on this machine, what does not, why, and which command mends it')
        .option('--config <file>', 'configuration of its agent, validator or broker')
        .option('--broker <url>', 'address of the broker')
        .option('--data <dir>', 'data directory of a program')
        .option('--json', 'output for machines: an array of { part, state, detail, remedy }', false)
        .addHelpText('after', `
It changes nothing, publishes nothing and switches no output. Each sensor of the configuration is read once.
${example('pinledger doctor', 'pinledger doctor --config agent.yaml', 'pinledger doctor --broker mqtt://192.168.1.10')}`)
        .action(async ({ json, ...options }) => {
        selfTest();
        process.exitCode = await doctorCommand(options, json);
    });
}
/** Prints what was found as it is found; 1 when something fails. */
async function doctorCommand(options, json) {
    const { examination } = await import('./doctor/examination.js');
    const { thisComputer } = await import('./doctor/machine.js');
    const { section, styleOf, summary } = await import('./doctor/report.js');
    const style = styleOf(process.stdout, process.env);
    const all = [];
    for (const { title, findings } of examination(thisComputer(), options)) {
        const found = await findings;
        all.push(...found);
        if (!json)
            process.stdout.write(section(title, found, style));
    }
    process.stdout.write(json ? `${JSON.stringify(all)}\n` : summary(all, style));
    return all.some(({ state }) => state === 'fails') ? EXIT.no : EXIT.ok;
}
//# sourceMappingURL=doctor.js.map