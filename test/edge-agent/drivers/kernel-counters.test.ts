import t from 'tap'
import {
  parseCpuTicks,
  parseDiskBytes,
  parseMemoryUsed,
  parseNetworkBytes,
  parseTemperature,
} from '../../../edge-agent/drivers/kernel-counters.ts'

t.test(
  'processor: waiting is idle, a guest is not counted twice, old kernels have four counters',
  async (t) => {
    t.strictSame(parseCpuTicks('cpu  10 1 5 100 20 2 3 4 9 9\ncpu0 1 1 1 1\n'), { idle: 120, total: 145 })
    t.strictSame(parseCpuTicks('cpu  10 1 5 100\n'), { idle: 100, total: 116 })
    for (const text of ['', 'cpu0 1 2 3 4\n', 'cpu  1 2 3\n', 'cpu  a b c d\n'])
      t.throws(() => parseCpuTicks(text))
  },
)

t.test('memory: used is what is not available, not what is not free', async (t) => {
  const meminfo = 'MemTotal:       8000 kB\nMemFree:         100 kB\nMemAvailable:   6000 kB\n'
  t.equal(parseMemoryUsed(meminfo), 25)
  t.throws(() => parseMemoryUsed('MemTotal: 8000 kB\n'), /MemAvailable/)
  t.throws(() => parseMemoryUsed('MemTotal: 0 kB\nMemAvailable: 0 kB\n'), /MemTotal is 0/)
})

t.test('temperature: thousandths of a degree, below zero too', async (t) => {
  t.equal(parseTemperature('48312\n'), 48.312)
  t.equal(parseTemperature('-1500\n'), -1.5)
  for (const text of ['', 'hot', '1.5']) t.throws(() => parseTemperature(text))
})

t.test('disks: sectors of 512 bytes of whole disks only', async (t) => {
  const diskstats =
    ' 179       0 mmcblk0 10 0 200 5 7 0 30 1 0 0 0\n 179       1 mmcblk0p1 10 0 200 5 7 0 30 1 0 0 0\n'
  t.equal(parseDiskBytes(diskstats, new Set(['mmcblk0']), 'read'), 102_400)
  t.equal(parseDiskBytes(diskstats, new Set(['mmcblk0']), 'written'), 15_360)
  t.equal(parseDiskBytes(diskstats, new Set(), 'read'), 0)
})

t.test('network: all interfaces but the loopback', async (t) => {
  const dev = `Inter-|   Receive                          |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
    lo:    3193      29    0    0    0     0          0         0     3193      29    0
  eth0: 1000       5    0    0    0     0          0         0   70      50    0
 wlan0:2000       5    0    0    0     0          0         0   7      50    0
`
  t.equal(parseNetworkBytes(dev, 'received'), 3000)
  t.equal(parseNetworkBytes(dev, 'sent'), 77)
  t.throws(() => parseNetworkBytes('    lo: 1 2 3 4 5 6 7 8 9\n', 'sent'), /loopback/)
})
