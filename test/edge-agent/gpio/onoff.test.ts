import { createRequire } from 'node:module'
import t from 'tap'
import { loadOnoff } from '../../../edge-agent/gpio/onoff.ts'
import { WorldError } from '../../../node/error.ts'

t.test('onoff is loaded where it is installed; elsewhere the error says how to install it', async (t) => {
  let installed = true
  try {
    createRequire(import.meta.url)('onoff')
  } catch {
    installed = false // an optional dependency: both outcomes are right, if they agree
  }
  const loaded = await loadOnoff().catch((error: unknown) => error)
  if (installed) t.type(loaded, 'function')
  else {
    t.ok(loaded instanceof WorldError)
    t.match(loaded, { code: 'sensor', message: /npm install onoff/ })
  }
})
