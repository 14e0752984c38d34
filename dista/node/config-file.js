/**
 * Configuration from a YAML 1.2 file, parsed by a zod schema, with errors that say where, what and what to do.
 *
 * One problem a line: `site.yaml:7:3 sensors[0].intervl: unknown key. Did you mean 'interval'?`, at most 10 of
 * them. Refused before the schema sees it: more than 1 MB, text that is not UTF-8, more than one document,
 * duplicate keys, unknown tags, aliases that multiply. A value under a key that sounds secret is never quoted.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { formatIssues, shapeOf } from './config-issues.js';
import { WorldError } from './error.js';
const FILE_BYTES_MAX = 1_000_000;
const ISSUES_MAX = 10;
/** The value that `schema` makes of a YAML file; throws WorldError `config` with every problem (at most 10). */
export function loadConfig(path, schema) {
    const text = readConfig(path, schema);
    const lines = new LineCounter();
    const place = (offset) => {
        const { line, col } = lines.linePos(offset);
        return `${path}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
    };
    let document;
    try {
        document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    }
    catch (error) {
        // The parser recurses: a file of many thousand brackets ends its stack.
        throw new WorldError('config', `cannot read config file ${path} (${reason(error)}): is it nested too deep?`, error);
    }
    const faults = [...document.errors, ...document.warnings];
    if (faults.length > 0) {
        throw problems(path, faults.map(({ code, message, pos }) => `${place(pos[0])} ${syntaxProblem(code, message, text, pos[0])}`));
    }
    let value;
    try {
        value = document.toJS();
    }
    catch (error) {
        // An alias without its anchor, or aliases of aliases that would fill the memory.
        throw problems(path, [`${place(0)} ${reason(error)}. Write the value out instead of the alias (*name)`]);
    }
    const parsed = schema.safeParse(value);
    if (parsed.success)
        return parsed.data;
    const locate = (at) => place(offsetOf(document, at));
    throw problems(path, formatIssues(parsed.error.issues, { value, schema, locate }));
}
function readConfig(path, schema) {
    let fd;
    try {
        fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // a FIFO must not hang us
    }
    catch (error) {
        const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
        if (missing)
            throw new WorldError('config', `there is no config file ${path}. ${howToMake(schema)}`, error);
        throw new WorldError('config', `cannot open config file ${path} (${reason(error)})`, error);
    }
    try {
        const stat = fstatSync(fd);
        if (!stat.isFile())
            throw new WorldError('config', `config file ${path} is not a regular file`);
        if (stat.size > FILE_BYTES_MAX) {
            throw new WorldError('config', `config file ${path} has ${stat.size} bytes, expected at most ${FILE_BYTES_MAX}: is it the right file?`);
        }
        return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(fd));
    }
    catch (error) {
        if (error instanceof WorldError)
            throw error;
        throw new WorldError('config', `cannot read config file ${path} as UTF-8 text (${reason(error)})`, error);
    }
    finally {
        closeSync(fd);
    }
}
function howToMake(schema) {
    const required = Object.entries(shapeOf(schema)).filter(([, field]) => field._zod.optin === undefined);
    if (required.length === 0)
        return 'Make one: every key has a default, so a file with the line "{}" will do';
    return `Make one, a YAML file with these keys: ${required.map(([key]) => key).join(', ')}`;
}
function problems(path, lines) {
    const more = lines.length > ISSUES_MAX ? [`and ${lines.length - ISSUES_MAX} more`] : [];
    const count = lines.length === 1 ? '1 problem' : `${lines.length} problems`;
    return new WorldError('config', [`config file ${path} has ${count}:`, ...lines.slice(0, ISSUES_MAX), ...more].join('\n  '));
}
/** The parser's codes in our words where its own do not say what to do. */
function syntaxProblem(code, message, text, offset) {
    if (code === 'DUPLICATE_KEY') {
        const key = /^[^:\n]*/.exec(text.slice(offset))?.[0].trim() ?? '';
        return `${key}: this key is there twice. Remove one of the two`;
    }
    if (code === 'MULTIPLE_DOCS')
        return 'expected one document, got another. Remove the line "---" and what follows';
    if (code === 'TAB_AS_INDENT')
        return 'expected blanks, got a tab. Indent with blanks';
    if (code === 'TAG_RESOLVE_FAILED')
        return `${message}. Remove the tag (!name), plain YAML values are enough`;
    return `not YAML: ${message}. Look at this line and the one before it`;
}
/** Offset of the key at a path when it is the last step and unknown, else of the value, else of what holds it. */
function offsetOf(document, path) {
    let node = document.contents;
    let offset = 0;
    for (const step of path) {
        if (isNode(node) && 'resolve' in node && typeof node.resolve === 'function')
            node = node.resolve(document);
        let next;
        if (isMap(node)) {
            const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
            if (isNode(pair?.key))
                offset = pair.key.range?.[0] ?? offset;
            next = pair?.value;
        }
        else if (isSeq(node)) {
            next = node.items[Number(step)];
            if (isNode(next))
                offset = next.range?.[0] ?? offset;
        }
        if (next === undefined)
            break;
        node = next;
    }
    return offset;
}
const reason = (error) => (error instanceof Error ? error.message : String(error));
//# sourceMappingURL=config-file.js.map