import { accept, refuse } from '../schemas/result.js';
import { KINDS, parseTopic } from '../schemas/topic.js';
import { isFilter } from './filter.js';
export const ANONYMOUS = { kind: 'anonymous' };
/** Whether `identity` may publish to `topic`, with or without the retain flag; also the rule for last wills. */
export function mayPublish(identity, topic, retain) {
    if (identity.kind === 'anonymous')
        return refuse({ code: 'anonymous-publish', topic });
    const parsed = parseTopic(topic);
    if (parsed === undefined)
        return refuse({ code: 'unknown-topic', topic });
    if (parsed.publisher !== identity.account)
        return refuse({ code: 'foreign-name', topic });
    const kind = KINDS[parsed.kind];
    if (kind.publisher === 'validator' && identity.kind !== 'validator')
        return refuse({ code: 'validators-only', topic });
    // A retained event would be taken for a new one by everybody who subscribes later.
    if (retain && !kind.retained)
        return refuse({ code: 'retained-event', topic });
    return accept(parsed);
}
/** Whether anybody may subscribe to `filter`. `$SYS` names every client and its filters: it is nobody's. */
export function maySubscribe(filter) {
    if (filter.startsWith('$'))
        return refuse({ code: 'system-topic', topic: filter });
    if (!isFilter(filter))
        return refuse({ code: 'malformed-filter', topic: filter });
    return accept(filter);
}
//# sourceMappingURL=access.js.map