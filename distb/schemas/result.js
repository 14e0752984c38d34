export const accept = (value) => ({ ok: true, value });
export const refuse = (fault) => ({ ok: false, fault });
/** Throws on a broken assumption of our own code; caught only at a program's `main`. */
export function invariant(condition, message) {
    if (!condition)
        throw new Error(`invariant broken: ${message}`);
}
//# sourceMappingURL=result.js.map