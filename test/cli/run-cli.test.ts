import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../cli/run-cli.ts'
import type { Answer, JournalRun, Plan } from '../../workflows/index.ts'
import { type Behaviour, openAIServer, type OpenAIServer } from '../models/openai-server.ts'
import { fakeTerminal, type FakeTerminal } from './fake-terminal.ts'

const text = 'CHAPTER I\n\nCaptain Ahab hunts the white whale. The whale took his leg.\n\nCHAPTER II\n\nThe ship is called the Pequod.\n'
const found = 'ANSWER: Captain Ahab does.\nQUOTE: "Captain Ahab hunts the white whale."'
/** Answers as the prompt asks: with notes or without. */
const answering: Behaviour = {
  kind: 'choose',
  choose: (prompt) => ({ kind: 'answer', text: prompt.includes('NOTES') ? `NOTES: Ahab hunts the whale [q1].\n${found}` : found }),
}

let folder: string
let book: string
let store: string
let mounts: string[]
let servers: OpenAIServer[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-'))
  book = file('whale.txt', text)
  store = join(folder, 'store')
  mounts = []
  servers = []
})

afterEach(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]()
  for (const place of mounts) execFileSync('umount', [place])
  rmSync(folder, { recursive: true })
})

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly terminal: FakeTerminal
}

async function cli(args: readonly string[], options: Parameters<typeof fakeTerminal>[0] = {}): Promise<Outcome> {
  const terminal = fakeTerminal({ ...options, env: { SCRIPTORIUM_HOME: store, ...options.env } })
  const code = await runCli(args, terminal)
  return { code, out: terminal.out, err: terminal.err, terminal }
}

async function serve(...behaviours: Behaviour[]): Promise<OpenAIServer> {
  const server = await openAIServer(...behaviours)
  servers.push(server)
  return server
}

/** Flags that name a server's model with a window of its own. */
function remote({ baseURL }: Pick<OpenAIServer, 'baseURL'>, strategy = 'stuff', window = 4_000): string[] {
  return ['--model', `openai:test-model@${baseURL}`, '--window', String(window), '--max-output', '300', '--strategy', strategy]
}

const canMount = ((): boolean => {
  const place = mkdtempSync(join(tmpdir(), 'mount-'))
  const mounted = process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', place]).status === 0
  if (mounted) execFileSync('umount', [place])
  rmSync(place, { recursive: true })
  return mounted
})()

function mount(options: string): string {
  const place = mkdtempSync(join(folder, 'mount-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', place])
  mounts.push(place)
  return place
}

const weights = fileURLToPath(new URL('../../weights/models/smollm2-135m-instruct/model.gguf', import.meta.url))

/** One line that names what is wrong; nothing on standard output and no stack. */
function expectError({ out, err }: Outcome, message: RegExp): void {
  expect(err).toMatch(message)
  expect(
    err
      .trim()
      .split('\n')
      .filter((line) => /^(?!Reading|Indexing|What was read)/.test(line)).length,
  ).toBe(1)
  expect(err).not.toMatch(/\n\s+at /)
  expect(out).toBe('')
}

