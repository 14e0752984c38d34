import { EXIT } from './exit.js';
import { example, jsonOption } from './options.js';
/** Adds outputs safe. */
export function addOutputCommands(program) {
    const outputs = program
        .command('outputs')
        .description('relays and LEDs of an agent')
        .addHelpText('after', example('pinledger outputs safe --config agent.yaml'));
    outputs
        .command('safe')
        .description('sets all outputs of a configuration to their safe state, once: for a service manager, after the agent has ended')
        .requiredOption('--config <file>', "the agent's YAML configuration")
        .option('--data <dir>', 'as for the agent, if it was given there')
        .addOption(jsonOption())
        .addHelpText('after', example('pinledger outputs safe --config agent.yaml'))
        .action(async (options) => {
        process.exitCode = await safe(options, (text) => process.stdout.write(text));
    });
}
async function safe({ config: file, data, json }, out) {
    const { agentConfig } = await import('../edge-agent/config.js');
    const { openAccess, thisGpio } = await import('../edge-agent/gpio/access.js');
    const { guardLine } = await import('../edge-agent/outputs/config.js');
    const { placeOf } = await import('../edge-agent/outputs/guarded-line.js');
    const { holder, setSafe } = await import('../edge-agent/outputs/safe.js');
    const { openDataDir } = await import('../node/data-dir.js');
    const { configure, given } = await import('./configure.js');
    const config = configure(agentConfig, file, given({ data }));
    // An agent that runs knows better what its outputs should be.
    const directory = openDataDir(config.data);
    try {
        const say = (fields, text) => out(`${json ? JSON.stringify(fields) : text}\n`);
        const guard = await holder(directory.path);
        if (guard !== undefined) {
            say({ guard }, `process ${guard} holds the outputs in their safe state; to let go of them: kill ${guard}`);
            return EXIT.ok;
        }
        const outcomes = await setSafe(config.outputs.map(guardLine), (choice) => openAccess(thisGpio, choice));
        for (const { line, kind, fault } of outcomes) {
            const safe = line.safe === 1 ? 'on' : 'off';
            const where = 'file' in line ? { file: line.file } : { pin: line.pin };
            const what = `${line.name} (${placeOf(line)})`;
            const outcome = fault ??
                (kind !== 'gpiod'
                    ? `${safe}, and stays so`
                    : `${safe} for a moment: a line of the character device is let go with the program that sets it, and is now what its resistors make it`);
            const stays = kind !== undefined && kind !== 'gpiod';
            say({ output: line.name, ...where, safe, set: fault === undefined, stays, fault }, `${what}: ${outcome}`);
        }
        if (outcomes.length === 0)
            say({}, `${file} has no outputs`);
        return outcomes.some(({ fault }) => fault !== undefined) ? EXIT.world : EXIT.ok;
    }
    finally {
        directory.close();
    }
}
//# sourceMappingURL=outputs.js.map