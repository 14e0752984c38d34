import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { loadConfig } from '../../node/config-file.ts'
import { formatIssues } from '../../node/config-issues.ts'
import { WorldError } from '../../node/error.ts'

const sensor = z.discriminatedUnion('driver', [
  z.strictObject({
    driver: z.literal('host'),
    input: z.string(),
    interval: z.int().min(1).max(3600).default(5),
  }),
  z.strictObject({ driver: z.literal('gpio'), pin: z.int() }),
])
const site = z.strictObject({
  name: z.string().min(2).max(8),
  role: z.enum(['miner', 'observer']).optional(),
  retain: z.boolean().default(true),
  step: z.number().multipleOf(5).gt(0).lt(100).optional(),
  sensors: z.array(sensor).max(3).default([]),
  broker: z
    .strictObject({
      url: z.string().regex(/^mqtt:/, 'expected mqtt://host:port'),
      password: z.int().optional(),
    })
    .optional(),
  limits: z.record(z.string().max(3), z.number()).optional(),
  at: z.union([z.string(), z.number()]).optional(),
  pair: z.tuple([z.number(), z.strictObject({ left: z.number() })]).optional(),
})

type Testdir = { testdir(files: Record<string, string>): string }

/** The lines of the error that loading `text` as site.yaml gives, without its directory; none when it loads. */
function linesOf(t: Testdir, text: string, schema: z.ZodType = site): string[] {
  const directory = t.testdir({ 'site.yaml': text })
  try {
    loadConfig(join(directory, 'site.yaml'), schema)
    return []
  } catch (error) {
    if (!(error instanceof WorldError && error.code === 'config')) throw error
    return error.message.replaceAll(`${directory}/`, '').split('\n  ')
  }
}

t.test("a valid file becomes the schema's value, with its defaults", async (t) => {
  const text = '\uFEFFname: porch\nsensors:\n  - { driver: host, input: load }\nat: &x 3\nstep: 5\n'
  const directory = t.testdir({ 'site.yaml': text })
  const config = loadConfig(join(directory, 'site.yaml'), site)
  t.same(config, {
    name: 'porch',
    retain: true,
    step: 5,
    at: 3,
    sensors: [{ driver: 'host', input: 'load', interval: 5 }],
  })
})

