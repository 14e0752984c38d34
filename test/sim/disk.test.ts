import t from 'tap'
import { SimDisk } from '../../sim/disk.ts'
import { Rng } from '../../sim/random.ts'

const WRITTEN = 'ffffffffffffffff'

t.test(
  'the power fails during a write: a part of it is there, and what was to be written is as it was',
  async (t) => {
    const [left, after] = [new Set<string>(), new Set<string>()]
    for (let seed = 0; seed < 100; seed++) {
      const disk = new SimDisk(new Rng(`disk ${seed}`))
      const file = disk.open('a.log')
      const bytes = Buffer.from(WRITTEN, 'hex')
      disk.cutAfter(0)
      try {
        file.append(bytes)
        t.fail('it was written')
      } catch (error) {
        if (!String(error).includes('power cut')) throw error
      }
      after.add(bytes.toString('hex'))
      disk.restart()
      const found = disk.open('a.log')
      left.add(Buffer.from(found.read(0, found.size)).toString('hex'))
    }
    t.strictSame([...after], [WRITTEN])
    t.match([...left].join(' '), /^((f*|0*)( |$))+$/)
    t.ok(
      left.has(WRITTEN) && left.has('') && left.has('00000000'),
      'whole, nothing, and sectors that never got there',
    )
  },
)
