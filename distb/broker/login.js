import { hashing } from '../node/signing.js';
import { fromHex, toHex } from '../schemas/hex.js';
import { loginMessage, ownsClientId } from '../schemas/login.js';
import { accept, invariant, refuse } from '../schemas/result.js';
const ACCOUNT = /^[0-9a-f]{64}$/;
const PASSWORD = /^[0-9a-f]{128}$/;
const ADDRESSES_MAX = 10_000;
/** Whether a client id is an account's, so that no anonymous client may have it. */
export const looksOwned = (clientId) => /^[0-9a-f]{64}/i.test(clientId);
export class Login {
    #limits;
    #modules;
    #challenges = [];
    #failures = new Map();
    #failuresSince;
    constructor(limits, modules) {
        this.#limits = limits;
        this.#modules = modules;
        this.#failuresSince = modules.now();
    }
    /** A new challenge (64 hex digits) when one is due; the caller publishes it. */
    renew() {
        const [current] = this.#challenges;
        const now = this.#modules.now();
        if (current !== undefined) {
            const life = current.used.size > 0 ? this.#limits.challengeUsedMs : this.#limits.challengeMs;
            if (now - current.since < life)
                return undefined;
        }
        const bytes = this.#modules.random(32);
        invariant(bytes.length === 32, 'a challenge is 32 random bytes');
        const challenge = { hex: toHex(bytes), since: now, used: new Set() };
        this.#challenges = [challenge, ...this.#challenges.slice(0, 1)];
        return challenge.hex;
    }
    /** The account that the credentials prove, or why they do not. */
    verify(credentials) {
        this.#forgetFailures();
        const failures = this.#failures.get(credentials.address) ?? 0;
        if (failures >= this.#limits.loginFailuresPerMinuteMax)
            return refuse({ code: 'too-many-failures', returnCode: 3 });
        const result = this.#prove(credentials);
        // A refused signature costs noble's slow verdict, so an address has only so many; what costs nothing is free, since
        // honest clients may share the address.
        const costly = !result.ok && result.fault.code === 'wrong-signature';
        if (costly && (failures > 0 || this.#failures.size < ADDRESSES_MAX))
            this.#failures.set(credentials.address, failures + 1);
        return result;
    }
    #prove({ username, password, clientId }) {
        const account = username;
        if (!ACCOUNT.test(username) || !this.#modules.signatures.isAccount(account))
            return refuse({ code: 'bad-user-name', returnCode: 4 });
        if (!ownsClientId(account, clientId))
            return refuse({ code: 'foreign-client-id', returnCode: 2 });
        const text = password === undefined ? '' : Buffer.from(password).toString('latin1');
        if (!PASSWORD.test(text))
            return refuse({ code: 'bad-password', returnCode: 4 });
        const signature = fromHex(text);
        for (const { hex, used } of this.#challenges) {
            const message = hashing.tagged('login', loginMessage(hex, clientId));
            if (!this.#modules.signatures.verify(signature, message, account))
                continue;
            // By client id, not by signature: a second encoding of the same signature is no second login.
            if (used.has(clientId))
                return refuse({ code: 'replayed-login', returnCode: 4 });
            if (used.size >= this.#limits.loginsPerChallengeMax)
                return refuse({ code: 'too-many-logins', returnCode: 3 });
            used.add(clientId);
            return accept(account);
        }
        return refuse({ code: 'wrong-signature', returnCode: 4 });
    }
    #forgetFailures() {
        const now = this.#modules.now();
        if (now - this.#failuresSince < 60_000)
            return;
        this.#failures = new Map();
        this.#failuresSince = now;
    }
}
//# sourceMappingURL=login.js.map