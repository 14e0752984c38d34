/**
 * Sells the files of a directory: quotes, chunks of the ciphertext, and the key once a hashlock for it is deep enough.
 *
 * Nothing about a sale is stored: the keys follow from the account's secret, the payments stand on the ledger, and that a key was
 * given stands in the outbox. So a crash loses nothing. Source: docs/PROTOCOL.md section 8.
 */
import { formatCoins } from '../../ledger/amount.js';
import { checkFileMessage, hasHashlocks, signFileMessage } from '../../ledger/file-quote.js';
import { BucketPerKey, TokenBucket } from '../../node/token-bucket.js';
import { chunksOf, } from '../../schemas/file-message.js';
import { hashFromBytes, short } from '../../schemas/hex.js';
import { topic } from '../../schemas/topic.js';
import { FILES_MAX } from './config.js';
import { Delivery } from './delivery.js';
import { FileKeys } from './file-keys.js';
import { Settling } from './settling.js';
import { ChangedError, Shelf } from './shelf.js';
import { Stock } from './stock.js';
/** Messages that cost us a signature or a check of one: of one account, of all. */
const ASKS = { perSecond: 1, burst: 20 };
const ASKS_OVERALL = { perSecond: 20, burst: 100 };
const ASKERS_MAX = 1_024;
export class FileShop {
    filters;
    #config;
    #desk;
    #shelf;
    #stock;
    #delivery;
    #settling;
    #askers = new BucketPerKey(ASKS, ASKERS_MAX);
    #asks;
    /** The latest request of each buyer for a file that is being made ready. */
    #waiting = new Map();
    /** Since when a file that seems to change is what it is, by our monotonic clock. */
    #seen = new Map();
    constructor(config, desk) {
        this.#config = config;
        this.#desk = desk;
        const { chain, signer, clock } = desk;
        this.filters = [topic(chain.network.id, 'file', '+', signer.account)];
        const keys = new FileKeys(chain.network, signer);
        this.#shelf = new Shelf(config.directory);
        this.#stock = new Stock(this.#shelf, keys);
        const rates = { perSale: config.kilobytesPerSecondPerBuyer, overall: config.kilobytesPerSecond };
        this.#delivery = new Delivery({ perSale: rates.perSale * 1_000, overall: rates.overall * 1_000 }, desk, {
            shelf: this.#shelf,
            onChanged: (buyer, lock) => this.#refuse(buyer, lock, 'changing', 'the file was changed'),
        });
        this.#settling = new Settling(config, desk, {
            keyOf: (sale) => keys.keyOf(sale),
            sha256: (bytes) => keys.sha256(bytes),
            prices: { [Symbol.iterator]: () => this.#prices() },
        });
        this.#asks = new TokenBucket(ASKS_OVERALL, clock.monotonic());
        this.#look();
    }
    /** What is for sale now. */
    get onSale() {
        const { confirmations, terms } = this.#config;
        return this.#files().flatMap((file) => {
            const price = this.#priceOf(file);
            return price === undefined || !this.#isQuiet(file)
                ? []
                : [{ name: file.name, price, bytes: file.size, confirmations, terms }];
        });
    }
    onMessage({ kind, publisher, rest, json }, payload, retain) {
        const { chain, signer, log } = this.#desk;
        if (kind !== 'file' || json || retain || rest[0] !== signer.account)
            return;
        // Requests for chunks are checked by their seal, the others by a signature, which costs more.
        const isSigned = payload[0] !== CHUNK_REQUEST;
        if (isSigned && !this.#mayAsk(publisher))
            return;
        const checked = checkFileMessage(chain.network, payload, publisher, signer.account);
        if (!checked.ok) {
            const { code, message } = checked.fault;
            log.debug('refused a message about a file', { from: short(publisher), code, reason: message });
        }
        else if (checked.value.type === 'quoteRequest')
            this.#quote(checked.value);
        else if (checked.value.type === 'chunkRequest')
            this.#deliver(publisher, checked.value);
    }
    onUpdate(update) {
        this.#settling.update(update);
    }
    tick() {
        this.#settling.settle();
    }
    async stop() {
        this.#delivery.stop();
        await this.#stock.stop();
    }
    #mayAsk(publisher) {
        const nowMs = this.#desk.clock.monotonic();
        return this.#askers.take(publisher, nowMs) && this.#asks.take(nowMs);
    }
    #deliver(from, request) {
        if (this.#delivery.ask(from, request))
            return;
        if (this.#mayAsk(from))
            this.#refuse(from, request.lock, 'unquoted', 'ask for a quote first');
    }
    #quote(request) {
        const { buyer, name, publicKey } = request;
        const about = hashFromBytes(publicKey);
        const file = this.#shelf.look(name);
        const price = file && this.#priceOf(file);
        if (file === undefined || price === undefined)
            this.#refuse(buyer, about, 'not-for-sale', `no file ${name} is for sale`);
        else {
            const obstacle = this.#obstacle(buyer, file, price) ?? this.#prepare(request, file, price);
            if (obstacle !== undefined)
                this.#refuse(buyer, about, obstacle.code, obstacle.message);
        }
    }
    /** Why a file cannot be quoted to an account now. */
    #obstacle(buyer, file, price) {
        const { chain } = this.#desk;
        if (!hasHashlocks(chain.network, chain.next.height))
            return { code: 'not-for-sale', message: 'the network has no hashlocks' };
        if (!this.#isQuiet(file))
            return { code: 'changing', message: `${file.name} is being written: ask again later` };
        const { balance } = chain.state.account(buyer);
        if (balance >= price)
            return undefined;
        const message = `the account has ${formatCoins(balance)} coins, the file costs ${formatCoins(price)}`;
        return { code: 'uncovered', message };
    }
    /** Quotes what is ready; else sees to it that it will be, and says how far it is to who asks again. */
    #prepare(request, file, price) {
        const { buyer, name } = request;
        const ready = this.#stock.ready(buyer, file, price);
        if (ready !== undefined) {
            this.#tellQuote(ready, request);
            return undefined;
        }
        const key = `${buyer} ${name}`;
        const percent = this.#stock.progress(buyer, name);
        if (percent === undefined) {
            const isTaken = this.#stock.prepare(buyer, file, price, (outcome) => this.#made(key, outcome));
            if (!isTaken)
                return { code: 'busy', message: 'too many ask: try again later' };
        }
        this.#waiting.set(key, request);
        return percent === undefined ? undefined : { code: 'preparing', message: `${percent} %` };
    }
    #made(key, outcome) {
        const request = this.#waiting.get(key);
        this.#waiting.delete(key);
        if (request === undefined)
            return;
        const { buyer, name, publicKey } = request;
        if (outcome instanceof ChangedError)
            this.#refuse(buyer, hashFromBytes(publicKey), 'changing', `${name} was changed: ask again`);
        else
            this.#tellQuote(outcome, request);
    }
    #tellQuote(prepared, request) {
        const { chain, signer } = this.#desk;
        const { confirmations, deadlineBlocks, deadlineMinutes, validMinutes } = this.#config;
        const { seller, buyer, name, publicKey } = request;
        const { content, file, lock, ciphertext, price } = prepared;
        if (!this.#delivery.begin(prepared, publicKey))
            return;
        const bytes = signFileMessage(chain.network, {
            type: 'quote',
            ...{ seller, buyer, name, publicKey, sellerKey: this.#delivery.publicKey },
            ...{ file, size: content.size, chunks: chunksOf(content.size), ciphertext, price, lock },
            ...{ blocks: deadlineBlocks, minutes: deadlineMinutes, confirmations },
            until: this.#now() + validMinutes * 60_000,
        }, signer.sign);
        void this.#desk.tell('file', [buyer], bytes);
    }
    #refuse(buyer, about, code, message) {
        const { chain, signer } = this.#desk;
        const refusal = { type: 'refusal', seller: signer.account, buyer, about, code, message };
        void this.#desk.tell('file', [buyer], signFileMessage(chain.network, refusal, signer.sign));
    }
    #priceOf({ name, size }) {
        const { price, perKilobyte, prices } = this.#config;
        if (Object.hasOwn(prices, name))
            return prices[name];
        return perKilobyte === undefined ? price : priceBySize(size, perKilobyte);
    }
    /** All that is asked now. */
    *#prices() {
        const { price, perKilobyte, prices } = this.#config;
        yield* Object.values(prices);
        if (price !== undefined)
            yield price;
        if (perKilobyte !== undefined)
            yield* this.#files().flatMap((file) => this.#priceOf(file) ?? []);
    }
    /** By the file's time; or, where that is in the future of a clock that was set back, by what we have seen of it. */
    #isQuiet({ name, version, changedMs }) {
        const { clock } = this.#desk;
        const quietMs = this.#config.quietSeconds * 1_000;
        if (clock.now() - changedMs >= quietMs)
            return true;
        const nowMs = clock.monotonic();
        const seen = this.#seen.get(name);
        if (seen?.version === version)
            return nowMs - seen.sinceMs >= quietMs;
        if (this.#seen.size >= FILES_MAX)
            this.#seen.clear();
        this.#seen.set(name, { version, sinceMs: nowMs });
        return quietMs === 0;
    }
    #files() {
        try {
            return this.#shelf.list().files;
        }
        catch (error) {
            this.#desk.log.debug('the directory of files for sale cannot be read', { reason: String(error) });
            return [];
        }
    }
    /** Says at the start what will not be sold. */
    #look() {
        const { log } = this.#desk;
        try {
            const { files, unfit } = this.#shelf.list();
            log.info('files for sale', { files: files.filter((file) => this.#priceOf(file) !== undefined).length });
            const remedy = 'names have 1 to 32 of a-z, 0-9, ".", "_" and "-", sizes are up to 1 GiB';
            if (unfit.length > 0)
                log.warn('files that cannot be sold', { names: unfit.slice(0, 5).join(', '), remedy });
        }
        catch (error) {
            log.warn('the directory of files for sale cannot be read', { reason: String(error) });
        }
    }
    /** A Pi's clock may say 1970; the chain knows better. */
    #now() {
        const { clock, chain } = this.#desk;
        return clock.synchronised() ? clock.now() : Math.max(clock.now(), chain.tip.time);
    }
}
/** How its encoding begins. */
const CHUNK_REQUEST = 3;
/** Smallest units, 1 or more, rounded up; undefined for what nobody can have. */
function priceBySize(bytes, perKilobyte) {
    const price = (BigInt(bytes) * BigInt(perKilobyte) + 999n) / 1000n;
    return price <= Number.MAX_SAFE_INTEGER ? Math.max(1, Number(price)) : undefined;
}
//# sourceMappingURL=file-shop.js.map