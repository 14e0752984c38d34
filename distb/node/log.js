const RANK = { debug: 0, info: 1, warn: 2, error: 3 };
const COLOUR = {
    debug: '\x1b[90m',
    info: '',
    warn: '\x1b[33m',
    error: '\x1b[31m',
};
export function createLog(options) {
    const line = (level) => (event, fields = {}) => {
        if (RANK[level] < RANK[options.level])
            return;
        const at = new Date(options.now()).toISOString();
        if (options.format === 'json') {
            options.write(`${escaped(JSON.stringify({ at, level, name: options.name, event, ...fields }))}\n`);
            return;
        }
        const facts = Object.entries(fields)
            .filter(([, value]) => value !== undefined)
            .map(([key, value]) => `${key}=${printable(String(value))}`)
            .join(' ');
        const text = `${at.slice(11, 19)} ${options.name.padEnd(12)} ${level === 'info' ? '' : `${level}: `}${event}${facts && ` ${facts}`}`;
        const colour = options.format === 'colour' ? COLOUR[level] : '';
        options.write(colour === '' ? `${text}\n` : `${colour}${text}\x1b[0m\n`);
    };
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}
/** A peer's text must not move our cursor or fake a line. */
export const harmless = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD');
/** JSON leaves the upper control characters as they are, and terminals obey them. */
const escaped = (json) => json.replace(/[\x7f-\x9f]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
function printable(value) {
    const clean = harmless(value);
    return /\s|"/.test(clean) ? JSON.stringify(clean) : clean;
}
/** Format that suits where the output goes: colours on a terminal unless NO_COLOR is set. */
export const formatFor = (stream, json) => json ? 'json' : stream.isTTY === true && process.env.NO_COLOR === undefined ? 'colour' : 'text';
//# sourceMappingURL=log.js.map