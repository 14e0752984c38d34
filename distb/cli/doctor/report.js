/** What was found, for people: a line for each part, aligned, with the remedy below what does not work. */
import { harmless } from '../../node/log.js';
const MARKS = {
    works: { utf8: '✓', ascii: 'ok  ', paint: '\x1b[32m' },
    warns: { utf8: '!', ascii: 'warn', paint: '\x1b[33m' },
    fails: { utf8: '✗', ascii: 'FAIL', paint: '\x1b[1;31m' },
    absent: { utf8: '–', ascii: '-   ', paint: '\x1b[90m' },
};
const PART_CHARS = 20;
const TEXT_CHARS_MIN = 40;
/** A heading and its findings. */
export function section(title, findings, style) {
    if (findings.length === 0)
        return '';
    const { colour, columns } = style;
    const heading = colour ? `\x1b[1m${title}\x1b[0m` : title;
    const chars = Math.max(PART_CHARS, ...findings.map(({ part }) => part.length));
    const lines = findings.flatMap(({ part, state, detail, remedy }) => {
        const { utf8, ascii, paint } = MARKS[state];
        const mark = style.utf8 ? utf8 : ascii;
        const indent = 2 + mark.length + 1 + chars + 2;
        const stands = state === 'fails' || state === 'warns' ? paint : '';
        const say = (text, with_) => colour && with_ !== '' ? `${with_}${text}\x1b[0m` : text;
        const [first = '', ...rest] = detail
            .split('\n')
            .flatMap((line) => wrap(plain(line, style), Math.max(columns - indent, TEXT_CHARS_MIN)));
        const arrow = style.utf8 ? '→' : '->';
        return [
            `  ${say(mark, paint)} ${say(part.padEnd(chars), stands)}  ${state === 'absent' ? say(first, paint) : first}`,
            ...rest.map((line) => `${' '.repeat(indent)}${state === 'absent' ? say(line, paint) : line}`),
            // Not wrapped: it is there to be copied.
            ...(remedy === undefined
                ? []
                : [`${' '.repeat(indent)}${say(`${arrow} ${plain(remedy, style)}`, '\x1b[36m')}`]),
        ];
    });
    return `${heading}\n${lines.join('\n')}\n\n`;
}
/** The last line: how much of it works. */
export function summary(findings, style) {
    const named = (state) => findings.filter((finding) => finding.state === state).map(({ part }) => part);
    const [bad, doubtful] = [named('fails'), named('warns')];
    const paint = (text, state) => style.colour ? `${MARKS[state].paint}${text}\x1b[0m` : text;
    const parts = [
        ...(bad.length === 0
            ? []
            : [
                paint(`${bad.length === 1 ? '1 part fails' : `${bad.length} parts fail`}: ${bad.join(', ')}`, 'fails'),
            ]),
        ...(doubtful.length === 0
            ? []
            : [paint(`${doubtful.length} to look at: ${doubtful.join(', ')}`, 'warns')]),
        `${named('works').length} work`,
        `${named('absent').length} are not here`,
    ];
    return `${parts.join('; ')}\n`;
}
/** No control characters from files and networks, and no letters that the terminal lacks. */
function plain(text, { utf8 }) {
    const safe = harmless(text);
    return utf8
        ? safe
        : safe
            .replaceAll('°C', 'C')
            .replaceAll('kΩ', 'kOhm')
            .replace(/[^\x20-\x7e]/g, '?');
}
function wrap(text, chars) {
    const lines = [];
    let line = '';
    for (const word of text.split(/ +/)) {
        if (line !== '' && line.length + 1 + word.length > chars) {
            lines.push(line);
            line = word;
        }
        else
            line = line === '' ? word : `${line} ${word}`;
    }
    return [...lines, line];
}
/** By the terminal's width and by what the environment says of its letters. */
export function styleOf(stream, env) {
    const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
    return {
        colour: stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
        utf8: /utf-?8/i.test(locale),
        columns: Math.min(stream.columns ?? 100, 120),
    };
}
//# sourceMappingURL=report.js.map