describe('ask', () => {
  it('prints the answer with quotations that are in the document, and exits with 0', async () => {
    const { code, out, err } = await cli(['ask', book, 'Who hunts?', ...remote(await serve(answering))])
    expect(out).toMatch(
      /^Captain Ahab does\.\n\n1\. “Captain Ahab hunts the white whale\.”\n {3}whale\.txt · CHAPTER I · \[11–46\] · line 3\n/,
    )
    expect(out).toMatch(/\nRun [0-9a-f-]{36}\n$/)
    expect(err).not.toMatch(/Cannot/)
    expect(code).toBe(0)
  })

  it('prints the answer alone with --json', async () => {
    const { code, out } = await cli(['ask', book, 'Who hunts?', '--json', ...remote(await serve(answering))])
    const answer = JSON.parse(out) as Answer
    expect(answer).toMatchObject({ status: 'answered', text: 'Captain Ahab does.', strategy: 'stuff' })
    for (const { start, end, quote } of answer.citations) expect(text.slice(start, end)).toBe(quote)
    expect(answer.citations.length).toBe(1)
    expect(code).toBe(0)
  })

  it('writes the text once with --stream', async () => {
    const { out } = await cli(['ask', book, 'Who hunts?', '--stream', ...remote(await serve(answering))])
    expect(out.match(/Captain Ahab does\./g)?.length).toBe(1)
    expect(out).toMatch(/\n\n1\. “Captain Ahab hunts/)
  })

  it('exits with 3 when there is no answer', async () => {
    const { code, out } = await cli(['ask', book, 'Who sings?', ...remote(await serve({ kind: 'answer', text: 'NOT FOUND' }))])
    expect(out).toMatch(/^Not found: /)
    expect(code).toBe(3)
  })

  it('asks nothing twice, unless it shall be fresh', async () => {
    const server = await serve(answering)
    await cli(['ask', book, 'Who hunts?', ...remote(server)])
    const again = await cli(['ask', book, 'Who hunts?', ...remote(server)])
    expect(server.requests.length).toBe(1)
    expect(again.out).toMatch(/: 0 calls, .*1 step from the journal/)
    await cli(['ask', book, 'Who hunts?', '--fresh', ...remote(server)])
    expect(server.requests.length).toBe(2)
  })

  it('reads with a chain of agents over several files, within the given chunks', async () => {
    const server = await serve(answering)
    const other = file('other.md', '# Title\n\nNothing of the kind.\n')
    const flags = [...remote(server, 'chain-of-agents'), '--chunk-tokens', '14', '--paths', 'backward', '--json']
    const { code, out } = await cli(['ask', book, other, 'Who hunts?', ...flags])
    const { coverage, citations } = JSON.parse(out) as Answer
    expect(coverage.total).toBeGreaterThan(2)
    expect(coverage.total).toBe(server.requests.length - 1)
    expect(citations[0]?.quote).toBe('Captain Ahab hunts the white whale.')
    expect(code).toBe(0)
  })

  it('stops before a limit is passed, exits with 4 and says how to go on', async () => {
    const server = await serve(answering)
    const flags = [...remote(server, 'chain-of-agents'), '--chunk-tokens', '14', '--store', join(folder, 'own')]
    const stopped = await cli(['ask', book, 'Who hunts?', '--limit', 'calls=1', ...flags])
    expect(stopped.code).toBe(4)
    expect(stopped.out).toMatch(/^Stopped, as the limit of 1 calls/)
    expect(server.requests.length).toBe(1)
    const [, run = ''] = /To go on: scriptorium ask \S+ 'Who hunts\?' .*--resume (\S+)/.exec(stopped.err) ?? []
    const resumed = await cli(['ask', book, 'Who hunts?', ...flags, '--resume', run, '--json'])
    expect(JSON.parse(resumed.out)).toMatchObject({ status: 'answered', runId: run, usage: { reused: 1 } })
    expect(resumed.code).toBe(0)
  })

  it('shows the plan and spends nothing with --dry-run', async () => {
    const server = await serve(answering)
    const { code, out } = await cli(['ask', book, 'Who hunts?', '--dry-run', '--json', ...remote(server)])
    const plan = JSON.parse(out) as Plan
    expect(plan).toMatchObject({ strategy: 'stuff', chunks: 1, criticalPath: 1 })
    expect(plan.inputTokens).toBeGreaterThan(20)
    expect((await cli(['ask', book, 'Who hunts?', '--dry-run', ...remote(server)])).out).toMatch(
      /^Strategy {2}stuff\n[^]*Price {5}not known/,
    )
    expect([code, server.requests.length, existsSync(store)]).toEqual([0, 0, false])
  })

  it('prices a known model', async () => {
    const env = process.env['OPENAI_API_KEY']
    process.env['OPENAI_API_KEY'] = 'test'
    try {
      const { out } = await cli([
        'ask',
        book,
        'Who hunts?',
        '--dry-run',
        '--model',
        'openai:gpt-4o-mini',
        '--strategy',
        'stuff',
        '--budget',
        '1',
      ])
      expect(out).toMatch(/Price {5}\$0\.00\d+ at most/)
    } finally {
      if (env === undefined) delete process.env['OPENAI_API_KEY']
      else process.env['OPENAI_API_KEY'] = env
    }
  })

  it('writes a log of JSON lines', async () => {
    const log = join(folder, 'logs', 'run.log')
    await cli(['ask', book, 'Who hunts?', '--log', log, '--log-level', 'debug', ...remote(await serve(answering))])
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    const events = lines.map((line) => (JSON.parse(line) as { event?: string }).event)
    expect(events).toEqual(expect.arrayContaining(['run.started', 'run.finished']))
  })

  it('says on standard error when a call is made again', async () => {
    const server = await serve({ kind: 'error', status: 500 }, answering)
    const { code, err } = await cli(['ask', book, 'Who hunts?', ...remote(server)])
    expect(err).toMatch(/Call direct failed and is made again in /)
    expect(code).toBe(0)
  })
})

