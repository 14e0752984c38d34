/** `pinledger genesis`: founds a network without running it, open or enrolled, and says what to do with the file. */
import { resolve } from 'node:path';
import { MINER_DEFAULTS } from '../edge-agent/miner.js';
import { measureHashRate } from '../edge-agent/mining/hash-rate.js';
import { formatCoins } from '../ledger/amount.js';
import { workOf } from '../ledger/difficulty.js';
import { isEnrolled } from '../ledger/membership.js';
import { genesisFrom, PRESETS } from '../ledger/preset.js';
import { networkOf } from '../node/chain-store.js';
import { WorldError } from '../node/error.js';
import { writeGenesis } from '../node/genesis-file.js';
import { genesis as genesisCodec } from '../schemas/genesis.js';
/** The fastest of a few short rounds is what the machine can do when nothing else wants it. */
const MEASURE = { rounds: 4, ms: 120 };
/** Writes the file, which must not be there yet, and prints what it is. Throws WorldError `usage` or `config`. */
export function genesisCommand(options, nowMs) {
    const network = found(options, nowMs);
    try {
        writeGenesis(options.out, network.genesis);
    }
    catch (error) {
        const taken = error.code === 'EEXIST';
        const remedy = taken
            ? 'it is there already; a genesis is never replaced: choose another name'
            : `${String(error)}; choose a directory that exists and is yours`;
        throw new WorldError('config', `cannot write genesis ${options.out}: ${remedy}`, error);
    }
    const file = resolve(options.out);
    const { authorities, checkpointSigners, checkpointThreshold, target } = network.genesis;
    const firstWork = Number(workOf(target));
    if (options.json) {
        const { id, genesisHash: hash } = network;
        const facts = { id, hash, file, firstWork, authorities, checkpointSigners, checkpointThreshold };
        process.stdout.write(`${JSON.stringify(facts)}\n`);
    }
    else
        process.stdout.write(describe(network, file, firstWork));
}
function found({ preset, name, authority, allocate, firstWork, signer, threshold }, nowMs) {
    if (!genesisCodec.fields.name.json.safeParse(name).success)
        throw new WorldError('usage', `--name: 1 to 32 of a-z, 0-9, '.', '_' and '-', got ${name}`);
    if (threshold !== undefined && threshold > signer.length)
        throw new WorldError('usage', `--threshold: at most as many as --signer names, which is ${signer.length}, got ${threshold}`);
    const genesis = {
        ...genesisFrom(preset, {
            name,
            time: nowMs,
            firstWork: firstWork ?? measuredWork(preset),
            allocations: allocate,
            authorities: authority,
        }),
        checkpointSigners: signer,
        checkpointThreshold: threshold ?? (signer.length === 0 ? 0 : Math.floor(signer.length / 2) + 1),
    };
    for (const [option, list] of [
        ['--authority', authority],
        ['--signer', signer],
    ])
        if (list.length > 64)
            throw new WorldError('usage', `${option}: at most 64, got ${list.length}`);
    return networkOf(genesis);
}
function measuredWork(preset) {
    const rates = Array.from({ length: MEASURE.rounds }, () => measureHashRate(MEASURE.ms));
    return Math.max(1, (Math.max(...rates) * MINER_DEFAULTS.duty * PRESETS[preset].interval) / 1000);
}
function describe(network, file, firstWork) {
    const { id, genesisHash, genesis } = network;
    const { name, interval, authorities, allocations, checkpointSigners, checkpointThreshold } = genesis;
    const coins = allocations.reduce((sum, { amount }) => sum + amount, 0);
    const signers = checkpointSigners.length;
    const enrolled = isEnrolled(network);
    const next = [
        'copy the file to every machine of the network; compare the hash there',
        'pinledger keygen validator/key.json, then pinledger broker --validator <its account>',
        `pinledger validator --data validator --genesis ${file}`,
        `pinledger agent --config agent.yaml, with genesis: ${file} in it`,
        ...(enrolled
            ? [
                'the first blocks: an agent whose key is that of an authority',
                'let others mine: pinledger admit <account> --key <key file of an authority>',
            ]
            : []),
    ];
    return `founded network ${id} (${name})
  file         ${file}
  hash         ${genesisHash}
  mining       ${enrolled ? `enrolled: ${authorities.length === 1 ? 'one authority and whom it admits' : `${authorities.length} authorities and whom they admit`}` : 'open: everybody may mine'}
  first block  ${firstWork} hashes, then one block every ${interval / 1000} s
  coins        ${formatCoins(coins)} in ${allocations.length === 1 ? 'one account' : `${allocations.length} accounts`}
  checkpoints  ${signers === 0 ? 'none' : `${checkpointThreshold} of ${signers} signers`}
What to do next:
${next.map((line, at) => `  ${at + 1}. ${line}`).join('\n')}
`;
}
//# sourceMappingURL=genesis.js.map