/** All commands but those that run until they are stopped. */
import type { Command } from 'commander'
import { addCarrierCommand } from './carrier.ts'
import { addChannelCommands } from './channels.ts'
import { addClockCommands } from './clock.ts'
import { addDoctorCommands } from './doctor.ts'
import { addFlashCommands } from './flashing.ts'
import { addMarketCommands } from './market.ts'
import { addNetworkCommands } from './networks.ts'
import { addOutputCommands } from './outputs.ts'
import { addSimulationCommand } from './simulation.ts'
import { addSplitCommands } from './splits.ts'
import { addStorageCommands } from './storage.ts'
import { addTradingCommands } from './trading.ts'
import { addWalletCommands } from './wallet.ts'
import { addWiringCommands } from './wiring.ts'

export function addCommands(program: Command): void {
  addCarrierCommand(program)
  addWalletCommands(program)
  addStorageCommands(program)
  addDoctorCommands(program)
  addSimulationCommand(program)
  addClockCommands(program)
  addNetworkCommands(program)
  addOutputCommands(program)
  addMarketCommands(program)
  addSplitCommands(program)
  addTradingCommands(program)
  addChannelCommands(program)
  addWiringCommands(program)
  addFlashCommands(program)
}
