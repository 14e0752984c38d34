/** Text as one word of a POSIX shell (IEEE Std 1003.1 section 2.2.2): inside single quotes nothing has a meaning. */
export const shellWord = (text) => /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
//# sourceMappingURL=shell.js.map