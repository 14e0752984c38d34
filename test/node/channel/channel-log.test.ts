import t from 'tap'
import { ZERO_HASH } from '../../../schemas/hex.ts'
import { logOn } from '../../helpers/channel-pair.ts'
import { MemoryDisk } from '../../helpers/memory-disk.ts'

t.test(
  'records wait for one write together, 4,096 at most, and what waits for them comes behind it',
  async (t) => {
    const disk = new MemoryDisk()
    const log = logOn(disk, (error) => t.fail(String(error)))
    const writes = disk.writes
    let durable = 0
    const write = (): void => log.write([{ type: 'saleEnded', channel: ZERO_HASH }], () => void durable++)
    for (let record = 1; record < 4_096; record++) write()
    t.strictSame([disk.writes - writes, durable], [0, 0])
    write()
    t.strictSame([disk.writes - writes, durable], [1, 4_096])
    write()
    t.equal(durable, 4_096, 'the next ones wait anew')
  },
)