const CASES: Record<string, [text: string, line: string]> = {
  'an unknown key that is nearly a known one': [
    'name: porch\nsensors:\n  - driver: host\n    input: load\n    intervl: 3\n',
    "site.yaml:5:5 sensors[0].intervl: unknown key. Did you mean 'interval'?",
  ],
  'a known key with two letters swapped': [
    'name: porch\nretian: true\n',
    "site.yaml:2:1 retian: unknown key. Did you mean 'retain'?",
  ],
  'an unknown key far from any, in one case of a union': [
    'name: porch\nsensors:\n  - { driver: gpio, pin: 4, colour: red }\n',
    'site.yaml:3:29 sensors[0].colour: unknown key. Remove it; known here are driver, pin',
  ],
  'an unknown key inside a list of fixed places': [
    'name: porch\npair: [1, { left: 2, lefd: 3 }]\n',
    "site.yaml:2:22 pair[1].lefd: unknown key. Did you mean 'left'?",
  ],
  'a missing key': ['retain: false\n', "site.yaml:1:1 name: missing, expected text. Add 'name: ...' here"],
  'a missing key inside a list': [
    'name: porch\nsensors:\n  - driver: gpio\n',
    "site.yaml:3:5 sensors[0].pin: missing, expected a number. Add 'pin: ...' here",
  ],
  'a number in quotes': [
    'name: porch\nsensors:\n  - driver: gpio\n    pin: "4"\n',
    'site.yaml:4:5 sensors[0].pin: expected a number, got "4". Remove the quotes',
  ],
  'a number with a unit': [
    'name: porch\nstep: 5s\n',
    'site.yaml:2:1 step: expected a number, got "5s". Write digits, without a unit',
  ],
  'a fraction': [
    'name: porch\nsensors: [{ driver: gpio, pin: 4.5 }]\n',
    'site.yaml:2:27 sensors[0].pin: expected a whole number, got 4.5. Write a whole number',
  ],
  'yes for true': [
    'name: porch\nretain: yes\n',
    'site.yaml:2:1 retain: expected true or false, got "yes". Write true or false (YAML 1.2 reads yes, no, on and off as text)',
  ],
  'text that YAML reads as a number': [
    'name: 1234\n',
    'site.yaml:1:1 name: expected text, got 1234. Put it in quotes',
  ],
  'a key without a value': [
    'name:\n',
    'site.yaml:1:1 name: expected text, got nothing (null). Write a value behind the colon',
  ],
  'a list that is none': [
    'name: porch\nsensors: host\n',
    'site.yaml:2:1 sensors: expected a list, got "host". Start each item on a line of its own with "- "',
  ],
  'a group that is none': [
    'name: porch\nbroker: local\n',
    'site.yaml:2:1 broker: expected a group of keys, got "local". Write "key: value" lines, indented below it',
  ],
  'a value that is none of a few': [
    'name: porch\nrole: minr\n',
    'site.yaml:2:1 role: expected one of "miner", "observer", got "minr". Did you mean \'miner\'?',
  ],
  'a driver that is none': [
    'name: porch\nsensors:\n  - driver: serial\n',
    'site.yaml:3:5 sensors[0].driver: expected one of "host", "gpio", got "serial". Write one of these',
  ],
  'a text that is too short': [
    'name: x\n',
    'site.yaml:1:1 name: expected at least 2 characters, got "x". Make it longer',
  ],
  'a number that is too large': [
    'name: porch\nsensors: [{ driver: host, input: a, interval: 9999 }]\n',
    'site.yaml:2:37 sensors[0].interval: expected at most 3600, got 9999. Make it smaller',
  ],
  'too many items': [
    'name: porch\nsensors: [{driver: gpio, pin: 1}, {driver: gpio, pin: 2}, {driver: gpio, pin: 3}, {driver: gpio, pin: 4}]\n',
    'site.yaml:2:1 sensors: expected at most 3 items, got a list of 4. Make it shorter',
  ],
  'a number on the wrong side of an open limit': [
    'name: porch\nstep: 100\n',
    'site.yaml:2:1 step: expected less than 100, got 100. Make it smaller',
  ],
  'a number that is no multiple': [
    'name: porch\nstep: 7\n',
    'site.yaml:2:1 step: expected a multiple of 5, got 7. Round it to a multiple of 5',
  ],
  'text of the wrong form': [
    'name: porch\nbroker:\n  url: http://x\n',
    'site.yaml:3:3 broker.url: expected mqtt://host:port, got "http://x". Change it to what is expected',
  ],
  'a value that no alternative takes': [
    'name: porch\nat: true\n',
    'site.yaml:2:1 at: expected text or a number, got true. Write one of these',
  ],
  'a key of the wrong form': [
    'name: porch\nlimits:\n  abcd: 1\n',
    'site.yaml:3:3 limits.abcd: key does not fit: Too big: expected string to have <=3 characters. Rename it',
  ],
  'a value reached through an alias': [
    'name: porch\nbroker: &b\n  url: 5\nat: *b\n',
    'site.yaml:3:3 broker.url: expected text, got 5. Put it in quotes',
  ],
  'an empty file': [
    '',
    'site.yaml:1:1 the whole file: expected a group of keys, got nothing (null). Write a value behind the colon',
  ],
  'the same key twice': [
    'name: a1\nretain: true\nname: b2\n',
    'site.yaml:3:1 name: this key is there twice. Remove one of the two',
  ],
  'two documents': [
    'name: a1\n---\nname: b2\n',
    'site.yaml:2:1 expected one document, got another. Remove the line "---" and what follows',
  ],
  'a tab': ['broker:\n\turl: x\n', 'site.yaml:2:1 expected blanks, got a tab. Indent with blanks'],
  'a tag': [
    'name: !!js/function porch\n',
    'site.yaml:1:7 Unresolved tag: tag:yaml.org,2002:js/function. Remove the tag (!name), plain YAML values are enough',
  ],
  'a quote that stays open': [
    'name: "porch\n',
    'site.yaml:2:1 not YAML: Missing closing "quote. Look at this line and the one before it',
  ],
  'an alias of nothing': [
    'name: *porch\n',
    'site.yaml:1:1 Unresolved alias (the anchor must be set before the alias): porch. Write the value out instead of the alias (*name)',
  ],
}

t.test('each mistake is one line with place, field, both sides and a remedy:', async (t) => {
  for (const [name, [text, line]] of Object.entries(CASES)) {
    t.equal(linesOf(t, text)[1], line, name)
  }
})

t.test('all problems are listed, at most 10, under a line that counts them', async (t) => {
  t.match(linesOf(t, 'name: x\nrole: x\n'), [
    'config file site.yaml has 2 problems:',
    /^site\.yaml:1:1 name: /,
    /^site\.yaml:2:1 role: /,
  ])
  const many = Array.from({ length: 14 }, (_, index) => `zzzzzzzz${index}: 1`).join('\n')
  const lines = linesOf(t, `name: porch\n${many}\n`)
  t.equal(lines.length, 12)
  t.equal(lines[0], 'config file site.yaml has 14 problems:')
  t.equal(lines.at(-1), 'and 4 more')
  t.match(linesOf(t, 'name: x'), ['config file site.yaml has 1 problem:'])
})

t.test('a value of the wrong type is one problem, whatever its length', async (t) => {
  t.match(linesOf(t, 'name: porch\nsensors: host\n')[0], '1 problem')
})

