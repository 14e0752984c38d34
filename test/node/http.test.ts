import { once } from 'node:events'
import { connect } from 'node:net'
import { Gauge, Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { createHttp, type Health } from '../../node/http.ts'
import { createLog } from '../../node/log.ts'

const HOST = '127.0.0.1'

async function start(t: Test, health: () => Health = () => ({ ok: true })) {
  const lines: string[] = []
  const log = createLog({
    name: 'http',
    format: 'text',
    level: 'debug',
    write: (line) => lines.push(line),
    now: () => 0,
  })
  const registry = new Registry()
  new Gauge({ name: 'height', help: 'of the tip', registers: [registry] }).set(7)
  const http = createHttp({ host: HOST, port: 0 }, { health, registry, log })
  const port = await http.start()
  t.teardown(() => http.stop())
  const get = (path: string, method = 'GET') => fetch(`http://${HOST}:${port}${path}`, { method })
  return { http, port, get, lines }
}

t.test('/healthz is 200 when all is well and 503 when not', async (t) => {
  let ok = true
  const { get } = await start(t, () => ({ ok, height: 3 }))
  const well = await get('/healthz')
  t.equal(well.status, 200)
  t.match(well.headers.get('content-type'), 'application/json')
  t.same(await well.json(), { ok: true, height: 3 })
  ok = false
  const ill = await get('/healthz?verbose')
  t.equal(ill.status, 503)
  t.same(await ill.json(), { ok: false, height: 3 })
})

t.test('/metrics is the registry in Prometheus text', async (t) => {
  const { get } = await start(t)
  const response = await get('/metrics')
  t.match(response.headers.get('content-type'), 'text/plain')
  t.match(await response.text(), '\nheight 7\n')
})

t.test('other paths are 404, other methods 405, a HEAD has no body', async (t) => {
  const { get } = await start(t)
  t.equal((await get('/')).status, 404)
  t.equal((await get('/healthz/..%2fx')).status, 404)
  const post = await get('/metrics', 'POST')
  t.equal(post.status, 405)
  t.equal(post.headers.get('allow'), 'GET, HEAD')
  t.equal(await (await get('/healthz', 'HEAD')).text(), '')
})

t.test('a failing callback is a logged 500 and the server goes on', async (t) => {
  let broken = true
  const { get, lines } = await start(t, () => {
    if (broken) throw new Error('on purpose')
    return { ok: true }
  })
  t.equal((await get('/healthz')).status, 500)
  t.match(lines.join(''), 'on purpose')
  broken = false
  t.equal((await get('/healthz')).status, 200)
})

t.test('headers are bounded', async (t) => {
  const { port } = await start(t)
  const socket = connect(port, HOST)
  socket.write(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(10_000)}\r\n\r\n`)
  const [answer] = await once(socket, 'data')
  t.match(String(answer), /^HTTP\/1.1 431/)
  socket.destroy()
})

t.test('stop ends open connections', async (t) => {
  const { http, port } = await start(t)
  const socket = connect(port, HOST)
  await once(socket, 'connect')
  socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(socket, 'data')
  const closed = once(socket, 'close')
  await http.stop()
  await closed
  await t.rejects(fetch(`http://${HOST}:${port}/healthz`))
})
