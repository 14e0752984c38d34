export class Shop {
    /** By kind and name; `not-for-sale` for what is there, but has no price. */
    #wanted = new Map();
    /** Deepest that a payment has to be. */
    confirmationsMax;
    /** How far ahead anything can be bought. */
    secondsMax;
    constructor({ outputs, sensors }) {
        const add = (kind, name, terms) => void this.#wanted.set(`${kind} ${name}`, terms ?? 'not-for-sale');
        for (const { name, sell } of outputs)
            add('on', name, sell);
        for (const { name, sell } of sensors) {
            const perMinute = sell?.perMinute;
            add('topic', name, sell === undefined || perMinute === undefined ? undefined : { ...sell, perMinute });
        }
        const sold = [...this.#wanted.values()].filter((terms) => terms !== 'not-for-sale');
        this.confirmationsMax = Math.max(0, ...sold.map(({ confirmations }) => confirmations));
        this.secondsMax = Math.max(0, ...sold.map(({ secondsMax }) => secondsMax));
    }
    /** Without anything to sell, whatever is paid is a gift. */
    get isEmpty() {
        return this.confirmationsMax === 0;
    }
    wanted({ kind, name }) {
        return this.#wanted.get(`${kind} ${name}`) ?? 'unknown-item';
    }
    /** How deep a payment for this has to be before it is settled; what is given back waits for the most careful of all items. */
    confirmations(item) {
        const wanted = this.wanted(item);
        return typeof wanted === 'string' ? this.confirmationsMax : wanted.confirmations;
    }
}
//# sourceMappingURL=shop.js.map