describe('Ctrl-C', () => {
  it('ends the run with what it has, says how to go on, and exits with 130', async () => {
    const server = await serve(answering, { kind: 'hang' })
    const terminal = fakeTerminal({ env: { SCRIPTORIUM_HOME: store } })
    const flags = [...remote(server, 'chain-of-agents'), '--chunk-tokens', '14']
    const running = runCli(['ask', book, 'Who hunts?', ...flags], terminal)
    await server.nextRequest()
    const second = await server.nextRequest()
    terminal.interrupt()
    expect(await running).toBe(130)
    await second.closed
    expect(terminal.out).toMatch(/^Stopped, as it was interrupted/)
    expect(terminal.err).toMatch(/Stopping; once more to stop at once\n[^]*To go on: scriptorium ask .*--resume [0-9a-f-]{36}/)
    expect(terminal.killed).toBe(0)
  })

  it('kills at the second time', async () => {
    const server = await serve({ kind: 'hang' })
    const terminal = fakeTerminal({ env: { SCRIPTORIUM_HOME: store } })
    const running = runCli(['ask', book, 'Who hunts?', ...remote(server)], terminal)
    await server.nextRequest()
    terminal.interrupt()
    terminal.interrupt()
    expect(terminal.killed).toBe(1)
    expect(await running).toBe(130)
  })
})

describe('a wrong command line exits with 2 and says what is wrong', () => {
  const cases: [string, string[], RegExp][] = [
    ['no command', [], /Usage: scriptorium/],
    ['an unknown command', ['asks'], /unknown command 'asks' \(Did you mean ask\?\)/],
    ['an unknown flag', ['ask', 'a', 'b', '--strategyy', 'auto'], /unknown option '--strategyy' \(Did you mean --strategy\?\)/],
    [
      'an unknown strategy',
      ['ask', 'a', 'b', '--strategy', 'guess'],
      /argument 'guess' is invalid\. Allowed choices are auto, chain-of-agents/,
    ],
    ['a flag without its value', ['ask', 'a', 'b', '--limit'], /'--limit <kind=n>' argument missing/],
    [
      'a wrong count',
      ['ask', 'a', 'b', '--chunk-tokens', 'many'],
      /'--chunk-tokens <n>' argument 'many' is invalid\. It must be a whole number/,
    ],
    ['a wrong limit', ['ask', 'a', 'b', '--limit', 'calls:3'], /'calls:3' is invalid\. It must be calls=N/],
    ['a wrong path', ['ask', 'a', 'b', '--paths', 'round'], /'round' is invalid\. It must be forward/],
    ['no question', ['ask', 'a.txt'], /only one of file and question is given: "a\.txt"/],
    ['an empty question', ['ask', 'a.txt', ''], /Cannot ask an empty question: ""/],
    [
      'a model of no known form',
      ['ask', 'a', 'b', '--model', 'gpt-5'],
      /its name is not understood: gpt-5\. Use local, FILE\.gguf, openai:NAME/,
    ],
    ['a malformed base URL', ['ask', 'a', 'b', '--model', 'openai:m@ftp://x'], /its name is not understood: openai:m@ftp:\/\/x/],
    [
      'a remote model without a window',
      ['ask', 'a', 'b', '--model', 'openai:m@http://127.0.0.1:9/v1'],
      /Give --window N and --max-output N/,
    ],
    ['a window for a local model', ['ask', 'a', 'b', '--window', '100'], /Cannot set --window or --max-output for local/],
    [
      'a budget without a price',
      ['ask', 'a', 'b', '--budget', '1', ...remote({ baseURL: 'http://127.0.0.1:9/v1' })],
      /the price of the model is not known/,
    ],
    ['a log that cannot be written', ['ask', 'a', 'b', '--log', '/dev/null/run.log'], /Cannot write the log as .*: \/dev\/null\/run\.log/],
    ['a run that is not known', ['runs', 'show', 'r-1'], /Cannot show a run as the store knows none of that id: r-1/],
  ]
  it.each(cases)('%s', async (_, args, message) => {
    const outcome = await cli(args)
    expect(outcome.err).toMatch(message)
    if (args.length > 0) expectError(outcome, message)
    expect(outcome.code).toBe(2)
  })

  it('a run to resume that is not known, or was asked something else', async () => {
    const server = await serve(answering)
    expectError(
      await cli(['ask', book, 'Who?', '--resume', 'r-1', ...remote(server)]),
      /Cannot resume run r-1 as the journal does not know it/,
    )
    const first = await cli(['ask', book, 'Who hunts?', '--json', ...remote(server)])
    const { runId } = JSON.parse(first.out) as Answer
    const other = await cli(['ask', book, 'Who sings?', '--resume', runId, ...remote(server)])
    expectError(other, /as it was started with question "Who hunts\?", not "Who sings\?"/)
    expect(other.code).toBe(2)
  })
})

