/**
 * NetworkManager's keyfiles for Bookworm (nm-settings-keyfile(5)): Wi-Fi, and wired Ethernet where it has a fixed address.
 */
import { isIPv4 } from 'node:net';
/** Mode 0600: NetworkManager ignores connections that others may read. */
export function connectionFiles({ config, wifiKey }) {
    const { ethernet, wifi } = config;
    const files = [];
    if (ethernet.address !== undefined) {
        files.push(connection('pinledger-ethernet', 'ethernet', ethernet.interface, addressing(ethernet), ['[ethernet]']));
    }
    if (wifi !== undefined) {
        files.push(connection('pinledger-wifi', 'wifi', wifi.interface, addressing(wifi), [
            '[wifi]',
            'mode=infrastructure',
            // As a list of bytes no character of it has a meaning.
            `ssid=${[...Buffer.from(wifi.ssid)].map((byte) => `${byte};`).join('')}`,
            ...(wifi.hidden ? ['hidden=true'] : []),
            '[wifi-security]',
            'key-mgmt=wpa-psk',
            `psk=${wifiKey}`,
        ]));
    }
    return files;
}
const connection = (id, type, interfaceName, ip, own) => ({
    path: `/etc/NetworkManager/system-connections/${id}.nmconnection`,
    mode: '0600',
    content: `${[
        '# Made by pinledger from pi.yaml.',
        '[connection]',
        `id=${id}`,
        `type=${type}`,
        `interface-name=${interfaceName}`,
        ...own,
        ...ip,
    ].join('\n')}\n`,
});
function addressing({ address, gateway, dns }) {
    if (address === undefined)
        return ['[ipv4]', 'method=auto', '[ipv6]', 'method=auto'];
    const list = (four) => {
        const servers = dns.filter((server) => isIPv4(server) === four);
        return servers.length === 0 ? [] : [`dns=${servers.map((server) => `${server};`).join('')}`];
    };
    return [
        '[ipv4]',
        'method=manual',
        `address1=${address}${gateway === undefined ? '' : `,${gateway}`}`,
        ...list(true),
        '[ipv6]',
        'method=auto',
        ...list(false),
    ];
}
//# sourceMappingURL=network-manager.js.map