t.test('a mistake behind an alias is placed where the value is written', async (t) => {
  const lines = linesOf(t, 'name: porch\nsensors:\n  - &one\n    driver: gpio\n    pin: x\n  - *one\n')
  t.match(lines.slice(1), [/^site\.yaml:5:5 sensors\[0\]\.pin: /, /^site\.yaml:5:5 sensors\[1\]\.pin: /])
})

t.test('of a union the alternative that fits best gives the problem', async (t) => {
  const schema = z.union([
    z.strictObject({ pin: z.int(), edge: z.string() }),
    z.strictObject({ file: z.string() }),
    z.string(),
  ])
  t.match(linesOf(t, 'pin: four\nedge: rising\n', schema), [
    /1 problem/,
    /1:1 pin: expected a number, got "four"/,
  ])
})

t.test('what comes is shown short, without control characters, and never a secret', async (t) => {
  const [, line = ''] = linesOf(t, `name: porch\nrole: "\\e[2J${'x'.repeat(100)}"\n`)
  t.match(line, `got "\uFFFD[2J${'x'.repeat(36)}..."`)
  const [, long = ''] = linesOf(t, `name: porch\n${'k'.repeat(500)}: 1\n`)
  t.match(long, `2:1 ${'k'.repeat(40)}: unknown key`)
  const [, secret = ''] = linesOf(t, 'name: porch\nbroker: { url: "mqtt:x", password: hunter2 }\n')
  t.match(secret, 'broker.password: expected a number, got a string (not shown)')
  t.notMatch(secret, 'hunter2')
})

t.test('aliases that would fill the memory are refused', async (t) => {
  let text = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n'
  for (let level = 1; level < 9; level++) {
    text += `a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]\n`
  }
  t.match(linesOf(t, text, z.unknown()), [/1 problem/, /[Ee]xcessive alias count.*Write the value out/])
})

t.test('a missing file says how to make one', async (t) => {
  const path = join(t.testdir({}), 'site.yaml')
  t.throws(() => loadConfig(path, site), {
    code: 'config',
    message: new RegExp(`^there is no config file ${path}. Make one, a YAML file with these keys: name$`),
  })
  t.throws(() => loadConfig(path, z.object({ a: z.int().default(1) })), {
    message: /a file with the line "\{\}" will do/,
  })
})

t.test('a file that is too large, not text or not a file is refused', async (t) => {
  const directory = t.testdir()
  const path = join(directory, 'site.yaml')
  writeFileSync(path, `name: porch #${' '.repeat(1_000_000)}`)
  t.throws(() => loadConfig(path, site), {
    code: 'config',
    message: /has 1000013 bytes, expected at most 1000000/,
  })
  writeFileSync(path, '['.repeat(20_000))
  t.throws(() => loadConfig(path, site), { code: 'config' }, 'brackets that would end the stack')
  writeFileSync(path, Buffer.from([0x6e, 0xff, 0xfe]))
  t.throws(() => loadConfig(path, site), { code: 'config', message: /as UTF-8 text/ })
  t.throws(() => loadConfig(directory, site), { code: 'config', message: /not a regular file/ })
  t.throws(() => loadConfig(join(path, 'x'), site), { code: 'config', message: /ENOTDIR/ })
})

t.test('issues of an object that came from JSON are formatted without a place', async (t) => {
  const value: unknown = JSON.parse('{"name":"porch","sensors":[{"driver":"gpio","pin":"x"}],"rol":"miner"}')
  const parsed = site.safeParse(value)
  t.same(formatIssues(parsed.error?.issues ?? [], { value, schema: site }), [
    'sensors[0].pin: expected a number, got "x". Write digits, without a unit',
    "rol: unknown key. Did you mean 'role'?",
  ])
  t.same(formatIssues(parsed.error?.issues ?? [], { value }).at(-1), 'rol: unknown key. Remove it')
})

t.test('keys are found through optional, default, pipe, lazy, intersection and record', async (t) => {
  const inner = z.strictObject({ colour: z.string().optional() })
  const wraps: readonly z.ZodType[] = [
    inner.optional(),
    inner.nullable(),
    inner.default({}),
    inner.readonly(),
    inner.transform((value) => value),
    z.lazy(() => inner),
    z.intersection(inner, z.strictObject({ size: z.int().optional() })),
  ]
  for (const [index, wrap] of wraps.entries()) {
    for (const [schema, value, name] of [
      [z.object({ a: wrap }), { a: { color: 'x' } }, 'a.color'],
      [z.record(z.string(), wrap), { b: { color: 'x' } }, 'b.color'],
    ] as const) {
      const issues = schema.safeParse(value).error?.issues ?? []
      t.same(
        formatIssues(issues, { value, schema }),
        [`${name}: unknown key. Did you mean 'colour'?`],
        `wrap ${index}`,
      )
    }
  }
})
