import t from 'tap'
import { Budget } from '../../broker/budget.ts'

t.test('whoever is furthest behind is cut off, and nobody else', async (t) => {
  const budget = new Budget(100)
  const cut: string[] = []
  const member = (name: string, backlog: number) => {
    const self = {
      backlog,
      cut(reason: string) {
        cut.push(`${name} ${reason}`)
        budget.outgoing -= self.backlog
        budget.remove(self)
      },
    }
    budget.outgoing += backlog
    budget.add(self)
  }
  member('slow', 40)
  member('slowest', 60)
  budget.settle()
  t.same(cut, [])
  member('new', 10)
  budget.settle()
  t.same(cut, ['slowest readers-too-slow'])
  t.equal(budget.outgoing, 50)
})

t.test('an empty budget has nobody to cut off', async (t) => {
  const budget = new Budget(1)
  budget.outgoing = 2
  budget.settle()
  t.equal(budget.outgoing, 2)
})
