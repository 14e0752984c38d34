/** Changes of the naive ledger that can be taken back and made again, as its walks along branches need them. */
/** Puts an entry in place of what is there; undefined: takes it away. */
export function put(map, key, after, change) {
    const before = map.get(key);
    const set = (value) => () => {
        if (value === undefined)
            map.delete(key);
        else
            map.set(key, value);
    };
    change(set(after), set(before));
}
//# sourceMappingURL=undo.js.map