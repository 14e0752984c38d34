import t from 'tap'
import { type Hash, toHex } from '../../../schemas/hex.ts'
import { logOn } from '../../helpers/channel-pair.ts'
import { MemoryDisk } from '../../helpers/memory-disk.ts'

t.test('records wait for one write together, 4,096 at most, and what waits for them comes behind it', async (t) => {
  const disk = new MemoryDisk()
  const log = logOn(disk, (error) => t.fail(String(error)))
  const writes = disk.writes
  let durable = 0
  const end = (number: number): void => {
    const channel = toHex(new Uint8Array(32).fill(number)) as Hash
    log.write([{ type: 'saleEnded', channel }], () => void durable++)
  }
  for (let number = 1; number < 4_096; number++) end(number)
  t.strictSame([disk.writes - writes, durable], [0, 0])
  end(0)
  t.strictSame([disk.writes - writes, durable], [1, 4_096])
  end(1)
  t.equal(durable, 4_096, 'the next ones wait anew')
})
