/**
 * What `pinledger doctor` finds: one line for each part, and a check that finds some of them.
 *
 * A check has a limit of time and fails alone: whatever it throws becomes a finding.
 */
import { WorldError } from '../../node/error.js';
const finding = (state) => (part, detail, remedy) => ({
    part,
    state,
    detail,
    ...(remedy !== undefined && { remedy }),
});
export const works = finding('works');
export const warns = finding('warns');
export const fails = finding('fails');
export const absent = finding('absent');
/** Never rejects. The check's signal is aborted at its limit. */
export async function examine({ part, msMax, run }) {
    const found = [];
    const controller = new AbortController();
    let isOver = false;
    const say = (finding) => {
        if (!isOver)
            found.push(finding);
    };
    const limit = new Promise((resolve) => {
        controller.signal.addEventListener('abort', () => {
            if (!isOver)
                say(fails(part, `not known: no answer within ${msMax / 1000} s`));
            resolve();
        });
    });
    const timer = setTimeout(() => controller.abort(), msMax);
    const work = async () => {
        try {
            await run(say, controller.signal);
        }
        catch (error) {
            say(fails(part, reasonOf(error)));
        }
    };
    await Promise.race([work(), limit]);
    clearTimeout(timer);
    isOver = true;
    controller.abort();
    return found;
}
export const reasonOf = (error) => {
    if (error instanceof WorldError)
        return error.message;
    return `bug in pinledger, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
};
//# sourceMappingURL=finding.js.map