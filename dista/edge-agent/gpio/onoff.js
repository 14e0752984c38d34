var __rewriteRelativeImportExtension = (this && this.__rewriteRelativeImportExtension) || function (path, preserveJsx) {
    if (typeof path === "string" && /^\.\.?\//.test(path)) {
        return path.replace(/\.(tsx)$|((?:\.d)?)((?:\.[^./]+?)?)\.([cm]?)ts$/i, function (m, tsx, d, ext, cm) {
            return tsx ? preserveJsx ? ".jsx" : ".js" : d && (!ext || !cm) ? m : (d + ext + "." + cm.toLowerCase() + "js");
        });
    }
    return path;
};
/** The one file that loads onoff, the GPIO library: an optional dependency, because its native part needs Linux. */
import { WorldError } from '../../node/error.js';
/** onoff's constructor; rejects with a `WorldError` when it is not installed here. */
export async function loadOnoff() {
    // Not a literal, so that the project builds on machines where this optional package is absent.
    const onoff = 'onoff';
    try {
        const module = (await import(__rewriteRelativeImportExtension(onoff)));
        return module.Gpio;
    }
    catch (cause) {
        throw new WorldError('sensor', 'the GPIO library onoff is not installed; run "npm install onoff" on the Raspberry Pi, which needs a C++ compiler', cause);
    }
}
//# sourceMappingURL=onoff.js.map