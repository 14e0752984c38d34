/**
 * The small HTTP server of every program: `/healthz` (200 or 503) and Prometheus `/metrics`.
 *
 * Read-only, no bodies, short time limits; it shows no secrets, so it needs no login.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Registry } from 'prom-client'
import { listen, stopListening } from './listen.ts'
import type { Log } from './log.ts'

const HEADER_BYTES_MAX = 8192
const REQUEST_MS_MAX = 5000
const CONNECTIONS_MAX = 64

export interface Health {
  readonly ok: boolean
  readonly [fact: string]: string | number | boolean | null
}

export interface HttpOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
}

export interface HttpModules {
  readonly health: () => Health
  readonly registry: Registry
  readonly log: Log
}

export interface Http {
  /** Returns the real port; throws WorldError when it cannot listen. */
  start(): Promise<number>
  stop(): Promise<void>
}

export function createHttp(options: HttpOptions, { health, registry, log }: HttpModules): Http {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '/').split('?', 1)[0]
    if (path !== '/healthz' && path !== '/metrics') {
      send(response, 404, 'text/plain', 'not found: try /healthz or /metrics\n')
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      send(response, 405, 'text/plain', 'only GET and HEAD\n')
    } else if (path === '/metrics') {
      send(response, 200, registry.contentType, await registry.metrics())
    } else {
      const state = health()
      send(response, state.ok ? 200 : 503, 'application/json', `${JSON.stringify(state)}\n`)
    }
  }
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      keepAliveTimeout: REQUEST_MS_MAX,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        log.error('http', { path: request.url, error: String(error) })
        if (!response.headersSent) send(response, 500, 'text/plain', 'internal error\n')
      })
    },
  )
  server.maxConnections = CONNECTIONS_MAX
  return {
    start: () => listen(server, options.host, options.port, 'HTTP'),
    async stop() {
      const closed = stopListening(server)
      server.closeAllConnections()
      await closed
    },
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(body)
}
