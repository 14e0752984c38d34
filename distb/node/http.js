/**
 * The small HTTP server of every program: `/healthz` (200 or 503) and Prometheus `/metrics`.
 *
 * Read-only, no bodies, short time limits; it shows no secrets, so it needs no login.
 */
import { createServer } from 'node:http';
import { listen, stopListening } from './listen.js';
const HEADER_BYTES_MAX = 8192;
const REQUEST_MS_MAX = 5000;
const CONNECTIONS_MAX = 64;
export function createHttp(options, { health, registry, log }) {
    const answer = async (request, response) => {
        const path = (request.url ?? '/').split('?', 1)[0];
        if (path !== '/healthz' && path !== '/metrics') {
            send(response, 404, 'text/plain', 'not found: try /healthz or /metrics\n');
        }
        else if (request.method !== 'GET' && request.method !== 'HEAD') {
            response.setHeader('allow', 'GET, HEAD');
            send(response, 405, 'text/plain', 'only GET and HEAD\n');
        }
        else if (path === '/metrics') {
            send(response, 200, registry.contentType, await registry.metrics());
        }
        else {
            const state = health();
            send(response, state.ok ? 200 : 503, 'application/json', `${JSON.stringify(state)}\n`);
        }
    };
    const server = createServer({
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout: REQUEST_MS_MAX,
        requestTimeout: REQUEST_MS_MAX,
        keepAliveTimeout: REQUEST_MS_MAX,
        connectionsCheckingInterval: 1000,
    }, (request, response) => {
        answer(request, response).catch((error) => {
            log.error('http', { path: request.url, error: String(error) });
            if (!response.headersSent)
                send(response, 500, 'text/plain', 'internal error\n');
        });
    });
    server.maxConnections = CONNECTIONS_MAX;
    return {
        start: () => listen(server, options.host, options.port, 'HTTP'),
        async stop() {
            const closed = stopListening(server);
            server.closeAllConnections();
            await closed;
        },
    };
}
function send(response, status, type, body) {
    response.writeHead(status, {
        'content-type': type,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
    });
    response.end(body);
}
//# sourceMappingURL=http.js.map