/** A line plot as SVG: few lines, thin axes, labels at the lines, readable on white and black. */
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [760, 300, 56, 16, 40, 44];
/** `y` is logarithmic to base 2, with a grid line at every power. */
export function plotSvg({ title, x, y, lines, marks }) {
    const all = lines.flatMap(({ points }) => points).filter(([, value]) => value > 0);
    const [fromX, toX] = [Math.min(...all.map(([at]) => at)), Math.max(...all.map(([at]) => at))];
    const logs = all.map(([, value]) => Math.log2(value));
    const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))];
    const px = (at) => LEFT + ((at - fromX) / (toX - fromX)) * (WIDTH - LEFT - RIGHT);
    const py = (log) => HEIGHT - BOTTOM - ((log - low) / Math.max(1, high - low)) * (HEIGHT - TOP - BOTTOM);
    const n = (value) => value.toFixed(1);
    const parts = [];
    for (let power = low; power <= high; power++) {
        const at = n(py(power));
        parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#8884"/>`);
        const name = power < 0 ? `1/${2 ** -power}` : String(2 ** power);
        parts.push(`<text x="${LEFT - 6}" y="${at}" dy="4" text-anchor="end">${name}</text>`);
    }
    const step = [0.5, 1, 2, 5].find((each) => (toX - fromX) / each <= 16) ?? 10;
    for (let at = Math.ceil(fromX / step) * step; at <= toX; at += step)
        parts.push(`<text x="${n(px(at))}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${at}</text>`);
    for (const { at, label } of marks) {
        parts.push(`<line x1="${n(px(at))}" x2="${n(px(at))}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="#888" stroke-dasharray="3 3"/>`, `<text x="${n(px(at) + 4)}" y="${TOP + 10}">${label}</text>`);
    }
    for (const [index, { label, colour, points }] of lines.entries()) {
        const shown = points.filter(([, value]) => value > 0);
        const path = shown
            .map(([at, value], index) => {
            // Where nothing happened for long there is no line.
            const isFar = at - (shown[index - 1]?.[0] ?? Number.NEGATIVE_INFINITY) > (toX - fromX) / 20;
            return `${isFar ? 'M' : 'L'}${n(px(at))} ${n(py(Math.log2(value)))}`;
        })
            .join('');
        parts.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`);
        parts.push(`<text x="${LEFT + 8 + 230 * index}" y="${HEIGHT - 6}" fill="${colour}">${label}</text>`);
    }
    return (`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11" fill="#777">\n` +
        `<text x="${LEFT}" y="16" font-size="14">${title}</text>\n` +
        `<text x="${LEFT}" y="31">${y}</text>\n<text x="${WIDTH - RIGHT}" y="${HEIGHT - 6}" text-anchor="end">${x}</text>\n` +
        `${parts.join('\n')}\n</svg>\n`);
}
//# sourceMappingURL=plot.js.map