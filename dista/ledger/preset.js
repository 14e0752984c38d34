import { TYPE_NUMBERS } from '../schemas/transaction.js';
import { COIN } from './amount.js';
import { targetFor } from './difficulty.js';
const fromStart = (...types) => types.map((type) => ({ type: TYPE_NUMBERS[type], height: 0 }));
/** What every network has. Written out: a type that is added to the registry must not change networks that exist. */
const ALWAYS = [
    ...fromStart('transfer', 'reading', 'batch'),
    ...fromStart('channelOpen', 'channelClaim', 'channelClose'),
    ...fromStart('hashlock', 'hashlockClaim', 'hashlockRefund', 'split'),
];
const ENROLLED = fromStart('admission', 'revocation');
const everywhere = {
    version: 1,
    halfLife: 64,
    /** Two hex digits at least: a single Pi Zero finds that in milliseconds, and no fork is free. */
    targetMax: targetFor(256),
    slowRatio: 0,
    authorities: [],
    checkpointSigners: [],
    checkpointThreshold: 0,
    activations: ALWAYS,
};
/**
 * `blockSignaturesMax` keeps a block of signatures that only the slow path can judge below a quarter of the
 * interval on a Raspberry Pi 4 (about 4 ms each).
 */
export const PRESETS = {
    bench: {
        ...everywhere,
        interval: 4_000,
        subsidy: 50 * COIN,
        halvingInterval: 210_000,
        feeFloor: 0,
        maturity: 5,
        blockBytesMax: 64 << 10,
        blockSignaturesMax: 250,
    },
    field: {
        ...everywhere,
        interval: 10_000,
        subsidy: 5 * COIN,
        halvingInterval: 3_153_600,
        feeFloor: 1_000,
        maturity: 60,
        blockBytesMax: 160 << 10,
        blockSignaturesMax: 625,
    },
    bitcoin: {
        ...everywhere,
        interval: 600_000,
        subsidy: 50 * COIN,
        halvingInterval: 210_000,
        feeFloor: 1_000,
        maturity: 100,
        blockBytesMax: 1_000_000,
        blockSignaturesMax: 8_000,
    },
};
export function genesisFrom(preset, { name, time, firstWork, allocations, authorities = [] }) {
    const parameters = PRESETS[preset];
    const wanted = targetFor(firstWork);
    const target = wanted > parameters.targetMax ? parameters.targetMax : wanted;
    const types = authorities.length === 0 ? parameters.activations : [...ALWAYS, ...ENROLLED];
    const activations = [...types].sort((a, b) => a.type - b.type);
    return { ...parameters, name, time, target, allocations, authorities, activations };
}
//# sourceMappingURL=preset.js.map