import t from 'tap'
import { Download } from '../../../cli/file-purchase/download.ts'

const bytes = (index: number) => Uint8Array.of(index)
const indices = (list: readonly Uint8Array[]) => list.map(([index]) => index)

t.test(
  'a window of chunks is asked for in messages of a batch, and more once a batch is there',
  async (t) => {
    const download = new Download(200, 0, 0)
    t.strictSame(download.ask(0), [
      { first: 0, count: 32 },
      { first: 32, count: 32 },
      { first: 64, count: 32 },
    ])
    t.strictSame(download.ask(0), [], 'once')
    for (let index = 0; index < 31; index++) download.take(index, bytes(index), 0)
    t.strictSame(download.ask(0), [])
    download.take(31, bytes(31), 0)
    t.strictSame(download.ask(0), [{ first: 96, count: 32 }])
  },
)

t.test('what is there already is not asked for, and the last ones need not fill a batch', async (t) => {
  const download = new Download(5, 3, 0)
  t.strictSame(download.ask(0), [{ first: 3, count: 2 }])
  t.strictSame(indices(download.take(3, bytes(3), 0)), [3])
  t.notOk(download.isDone)
  t.strictSame(indices(download.take(4, bytes(4), 0)), [4])
  t.ok(download.isDone)
  t.strictSame(download.ask(9_000), [], 'nothing is missing')
})

t.test('chunks are given on in order, each once, and only those that were asked for', async (t) => {
  const download = new Download(200, 0, 0)
  t.strictSame(download.take(0, bytes(0), 0), [], 'nobody asked')
  download.ask(0)
  t.strictSame(download.take(96, bytes(96), 0), [], 'beyond the window')
  t.strictSame(download.take(2, bytes(2), 0), [])
  t.strictSame(download.take(2, bytes(9), 0), [], 'the first that came counts')
  t.strictSame(indices(download.take(0, bytes(0), 0)), [0])
  t.strictSame(download.take(0, bytes(9), 0), [], 'again')
  t.strictSame(indices(download.take(1, bytes(1), 0)), [1, 2])
})

t.test('what did not come is asked for again when nothing has come for a while', async (t) => {
  const download = new Download(6, 0, 0)
  download.ask(0)
  download.take(1, bytes(1), 1_000)
  download.take(4, bytes(4), 1_000)
  t.strictSame(download.ask(3_999), [])
  download.take(1, bytes(1), 3_999)
  t.equal(download.movedMs, 1_000, 'what came twice is nothing new')
  t.strictSame(download.ask(4_000), [
    { first: 0, count: 1 },
    { first: 2, count: 2 },
    { first: 5, count: 1 },
  ])
  t.strictSame(download.ask(6_999), [], 'and not at every look')
  t.equal(download.ask(7_000).length, 3)
})

t.test('a long gap is asked for in batches, too', async (t) => {
  const download = new Download(70, 0, 0)
  download.ask(0)
  t.strictSame(download.ask(3_000), [
    { first: 0, count: 32 },
    { first: 32, count: 32 },
    { first: 64, count: 6 },
  ])
})
