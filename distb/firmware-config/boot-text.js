/**
 * config.txt and cmdline.txt, which an image brings along: what is ours is put in, what was ours before is taken out, the
 * rest stays as it is. Doing it twice changes nothing.
 */
import { WorldError } from '../node/error.js';
const BEGIN = '# >>> pinledger: everything down to the next mark is written by pinledger';
const END = '# <<< pinledger';
/** config.txt with these lines in our block at its end; they hold for every model of Pi. */
export function withConfigBlock(text, lines) {
    const kept = [];
    let inside = false;
    for (const line of text.replace(/\r\n/g, '\n').split('\n')) {
        if (line.startsWith('# >>> pinledger')) {
            if (inside)
                throw broken('begins twice');
            inside = true;
        }
        else if (line.startsWith(END)) {
            if (!inside)
                throw broken('ends before it begins');
            inside = false;
        }
        else if (!inside)
            kept.push(line);
    }
    if (inside)
        throw broken('has no end');
    while (kept.at(-1) === '')
        kept.pop();
    const before = kept.length === 0 ? '' : `${kept.join('\n')}\n`;
    // A filter such as [cm5] above would take our lines for itself.
    return lines.length === 0 ? before : `${before}${[BEGIN, '[all]', ...lines, END].join('\n')}\n`;
}
const broken = (what) => new WorldError('config', `config.txt of the boot partition: the block of pinledger ${what}. Remove its lines (from "# >>> pinledger" to "${END}") and try again`);
/** Parameters that are ours, by name: an older value goes, also when the new list has none. */
const OURS = [
    'ds',
    'systemd.run',
    'systemd.run_success_action',
    'systemd.unit',
    'cfg80211.ieee80211_regdom',
];
/** The one line of cmdline.txt with these parameters at its end. */
export function withParameters(text, parameters) {
    const kept = text
        .split(/\s+/)
        .filter((word) => word !== '' && !OURS.some((name) => word.startsWith(`${name}=`)));
    return `${[...kept, ...parameters].join(' ')}\n`;
}
//# sourceMappingURL=boot-text.js.map