const QUOTED_CHARACTERS_MAX = 40;
const KEYS_LISTED_MAX = 12;
const SCHEMA_DEPTH_MAX = 32;
/** What zod says of a union that says nothing itself. */
const NO_MESSAGE = 'Invalid input';
/** One line for each issue of a zod error: place, field, what was expected, what came, and a remedy. */
export function formatIssues(issues, { value, schema, locate }) {
    const all = issues.flatMap(expand);
    const wrongType = new Set(all.filter((one) => one.code === 'invalid_type').map((one) => fieldName(one.path)));
    // The length of a text says nothing where a list is expected.
    const telling = all.filter((one) => !isSize(one) || !wrongType.has(fieldName(one.path)));
    return telling.map((issue) => {
        const lines = describe(issue, value, schema);
        const place = locate === undefined ? '' : `${locate(lines.path)} `;
        return `${place}${fieldName(lines.path)}: ${lines.problem}. ${lines.remedy}`;
    });
}
const isSize = ({ code }) => code === 'too_small' || code === 'too_big';
/** Unions and records hide the issues that matter inside one issue: brings them to the top, with whole paths. */
function expand(issue) {
    const below = (inner) => inner.flatMap((one) => expand({ ...one, path: [...issue.path, ...one.path] }));
    if (issue.code === 'invalid_element')
        return below(issue.issues);
    if (issue.code === 'unrecognized_keys')
        return issue.keys.map((key) => ({ ...issue, keys: [key] }));
    if (issue.code !== 'invalid_union')
        return [issue];
    // The alternative that was meant is most likely the one with which most of the value agrees.
    const meant = issue.errors
        .filter((errors) => errors.some((one) => one.path.length > 0 || one.code !== 'invalid_type'))
        .sort((a, b) => a.length - b.length)[0];
    return meant === undefined ? [issue] : below(meant);
}
function describe(issue, root, schema) {
    const { path } = issue;
    const value = valueAt(root, path);
    const got = showAt(path, value);
    const come = (expected, remedy) => ({
        path,
        problem: `expected ${expected}, got ${got}`,
        remedy,
    });
    switch (issue.code) {
        case 'unrecognized_keys': {
            const key = issue.keys[0] ?? '';
            const known = keysAt(schema, root, path);
            const near = nearest(key, known);
            const listed = known.slice(0, KEYS_LISTED_MAX).join(', ');
            const remedy = listed === '' ? 'Remove it' : `Remove it; known here are ${listed}`;
            return {
                path: [...path, key],
                problem: 'unknown key',
                remedy: near === undefined ? remedy : `Did you mean '${near}'?`,
            };
        }
        case 'invalid_type':
            if (value === undefined) {
                const last = String(path.at(-1) ?? '');
                return {
                    path,
                    problem: `missing, expected ${article(issue.expected)}`,
                    remedy: `Add '${last}: ...' here`,
                };
            }
            return come(article(issue.expected), typeRemedy(issue.expected, value));
        case 'invalid_value':
            return come(oneOf(issue.values), choiceRemedy(value, issue.values));
        case 'invalid_union': {
            const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : undefined;
            if (options !== undefined)
                return come(oneOf(options), choiceRemedy(value, options));
            // A schema that says itself what it expects knows better than its alternatives' types.
            if (issue.message !== NO_MESSAGE)
                return { path, problem: `${issue.message}, got ${got}`, remedy: 'Change it to what is expected' };
            const kinds = issue.errors.flatMap((errors) => errors.flatMap((one) => ('expected' in one ? [one.expected] : [])));
            const names = [...new Set(kinds)].map(article).join(' or ');
            return come(names === '' ? 'another value' : names, 'Write one of these');
        }
        case 'too_small':
        case 'too_big': {
            const small = issue.code === 'too_small';
            const limit = String(small ? issue.minimum : issue.maximum);
            const unit = UNIT_NAMES[issue.origin];
            const words = issue.inclusive === false ? (small ? 'more than' : 'less than') : small ? 'at least' : 'at most';
            return come(`${words} ${limit}${unit ?? ''}`, unit === undefined
                ? small
                    ? 'Make it larger'
                    : 'Make it smaller'
                : small
                    ? 'Make it longer'
                    : 'Make it shorter');
        }
        case 'not_multiple_of':
            return come(`a multiple of ${issue.divisor}`, `Round it to a multiple of ${issue.divisor}`);
        case 'invalid_key':
            return { path, problem: `key does not fit: ${reasons(issue.issues)}`, remedy: 'Rename it' };
        default:
            return { path, problem: `${issue.message}, got ${got}`, remedy: 'Change it to what is expected' };
    }
}
function typeRemedy(expected, value) {
    if (value === null)
        return 'Write a value behind the colon';
    if (typeof value === 'string') {
        if (['number', 'int'].includes(expected)) {
            return Number.isFinite(Number(value)) && value.trim() !== ''
                ? 'Remove the quotes'
                : 'Write digits, without a unit';
        }
        if (expected === 'boolean')
            return 'Write true or false (YAML 1.2 reads yes, no, on and off as text)';
    }
    if (expected === 'string')
        return 'Put it in quotes';
    if (expected === 'int')
        return 'Write a whole number';
    if (expected === 'array')
        return 'Start each item on a line of its own with "- "';
    if (expected === 'object' || expected === 'record')
        return 'Write "key: value" lines, indented below it';
    return 'Change it to what is expected';
}
const choiceRemedy = (value, options) => {
    const near = typeof value === 'string' ? nearest(value, options.map(String)) : undefined;
    return near === undefined ? 'Write one of these' : `Did you mean '${near}'?`;
};
const oneOf = (options) => options.length === 1 ? show(options[0]) : `one of ${options.map(show).join(', ')}`;
const NAMES = {
    int: 'a whole number',
    array: 'a list',
    tuple: 'a list',
    object: 'a group of keys',
    record: 'a group of keys',
    boolean: 'true or false',
    string: 'text',
    nonoptional: 'a value',
};
const UNIT_NAMES = {
    string: ' characters',
    array: ' items',
    set: ' items',
};
const article = (expected) => NAMES[expected] ?? `a ${expected}`;
const reasons = (issues) => issues.map((one) => one.message).join('; ');
/** `sensors[0].interval`; the whole file has no name. */
function fieldName(path) {
    let name = '';
    for (const step of path)
        name +=
            typeof step === 'number'
                ? `[${step}]`
                : `${name && '.'}${printable(String(step)).slice(0, QUOTED_CHARACTERS_MAX)}`;
    return name === '' ? 'the whole file' : name;
}
const printable = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD');
function showAt(path, value) {
    const secret = path.some((step) => /pass|secret|token|phrase/i.test(String(step)));
    return secret && typeof value !== 'object' && value !== undefined
        ? `a ${typeof value} (not shown)`
        : show(value);
}
function show(value) {
    if (value === undefined)
        return 'nothing';
    if (value === null)
        return 'nothing (null)';
    if (Array.isArray(value))
        return `a list of ${value.length}`;
    if (typeof value === 'object')
        return 'a group of keys';
    if (typeof value !== 'string')
        return String(value);
    const clean = printable(value);
    return clean.length > QUOTED_CHARACTERS_MAX ? `"${clean.slice(0, QUOTED_CHARACTERS_MAX)}..."` : `"${clean}"`;
}
function valueAt(root, path) {
    let value = root;
    for (const step of path) {
        if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
            return undefined;
        value = value[step];
    }
    return value;
}
/** Keys that the schema knows at a path of the value. */
function keysAt(schema, root, path) {
    let here = schema;
    let value = root;
    for (const step of path) {
        if (here === undefined)
            return [];
        here = stepInto(here, step, value);
        value = valueAt(value, [step]);
    }
    return here === undefined ? [] : Object.keys(shapeOf(here, value));
}
function stepInto(schema, step, value) {
    for (const { def } of bare(schema, value)) {
        if (def.type === 'object' && Object.hasOwn(def.shape, step))
            return def.shape[String(step)];
        if (def.type === 'array')
            return def.element;
        if (def.type === 'record')
            return def.valueType;
        if (def.type === 'tuple')
            return def.items[Number(step)] ?? def.rest ?? undefined;
    }
    return undefined;
}
export function shapeOf(schema, value) {
    return Object.assign({}, ...bare(schema, value).map(({ def }) => (def.type === 'object' ? def.shape : {})));
}
/** The schemas below optional, default, pipe and the like; of a union those whose literals agree with the value. */
function bare(schema, value, depth = 0) {
    if (depth > SCHEMA_DEPTH_MAX)
        return [];
    const { def } = schema._zod;
    const below = (inner) => bare(inner, value, depth + 1);
    if ('innerType' in def)
        return below(def.innerType);
    if (def.type === 'pipe')
        return below(def.in);
    if (def.type === 'lazy')
        return below(def.getter());
    if (def.type === 'intersection')
        return [...below(def.left), ...below(def.right)];
    if (def.type !== 'union')
        return [{ def }];
    const options = def.options.flatMap(below);
    const agreeing = options.filter((option) => agrees(option.def, value));
    return agreeing.length > 0 ? agreeing : options;
}
function agrees(def, value) {
    if (def.type !== 'object')
        return false;
    return Object.entries(def.shape).every(([key, field]) => {
        const { values } = field._zod;
        const came = valueAt(value, [key]);
        return values === undefined || values.has(came);
    });
}
/** The candidate at the least edit distance, if that is at most a third of the word's length (at least 1). */
function nearest(word, candidates) {
    let best;
    let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
    for (const candidate of candidates) {
        if (Math.abs(candidate.length - word.length) >= bestDistance)
            continue;
        const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
        if (distance < bestDistance)
            [best, bestDistance] = [candidate, distance];
    }
    return best;
}
/** Optimal string alignment: insert, delete, replace and swap of neighbours cost 1 each. */
function editDistance(a, b) {
    let before = [];
    let last = Array.from({ length: b.length + 1 }, (_, index) => index);
    for (let i = 1; i <= a.length; i++) {
        const row = [i];
        for (let j = 1; j <= b.length; j++) {
            const same = a[i - 1] === b[j - 1];
            let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
                cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
            row.push(cost);
        }
        before = last;
        last = row;
    }
    return last[b.length] ?? 0;
}
//# sourceMappingURL=config-issues.js.map