import { createServer } from 'node:net'
import t from 'tap'
import { listen, stopListening } from '../../node/listen.ts'

t.test('port 0 is any free port', async (t) => {
  const server = createServer()
  t.ok((await listen(server, '127.0.0.1', 0, 'MQTT')) > 0)
  await stopListening(server)
  await stopListening(server)
})

t.test('a taken port and an address of another machine say what to do', async (t) => {
  const server = createServer()
  const port = await listen(server, '127.0.0.1', 0, 'MQTT')
  t.teardown(() => stopListening(server))
  await t.rejects(listen(createServer(), '127.0.0.1', port, 'HTTP'), {
    code: 'port-in-use',
    message: new RegExp(`^HTTP: port ${port} on 127.0.0.1 .*0: any free one`),
  })
  await t.rejects(listen(createServer(), '192.0.2.1', 0, 'MQTT'), {
    code: 'config',
    message: /EADDRNOTAVAIL.*use an address of this machine/,
  })
})
