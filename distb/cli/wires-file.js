/** A file with wires: checked as an agent's configuration is, and as it stands there. */
import { z } from 'zod';
import { wiresConfig } from '../edge-agent/wires/config.js';
import { loadConfig } from '../node/config-file.js';
/** Throws WorldError `config` that names file, line and field. */
export function readWiresFile(path) {
    const { wires } = loadConfig(path, z.strictObject({ wires: wiresConfig }));
    const { wires: written } = loadConfig(path, z.strictObject({ wires: z.array(z.unknown()) }));
    return { wires, written };
}
//# sourceMappingURL=wires-file.js.map