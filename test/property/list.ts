/** Every property, for the short runs and the long ones. */
import { appendLogProperties } from './append-log.ts'
import { chainProperties } from './chain.ts'
import { channelProperties } from './channel.ts'
import { codecProperties } from './codec.ts'
import { difficultyProperties } from './difficulty.ts'
import { mempoolProperties } from './mempool.ts'
import type { Property } from './property.ts'
import { signatureProperties } from './signature.ts'
import { stateProperties } from './state.ts'
import { tradeProperties } from './state-trade.ts'
import { wiresProperties } from './wires.ts'

export const PROPERTIES: readonly Property[] = [
  ...stateProperties,
  ...tradeProperties,
  ...mempoolProperties,
  ...chainProperties,
  ...difficultyProperties,
  ...codecProperties,
  ...signatureProperties,
  ...appendLogProperties,
  ...channelProperties,
  ...wiresProperties,
]
