/** A session with no broker behind it: connected from its start, and all that it is given has arrived. */
import type { Session } from '../../node/session.ts'

export const quietSession = (
  onConnected: () => void,
  onPublish: (name: string) => void = () => {},
): Session => ({
  connected: true,
  challenged: false,
  start: onConnected,
  stop: async () => {},
  subscribe: () => {},
  publish: async (name) => {
    onPublish(name)
    return true
  },
})
