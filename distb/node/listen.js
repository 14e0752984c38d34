import { WorldError } from './error.js';
/**
 * Listens on `host` and `port` (0: any free one) and returns the real port. `what` names the listener for the user.
 * Throws WorldError `port-in-use`, or `config` when this machine has no such address or does not allow the port.
 */
export function listen(server, host, port, what) {
    return new Promise((resolve, reject) => {
        const fail = (error) => {
            reject(error.code === 'EADDRINUSE'
                ? new WorldError('port-in-use', `${what}: port ${port} on ${host} is taken by another program; stop that one, or choose another port (0: any free one)`, error)
                : new WorldError('config', `${what}: cannot listen on ${host} port ${port} (${error.code ?? error.message}); use an address of this machine and a port above 1023`, error));
        };
        server.once('error', fail);
        server.listen({ host, port }, () => {
            server.off('error', fail);
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : port);
        });
    });
}
/** Stops listening and waits for the open connections, which the caller ends; never fails. */
export const stopListening = (server) => new Promise((resolve) => {
    if (server.listening)
        server.close(() => resolve());
    else
        resolve();
});
//# sourceMappingURL=listen.js.map