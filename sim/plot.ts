/** A line plot as SVG: few lines, thin axes, labels at the lines, readable on white and black. */

export interface Line {
  readonly label: string
  readonly colour: string
  readonly points: readonly (readonly [number, number])[]
}

export interface Plot {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly lines: readonly Line[]
  /** Marked with a vertical line. */
  readonly marks: readonly { readonly at: number; readonly label: string }[]
  /** How values become heights; powers of two when left out. */
  readonly scale?: Scale
}

export interface Scale {
  /** Undefined: cannot be shown. */
  readonly height: (value: number) => number | undefined
  /** Grid lines that hold everything from `low` to `high`, lowest first. */
  readonly grid: (low: number, high: number) => readonly { readonly height: number; readonly name: string }[]
}

/** Logarithmic to base 2, with a grid line at every power, or at every second or fourth of many. */
const POWERS_OF_TWO: Scale = {
  height: (value) => (value > 0 ? Math.log2(value) : undefined),
  grid(low, high) {
    const [from, to] = [Math.floor(low), Math.ceil(high)]
    const step = [1, 2, 4].find((each) => (to - from) / each <= 12) ?? 8
    const first = Math.floor(from / step) * step
    return Array.from({ length: Math.ceil((to - first) / step) + 1 }, (_, index) => {
      const power = first + index * step
      return { height: power, name: power < 0 ? `1/${2 ** -power}` : String(2 ** power) }
    })
  },
}

/** For values of both signs: straight near zero, logarithmic far from it, with grid lines at 0 and at powers of ten. */
export const BOTH_SIGNS: Scale = {
  height: (value) => Math.sign(value) * Math.log10(1 + Math.abs(value)),
  grid(low, high) {
    const values = [0, 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9].flatMap((value) => [value, -value])
    const all = [...new Set(values.map((value) => value || 0))].sort((a, b) => a - b)
    const lines = all.map((value) => ({ height: BOTH_SIGNS.height(value) ?? 0, name: String(value) }))
    const first = lines.findLastIndex(({ height }) => height <= low)
    const last = lines.findIndex(({ height }) => height >= high)
    return lines.slice(Math.max(0, first), last < 0 ? undefined : last + 1)
  },
}

const [WIDTH, LEFT, RIGHT, TOP, PLOT_HEIGHT, BOTTOM] = [760, 56, 16, 40, 216, 44]
/** Labels below each other when they do not fit into one row. */
const ROW = { height: 15, labels: 4, width: 172 } as const
const X_STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
const X_LABELS_MAX = 16

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const n = (value: number): string => value.toFixed(1)

export function plotSvg({ title, x, y, lines, marks, scale = POWERS_OF_TWO }: Plot): string {
  const shown = lines.map((line) => ({
    ...line,
    points: line.points.flatMap(([at, value]): (readonly [number, number])[] => {
      const height = scale.height(value)
      return height === undefined ? [] : [[at, height]]
    }),
  }))
  const all = shown.flatMap(({ points }) => points)
  const range = (values: readonly number[]): readonly [number, number] =>
    values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ] as const)
  const [fromX, toX] = range(all.map(([at]) => at))
  const grid = scale.grid(...range(all.map(([, height]) => height)))
  const [low, high] = [grid[0]?.height ?? 0, grid.at(-1)?.height ?? 1]
  const rows = lines.length > 3 ? Math.ceil(lines.length / ROW.labels) : 0
  const floor = TOP + PLOT_HEIGHT
  const height = floor + BOTTOM + rows * ROW.height
  const px = (at: number): number => LEFT + ((at - fromX) / (toX - fromX)) * (WIDTH - LEFT - RIGHT)
  const py = (value: number): number => floor - ((value - low) / (high - low || 1)) * PLOT_HEIGHT
  const parts: string[] = []
  for (const line of grid) {
    const at = n(py(line.height))
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#8884"/>`)
    parts.push(`<text x="${LEFT - 6}" y="${at}" dy="4" text-anchor="end">${line.name}</text>`)
  }
  const step = X_STEPS.find((each) => (toX - fromX) / each <= X_LABELS_MAX) ?? (toX - fromX) / X_LABELS_MAX
  for (let index = Math.ceil(fromX / step); index * step <= toX; index++) {
    const name = Number((index * step).toFixed(2))
    parts.push(`<text x="${n(px(index * step))}" y="${floor + 16}" text-anchor="middle">${name}</text>`)
  }
  for (const { at, label } of marks) {
    parts.push(
      `<line x1="${n(px(at))}" x2="${n(px(at))}" y1="${TOP}" y2="${floor}" stroke="#888" stroke-dasharray="3 3"/>`,
      `<text x="${n(px(at) + 4)}" y="${TOP + 10}">${escaped(label)}</text>`,
    )
  }
  for (const [index, { label, colour, points }] of shown.entries()) {
    const path = points
      .map(([at, value], index) => {
        // Where nothing happened for long there is no line.
        const isFar = at - (points[index - 1]?.[0] ?? Number.NEGATIVE_INFINITY) > (toX - fromX) / 20
        return `${isFar ? 'M' : 'L'}${n(px(at))} ${n(py(value))}`
      })
      .join('')
    parts.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`)
    const [column, row] = rows === 0 ? [index, 0] : [index % ROW.labels, Math.floor(index / ROW.labels) + 1]
    const [left, top] = [
      LEFT + 8 + (rows === 0 ? 230 : ROW.width) * column,
      floor + BOTTOM - 6 + row * ROW.height,
    ]
    parts.push(`<text x="${left}" y="${top}" fill="${colour}">${escaped(label)}</text>`)
  }
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11" fill="#777">\n` +
    `<text x="${LEFT}" y="16" font-size="14">${escaped(title)}</text>\n` +
    `<text x="${LEFT}" y="31">${escaped(y)}</text>\n<text x="${WIDTH - RIGHT}" y="${floor + BOTTOM - 6}" text-anchor="end">${escaped(x)}</text>\n` +
    `${parts.join('\n')}\n</svg>\n`
  )
}
