export const BEAT_MS = 1_000;
/**
 * A guard that hears nothing for so long drives the safe states. Five beats: an agent on a small Pi that checks a large
 * block says nothing for a second or two.
 */
export const SILENCE_MS_MAX = 5_000;
//# sourceMappingURL=guard-messages.js.map