import t from 'tap'
import { shareBefore } from '../../../edge-agent/experiment/team.ts'

t.test('of what a thread tries while another finds, the share before the find counts', async (t) => {
  t.equal(shareBefore(125n, 100n, 200n), 0.25)
  t.equal(shareBefore(50n, 100n, 200n), 0, 'found before it began')
  t.equal(shareBefore(250n, 100n, 200n), 1)
  t.equal(shareBefore(100n, 100n, 100n), 0, 'a clock that did not move')
})
