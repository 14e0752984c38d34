import { together } from './helpers/together.ts'

await together('edge-agent/drivers', 'edge-agent/gpio', 'edge-agent/outputs', 'edge-agent/wires')
