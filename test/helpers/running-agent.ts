import type { Test } from 'tap'
import type { Agent } from '../../edge-agent/agent.ts'
import type { ChainStore } from '../../node/chain-store.ts'
import { waitUntil } from './wait-until.ts'

/** Starts an agent and waits until it is connected. What comes back stops it, and may be called twice: it ends with the test anyway. */
export async function runAgent(t: Test, agent: Agent, store: ChainStore): Promise<() => Promise<void>> {
  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    await agent.stop()
    store.close()
  }
  t.teardown(stop)
  await agent.start()
  await waitUntil('the agent is connected', () => agent.node.session.connected)
  return stop
}
