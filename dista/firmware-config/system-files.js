const file = (path, ...lines) => ({
    path,
    mode: '0644',
    content: `${['# Made by pinledger from pi.yaml.', ...lines].join('\n')}\n`,
});
export function systemFiles({ config }, release) {
    const { watchdogSeconds, logs, disk, swap, ntpServers, i2c } = config;
    const files = [
        // sshd takes the first value that it finds: before 50-cloud-init.conf and the main file.
        file('/etc/ssh/sshd_config.d/10-pinledger.conf', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'PermitRootLogin no'),
        file('/etc/systemd/journald.conf.d/90-pinledger.conf', '[Journal]', `Storage=${logs.storage}`, `SystemMaxUse=${logs.megabytesMax}M`, `RuntimeMaxUse=${logs.megabytesMax}M`),
    ];
    if (watchdogSeconds > 0) {
        files.push(file('/etc/systemd/system.conf.d/90-pinledger.conf', '[Manager]', `RuntimeWatchdogSec=${watchdogSeconds}s`, 'RebootWatchdogSec=2min'));
    }
    if (ntpServers.length > 0) {
        files.push(file('/etc/systemd/timesyncd.conf.d/90-pinledger.conf', '[Time]', `NTP=${ntpServers.join(' ')}`));
    }
    if (i2c)
        files.push(file('/etc/modules-load.d/pinledger.conf', 'i2c-dev'));
    if (release === 'trixie' && swap !== 'keep') {
        files.push(file('/etc/rpi/swap.conf.d/90-pinledger.conf', '[Main]', `Mechanism=${swap === 'off' ? 'none' : 'zram'}`));
    }
    if (disk.tmpMegabytesMax !== undefined)
        files.push(inMemory('/tmp', disk.tmpMegabytesMax, 'mode=1777,nosuid,nodev'));
    if (disk.varLogMegabytesMax !== undefined) {
        files.push(inMemory('/var/log', disk.varLogMegabytesMax, 'mode=0755,nosuid,nodev,noexec'), 
        // Programs that do not make their own directory again.
        file('/etc/tmpfiles.d/pinledger-log.conf', 'd /var/log/apt 0755 root root -'));
    }
    return files;
}
/** Name of the mount unit of a path (systemd.unit(5), string escaping for paths). */
export const mountUnit = (path) => `${path.slice(1).replaceAll('/', '-')}.mount`;
const inMemory = (path, megabytesMax, options) => file(`/etc/systemd/system/${mountUnit(path)}`, '[Unit]', `Description=${path} in memory`, 'DefaultDependencies=no', 'Conflicts=umount.target', 'Before=local-fs.target umount.target', 'After=swap.target', '[Mount]', 'What=tmpfs', `Where=${path}`, 'Type=tmpfs', `Options=${options},noatime,size=${megabytesMax}M`, '[Install]', 'WantedBy=local-fs.target');
//# sourceMappingURL=system-files.js.map