/**
 * Follows MQTT framing in a byte stream and notices a frame that claims to be too large, before anybody buffers it.
 *
 * It keeps no bytes, only where it is. A malformed length is left to the parser behind it.
 * Source: MQTT 3.1.1 section 2.2.3 (remaining length: 7 bits a byte, least significant first, at most 4 bytes).
 */
const LENGTH_BYTES_MAX = 4;
export class FrameMeter {
    #bytesMax;
    #expecting = 'type';
    #left = 0;
    #lengthBytes = 0;
    /** `bytesMax`: largest remaining length that is allowed. */
    constructor(bytesMax) {
        this.#bytesMax = bytesMax;
    }
    /** Takes the next bytes of the stream; true once a frame in it claims more than allowed. */
    exceeds(chunk) {
        let at = 0;
        while (at < chunk.length) {
            if (this.#expecting === 'body') {
                const taken = Math.min(this.#left, chunk.length - at);
                at += taken;
                this.#left -= taken;
            }
            else {
                const byte = chunk[at++];
                if (this.#expecting === 'type') {
                    this.#expecting = 'length';
                    this.#left = 0;
                    this.#lengthBytes = 0;
                    continue;
                }
                this.#left += (byte & 0x7f) * 128 ** this.#lengthBytes++;
                if (this.#left > this.#bytesMax)
                    return true;
                if (byte >= 0x80 && this.#lengthBytes < LENGTH_BYTES_MAX)
                    continue;
                this.#expecting = 'body';
            }
            if (this.#left === 0)
                this.#expecting = 'type';
        }
        return false;
    }
}
//# sourceMappingURL=frame-meter.js.map