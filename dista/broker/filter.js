/**
 * Topic filters: which are well formed, and which topics they match.
 *
 * Source: MQTT 3.1.1 section 4.7, with bounds of ours that every name of the topic tree keeps.
 */
/** Characters and levels of a filter or topic; the tree's longest name has 6 levels and 220 characters. */
export const FILTER_CHARACTERS_MAX = 512;
export const LEVELS_MAX = 16;
/** Whether a text is a filter: `+` and `#` fill a whole level, `#` only the last [MQTT-4.7.1-2, MQTT-4.7.1-3]. */
export function isFilter(filter) {
    if (filter === '' || filter.length > FILTER_CHARACTERS_MAX)
        return false;
    const levels = filter.split('/');
    if (levels.length > LEVELS_MAX)
        return false;
    return levels.every((level, index) => {
        if (level === '#')
            return index === levels.length - 1;
        return level === '+' || !/[+#]/.test(level);
    });
}
/** Whether a well-formed filter matches a topic; a leading wildcard never matches `$...` [MQTT-4.7.2-1]. */
export function matches(filter, topic) {
    const wanted = filter.split('/');
    const levels = topic.split('/');
    if (topic.startsWith('$') && (wanted[0] === '#' || wanted[0] === '+'))
        return false;
    for (const [index, level] of wanted.entries()) {
        if (level === '#')
            return true; // also the parent level: `a/#` matches `a` [MQTT-4.7.1-2]
        if (index >= levels.length || (level !== '+' && level !== levels[index]))
            return false;
    }
    return wanted.length === levels.length;
}
//# sourceMappingURL=filter.js.map