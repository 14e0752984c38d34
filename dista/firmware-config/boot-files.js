/** All files that go onto the boot partition of one Pi, for either release. */
import { WorldError } from '../node/error.js';
import { withConfigBlock, withParameters } from './boot-text.js';
import { cloudInitFiles } from './cloud-init.js';
import { KEY_FILE } from './first-boot.js';
import { FIRSTRUN_PARAMETERS, firstrunFiles } from './firstrun.js';
/** The names that `bootFiles` may make: whoever changes the release takes the other's away. */
export const MADE = ['user-data', 'network-config', 'meta-data', 'firstrun.sh', KEY_FILE];
/** cloud-init's images carry examples of its files. */
export const releaseOf = ({ release }, { hasCloudInit }) => release ?? (hasCloudInit ? 'trixie' : 'bookworm');
/** Lines of our block in config.txt. */
export function configLines({ watchdogSeconds, i2c, oneWirePin, overlays, configLines }) {
    return [
        ...(watchdogSeconds > 0 ? ['dtparam=watchdog=on'] : []),
        ...(i2c ? ['dtparam=i2c_arm=on'] : []),
        ...(oneWirePin === undefined ? [] : [`dtoverlay=w1-gpio,gpiopin=${oneWirePin}`]),
        ...overlays.map((overlay) => `dtoverlay=${overlay}`),
        ...configLines,
    ];
}
/** What stands in cmdline.txt for the first boot and, in part, later. */
export function kernelParameters({ wifi }, release) {
    return [
        ...(wifi === undefined ? [] : [`cfg80211.ieee80211_regdom=${wifi.country}`]),
        ...(release === 'trixie' ? ['ds=nocloud'] : FIRSTRUN_PARAMETERS),
    ];
}
/**
 * All files with their content; config.txt and cmdline.txt only where the partition has them. Throws WorldError `config`
 * for what the release cannot do.
 */
export function bootFiles(device, release, partition) {
    const { config, accountKey } = device;
    if (config.swap === 'zram' && release === 'bookworm') {
        throw new WorldError('config', 'swap: zram is for Trixie; Bookworm has no such service in its image. Write swap: off or swap: keep');
    }
    const files = release === 'trixie' ? cloudInitFiles(device) : firstrunFiles(device);
    if (accountKey !== undefined)
        files.set(KEY_FILE, accountKey);
    const { 'config.txt': configText, 'cmdline.txt': cmdline } = partition;
    if (configText !== undefined)
        files.set('config.txt', withConfigBlock(configText, configLines(config)));
    if (cmdline !== undefined)
        files.set('cmdline.txt', withParameters(cmdline, kernelParameters(config, release)));
    return files;
}
//# sourceMappingURL=boot-files.js.map