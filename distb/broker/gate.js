/**
 * The one place where sockets meet Aedes: the TCP and the WebSocket listener.
 *
 * Counts connections, in total and per remote address, and puts a `Connection` between each socket and Aedes.
 * Invariant: `#slots` holds exactly the sockets that are open, including those that never send a CONNECT or never
 * upgrade. Source: MQTT 3.1.1 section 6 for WebSocket.
 */
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { listen, stopListening } from '../node/listen.js';
import { Budget } from './budget.js';
import { Connection } from './connection.js';
const SUBPROTOCOL = 'mqtt';
export class Gate {
    #options;
    #modules;
    #slots = new Set();
    #perAddress = new Map();
    #servers = [];
    budget;
    constructor(options, modules) {
        this.#options = options;
        this.#modules = modules;
        this.budget = new Budget(options.limits.outgoingTotalBytesMax);
    }
    /** Sockets that are open. */
    get connections() {
        return this.#slots.size;
    }
    /** Listens; throws WorldError `port-in-use` or `config`. */
    async start() {
        const { host, mqttPort, wsPort } = this.#options;
        const tcp = createServer({ noDelay: true }, (socket) => {
            if (this.#takeSlot(socket))
                this.#open(socket, addressOf(socket));
        });
        const http = this.#webSockets();
        this.#servers.push(tcp, http);
        return {
            mqttPort: await listen(tcp, host, mqttPort, 'MQTT'),
            wsPort: await listen(http, host, wsPort, 'MQTT over WebSocket'),
        };
    }
    /** Stops listening and ends every connection. */
    async stop() {
        const closed = Promise.all(this.#servers.map(stopListening));
        for (const socket of this.#slots)
            socket.destroy();
        await closed;
    }
    #webSockets() {
        const { limits } = this.#options;
        const http = createHttpServer({
            noDelay: true,
            maxHeaderSize: 8192,
            headersTimeout: limits.connectMsMax,
            requestTimeout: limits.connectMsMax,
            keepAliveTimeout: 1000,
            connectionsCheckingInterval: 1000,
        }, (_request, response) => {
            response.writeHead(426, { connection: 'close', 'content-type': 'text/plain' });
            response.end('MQTT over WebSocket, subprotocol "mqtt"\n');
        });
        http.on('connection', (socket) => this.#takeSlot(socket));
        const server = new WebSocketServer({
            server: http,
            clientTracking: false,
            // A few bytes that inflate to megabytes are not worth the traffic saved.
            perMessageDeflate: false,
            maxPayload: limits.messageBytesMax,
            handleProtocols: () => SUBPROTOCOL,
            verifyClient: ({ req }, decide) => decide(offersMqtt(req), 400, 'this is MQTT: offer the WebSocket subprotocol "mqtt"'),
        });
        server.on('connection', (ws, request) => {
            const address = addressOf(request.socket);
            const refuse = (reason) => this.#modules.refusals.refuse(reason, { address });
            ws.on('error', (error) => {
                refuse(error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'frame-too-large' : 'bad-websocket');
            });
            ws.on('message', (_data, isBinary) => {
                if (isBinary)
                    return;
                refuse('websocket-text'); // [MQTT-6.0.0-1]
                ws.terminate();
            });
            this.#open(createWebSocketStream(ws), address);
        });
        return http;
    }
    #takeSlot(socket) {
        const { limits } = this.#options;
        const address = addressOf(socket);
        socket.on('error', () => { }); // 'close' follows, and whoever reads the socket sees the error too
        const own = this.#perAddress.get(address) ?? 0;
        const full = this.#slots.size >= limits.connectionsMax;
        if (full || own >= limits.connectionsPerAddressMax) {
            const reason = full ? 'too-many-connections' : 'too-many-from-address';
            this.#modules.refusals.refuse(reason, { address });
            socket.destroy();
            return false;
        }
        this.#slots.add(socket);
        this.#perAddress.set(address, own + 1);
        socket.once('close', () => {
            this.#slots.delete(socket);
            const left = (this.#perAddress.get(address) ?? 1) - 1;
            if (left === 0)
                this.#perAddress.delete(address);
            else
                this.#perAddress.set(address, left);
        });
        return true;
    }
    #open(source, address) {
        const connection = new Connection(source, {
            address,
            limits: this.#options.limits,
            budget: this.budget,
            onRefuse: (reason, bytes) => this.#modules.refusals.refuse(reason, { address, client: connection.clientId, bytes }),
        });
        this.#modules.handle(connection);
        connection.open();
    }
}
/** IPv4 in its own form, also when a dual-stack socket shows it as IPv6. */
const addressOf = (socket) => (socket.remoteAddress ?? 'gone').replace(/^::ffff:/, '');
const offersMqtt = (request) => (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .some((protocol) => protocol.trim() === SUBPROTOCOL);
//# sourceMappingURL=gate.js.map