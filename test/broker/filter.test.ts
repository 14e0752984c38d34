import t from 'tap'
import { isFilter, matches } from '../../broker/filter.ts'

t.test('well-formed filters, MQTT 3.1.1 section 4.7.1', async (t) => {
  for (const filter of ['#', '+', 'a', '/', 'a/#', '+/#', '/+', 'a/+/b', 'a//b', '$SYS/#', 'ä/b c'])
    t.equal(isFilter(filter), true, filter)
  for (const filter of ['', 'a+', '+a', 'a#', '#/a', 'a/#/b', 'a/b+', '##', '/'.repeat(16), 'x'.repeat(513)])
    t.equal(isFilter(filter), false, filter.slice(0, 20))
})

t.test('matching, the examples of section 4.7', async (t) => {
  const yes = [
    ['sport/tennis/player1/#', 'sport/tennis/player1'],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon'],
    ['sport/#', 'sport'],
    ['sport/tennis/+', 'sport/tennis/player1'],
    ['sport/+', 'sport/'],
    ['+/+', '/finance'],
    ['/+', '/finance'],
    ['#', 'a/b'],
    ['$SYS/#', '$SYS/a'],
    ['$SYS/monitor/+', '$SYS/monitor/Clients'],
  ] as const
  const no = [
    ['sport/tennis/+', 'sport/tennis/player1/ranking'],
    ['sport/+', 'sport'],
    ['+', '/finance'],
    ['#', '$SYS/a'],
    ['+/monitor/Clients', '$SYS/monitor/Clients'],
    ['ACCOUNTS', 'Accounts'],
    ['a/b', 'a'],
  ] as const
  for (const [filter, topic] of yes) t.equal(matches(filter, topic), true, `${filter} ${topic}`)
  for (const [filter, topic] of no) t.equal(matches(filter, topic), false, `${filter} ${topic}`)
})
