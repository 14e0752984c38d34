/** The network of a simulation: real rules with blocks that cost some sixty hashes, so that each is really mined. */
import { COIN } from '../ledger/amount.js';
import { targetFor } from '../ledger/difficulty.js';
import { genesisFrom, PRESETS } from '../ledger/preset.js';
/** Hashes of a block in the mean when the simulation begins. */
export const BLOCK_HASHES = 64;
/** True time at the beginning: 2026-01-01T00:00:00Z. */
export const START_MS = 1_767_225_600_000;
const NAMED = { name: 'sim', time: START_MS, firstWork: BLOCK_HASHES };
export function simGenesis({ intervalMs, holders, signers, authorities }) {
    const { activations } = genesisFrom('field', { ...NAMED, allocations: [], authorities });
    return {
        ...PRESETS.field,
        ...NAMED,
        activations,
        authorities,
        interval: intervalMs,
        target: targetFor(BLOCK_HASHES),
        targetMax: targetFor(2),
        // Halvings and maturing rewards within half an hour.
        halvingInterval: 100,
        maturity: 10,
        checkpointSigners: signers,
        checkpointThreshold: Math.floor((2 * signers.length) / 3) + (signers.length > 0 ? 1 : 0),
        allocations: holders.map((account) => ({ account, amount: 1_000 * COIN })),
    };
}
//# sourceMappingURL=rules.js.map