describe('a document that cannot be read exits with 5', () => {
  const cases: [string, () => string, RegExp][] = [
    ['that is not there', () => join(folder, 'none.txt'), /none\.txt as there is no such file/],
    ['that is a directory', () => folder, /as it is a directory/],
    ['that is empty', () => file('empty.txt', ''), /empty\.txt as it is empty/],
    [
      'that is binary',
      () =>
        file(
          'data.bin',
          Uint8Array.from({ length: 512 }, (_, n) => n % 7),
        ),
      /data\.bin as /,
    ],
    ['that is not UTF-8', () => file('latin.txt', Buffer.from('caf\u00e9 noir, et encore du caf\u00e9', 'latin1')), /latin\.txt as /],
  ]
  it.each(cases)('%s', async (_, make, message) => {
    const outcome = await cli(['ask', make(), 'Who?', ...remote(await serve(answering))])
    expectError(outcome, message)
    expect(outcome.code).toBe(5)
  })

  it('that is larger than the limit', async () => {
    const path = file('huge.txt', 'a')
    truncateSync(path, 300 * 2 ** 20)
    const outcome = await cli(['ask', path, 'Who?', ...remote(await serve(answering))])
    expectError(outcome, /huge\.txt as its size is above the limit of 268435456 bytes/)
    expect(outcome.code).toBe(5)
  })
})

describe('odd text is read all the same', () => {
  it.each([
    ['one line of 5 MB without a space', 'x'.repeat(5_000_000)],
    ['escaped halves of surrogate pairs', 'The sign \\ud83d is half of a pair.'],
  ])('%s', async (_, content) => {
    const path = file('odd.txt', content)
    const { code, out } = await cli([
      'ask',
      path,
      'What?',
      '--json',
      ...remote(await serve({ kind: 'answer', text: 'NOT FOUND' }), 'truncate'),
    ])
    expect(JSON.parse(out)).toMatchObject({ status: 'not-found' })
    expect(code).toBe(3)
  })
})

describe('a model that cannot be used exits with 6', () => {
  const gguf = (change: (path: string) => void): string => {
    const path = join(folder, 'model.gguf')
    copyFileSync(weights, path)
    change(path)
    return path
  }
  const files: [string, () => string, RegExp][] = [
    ['a file that is not there', () => join(folder, 'none.gguf'), /none\.gguf/],
    ['a directory', () => folder, /not understood|is a directory/],
    ['a file that is cut short', () => gguf((path) => truncateSync(path, 50_000_000)), /model\.gguf/],
    ['a file of another kind', () => file('text.gguf', 'this is no model'), /text\.gguf/],
    [
      'a header of absurd sizes',
      () => file('absurd.gguf', Buffer.concat([Buffer.from('GGUF\u0003\0\0\0'), Buffer.alloc(16, 0xff)])),
      /absurd\.gguf/,
    ],
  ]
  it.each(files)('%s', async (name, make, message) => {
    const outcome = await cli(['ask', book, 'Who?', '--model', make()])
    expectError(outcome, message)
    expect(outcome.code).toBe(name === 'a directory' ? 2 : 6)
  })

  it('a key that is not valid', async () => {
    const server = await serve({
      kind: 'error',
      status: 401,
      error: { message: 'Incorrect API key provided', type: 'invalid_request_error', code: 'invalid_api_key' },
    })
    const outcome = await cli(['ask', book, 'Who?', ...remote(server)])
    expectError(outcome, /key/i)
    expect(outcome.err).toMatch(/What was read is kept\. To go on: scriptorium ask/)
    expect([outcome.code, server.requests.length]).toEqual([6, 1])
  })

  it('a missing key', async () => {
    const key = process.env['OPENAI_API_KEY']
    delete process.env['OPENAI_API_KEY']
    try {
      const outcome = await cli(['ask', book, 'Who?', '--model', 'openai:gpt-4o-mini'])
      expectError(outcome, /there is no key\. Set OPENAI_API_KEY/)
      expect(outcome.code).toBe(6)
    } finally {
      if (key !== undefined) process.env['OPENAI_API_KEY'] = key
    }
  })
})

describe('what does not fit the window exits with 8 and names the parts', () => {
  const long = 'whale '.repeat(6_000)
  it.each<[string, string, string, number, RegExp]>([
    ['a text for one call', long, 'Who?', 4_000, /document \d+/],
    ['a question', text, long, 4_000, /question \d+/],
    ['a prompt', text, 'Who?', 60, /instruction \d+.*output \d+/],
  ])('%s', async (_, content, question, window, message) => {
    const server = await serve(answering)
    const outcome = await cli(['ask', file('long.txt', content), question, ...remote(server, 'stuff', window)])
    expect(outcome.err).toMatch(message)
    expect(outcome.out).toBe('')
    expect([outcome.code, server.requests.length]).toEqual([8, 0])
  })
})

