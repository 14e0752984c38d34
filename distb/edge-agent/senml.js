import { decimalNumber } from '../schemas/units.js';
export const senml = (account, { sensor, unit, value, time }) => [
    { bn: `urn:dev:pinledger:${account}:`, n: sensor, u: unit, v: decimalNumber(value), t: time / 1000 },
];
//# sourceMappingURL=senml.js.map