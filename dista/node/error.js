export class WorldError extends Error {
    code;
    constructor(code, message, cause) {
        super(message, cause === undefined ? undefined : { cause });
        this.name = 'WorldError';
        this.code = code;
    }
}
//# sourceMappingURL=error.js.map