describe('a store that cannot be used exits with 7', () => {
  it.each<[string, () => string, RegExp]>([
    ['below a file', () => join(file('plain', ''), 'store'), /Cannot open the store as .*ENOTDIR/],
    [
      'that another program wrote',
      () => (mkdirSync(store), writeFileSync(join(store, 'runs.db'), 'notes '.repeat(500)), store),
      /runs\.db/,
    ],
  ])('%s', async (_, make, message) => {
    const outcome = await cli(['ask', book, 'Who?', '--store', make(), ...remote(await serve(answering))])
    expectError(outcome, message)
    expect(outcome.code).toBe(7)
  })

  it.skipIf(!canMount)('on a read-only disk (needs mount)', async () => {
    const place = mount('size=1m,ro')
    const outcome = await cli(['ask', book, 'Who?', '--store', join(place, 'store'), ...remote(await serve(answering))])
    expectError(outcome, /Cannot open the store/)
    expect(outcome.code).toBe(7)
  })

  it.skipIf(!canMount)('on a full disk (needs mount)', async () => {
    const place = mount('size=512k')
    writeFileSync(join(place, 'ballast'), Buffer.alloc(200_000))
    const server = await serve({ kind: 'answer', text: `NOTES: ${'the whale is white. '.repeat(30)}` })
    const long = file('long.txt', 'The whale is white and swims on. '.repeat(4_000))
    const flags = [...remote(server, 'map-reduce'), '--chunk-tokens', '30', '--store', join(place, 'store')]
    const outcome = await cli(['ask', long, 'Which colour?', ...flags])
    expect(outcome.err).toMatch(/disk is full.*Free space on the disk/)
    expect(outcome.code).toBe(7)
  })
})

describe('runs', () => {
  it('lists nothing, and makes no store, where there is none', async () => {
    expect(await cli(['runs'])).toMatchObject({ code: 0, out: '', err: `No runs in ${store}\n` })
    expect((await cli(['runs', '--json'])).out).toBe('[]\n')
    expect(existsSync(store)).toBe(false)
  })

  it('lists runs newest first and shows one with its answer', async () => {
    const server = await serve(answering)
    await cli(['ask', book, 'Who hunts?', ...remote(server)])
    await cli(['ask', book, 'Who is hunted?', ...remote(server)])
    const listed = JSON.parse((await cli(['runs', '--json'])).out) as JournalRun[]
    expect(listed.map(({ question }) => question)).toEqual(['Who is hunted?', 'Who hunts?'])
    expect((await cli(['runs', '--limit', '1'])).out).toMatch(
      /^[0-9a-f-]{36} {2}\d{4}-\d\d-\d\d \d\d:\d\d {2}answered {3}whale\.txt: Who is hunted\?\n$/,
    )
    const id = listed[1]?.id ?? ''
    const shown = await cli(['runs', 'show', id])
    expect(shown.out).toMatch(/Question {2}Who hunts\?\n[^]*Steps {5}1 recorded: 1 call[^]*\n\nCaptain Ahab does\.\n\n1\. /)
    expect(JSON.parse((await cli(['runs', 'show', id, '--json'])).out)).toMatchObject({
      id,
      answer: { text: 'Captain Ahab does.' },
      steps: [{ path: 'direct' }],
    })
  })
})

describe('models, help and version', () => {
  it('lists the bundled models and how to name others', async () => {
    const { code, out } = await cli(['models'])
    expect(out).toMatch(/smollm2-135m-instruct +98 MB {2}sizes are right[^]*all-minilm-l6-v2[^]*--model openai:NAME@URL/)
    expect(code).toBe(0)
    expect(JSON.parse((await cli(['models', '--json', '--verify'])).out)).toMatchObject([{ verified: true }, { verified: true }])
  })

  it('prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
    expect(await cli(['--version'])).toMatchObject({ code: 0, out: `${version}\n` })
  })

  it('explains flags, examples and exit codes', async () => {
    expect((await cli(['--help'])).out).toMatch(/Examples:\n {2}scriptorium ask[^]*Exit codes:\n {2}0 {4}answered[^]*130 {2}interrupted/)
    expect((await cli(['ask', '--help'])).out).toMatch(/--dry-run[^]*Examples:\n {2}scriptorium ask moby-dick\.txt/)
  })
})
