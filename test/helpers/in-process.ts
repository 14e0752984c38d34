/** A command line run in this process, with what it writes and its exit code; starting a program for each takes a second. */
import { runCommandLine } from '../../cli/command-line.ts'

export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
}

export async function inProcess(...args: readonly string[]): Promise<Said> {
  const said = { out: '', err: '' }
  const streams = [
    [process.stdout, 'out'],
    [process.stderr, 'err'],
  ] as const
  const before = [process.stdout.write, process.stderr.write]
  for (const [stream, name] of streams)
    stream.write = ((text: string) => {
      said[name] += text
      return true
    }) as typeof stream.write
  try {
    const code = await runCommandLine(args, {
      writeOut: (text) => void process.stdout.write(text),
      writeErr: (text) => void process.stderr.write(text),
    })
    return { ...said, code: code ?? Number(process.exitCode ?? 0) }
  } finally {
    process.exitCode = 0
    for (const [index, [stream]] of streams.entries()) stream.write = before[index] as typeof stream.write
  }
}
