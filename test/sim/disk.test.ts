import t from 'tap'
import { SimDisk } from '../../sim/disk.ts'
import { Rng } from '../../sim/random.ts'

t.test(
  'a write during which the power fails leaves a part of it, and what was to be written as it was',
  async (t) => {
    const written = 'ffffffffffffffff'
    let [zeroed, whole] = [0, 0]
    for (let seed = 0; seed < 200; seed++) {
      const disk = new SimDisk(new Rng(`disk ${seed}`))
      const file = disk.open('a.log')
      const bytes = Buffer.from(written, 'hex')
      disk.cutAfter(0)
      t.throws(() => file.append(bytes), { message: /power cut/ })
      t.equal(bytes.toString('hex'), written)
      disk.restart()
      const left = disk.open('a.log')
      const text = Buffer.from(left.read(0, left.size)).toString('hex')
      t.match(text, /^(f|00)*$/)
      if (text.includes('0')) zeroed++
      if (text === written) whole++
    }
    t.ok(zeroed > 10 && whole > 10, `${zeroed} with zeros, ${whole} whole`)
  },
)
