import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tiny, writeTinyModel } from '../attention/tiny-model.ts'
import { runCli } from '../../cli/run-cli.ts'
import type { Answer, JournalRun, Plan } from '../../workflows/index.ts'
import { answering, cli, file, place, serve, text, useCommand, remote } from './command.ts'
import { fakeTerminal } from './fake-terminal.ts'

useCommand()

describe('ask', () => {
  it('prints the answer with quotations that are in the document, and exits with 0', async () => {
    const { code, out, err } = await cli(['ask', place.book, 'Who hunts?', ...remote(await serve(answering))])
    expect(out).toMatch(
      /^Captain Ahab does\.\n\n1\. “Captain Ahab hunts the white whale\.”\n {3}whale\.txt · CHAPTER I · \[11–46\] · line 3\n/,
    )
    expect(out).toMatch(/\nRun [0-9a-f-]{36}\n$/)
    expect(err).not.toMatch(/Cannot/)
    expect(code).toBe(0)
  })

  it('prints the answer alone with --json', async () => {
    const { code, out } = await cli(['ask', place.book, 'Who hunts?', '--json', ...remote(await serve(answering))])
    const answer = JSON.parse(out) as Answer
    expect(answer).toMatchObject({ status: 'answered', text: 'Captain Ahab does.', strategy: 'stuff' })
    for (const { start, end, quote } of answer.citations) expect(text.slice(start, end)).toBe(quote)
    expect(answer.citations.length).toBe(1)
    expect(code).toBe(0)
  })

  it('writes the text once with --stream', async () => {
    const { out } = await cli(['ask', place.book, 'Who hunts?', '--stream', ...remote(await serve(answering))])
    expect(out.match(/Captain Ahab does\./g)?.length).toBe(1)
    expect(out).toMatch(/\n\n1\. “Captain Ahab hunts/)
  })

  it('exits with 3 when there is no answer', async () => {
    const { code, out } = await cli(['ask', place.book, 'Who sings?', ...remote(await serve({ kind: 'answer', text: 'NOT FOUND' }))])
    expect(out).toMatch(/^Not found: /)
    expect(code).toBe(3)
  })

  it('asks nothing twice, unless it shall be fresh', async () => {
    const server = await serve(answering)
    await cli(['ask', place.book, 'Who hunts?', ...remote(server)])
    const again = await cli(['ask', place.book, 'Who hunts?', ...remote(server)])
    expect(server.requests.length).toBe(1)
    expect(again.out).toMatch(/: 0 calls, .*1 step from the journal/)
    await cli(['ask', place.book, 'Who hunts?', '--fresh', ...remote(server)])
    expect(server.requests.length).toBe(2)
  })

  it('reads with a chain of agents over several files, within the given chunks', async () => {
    const server = await serve(answering)
    const other = file('other.md', '# Title\n\nNothing of the kind.\n')
    const flags = [...remote(server, 'chain-of-agents'), '--chunk-tokens', '14', '--paths', 'backward', '--json']
    const { code, out } = await cli(['ask', place.book, other, 'Who hunts?', ...flags])
    const { coverage, citations } = JSON.parse(out) as Answer
    expect(coverage.total).toBeGreaterThan(2)
    expect(coverage.total).toBe(server.requests.length - 1)
    expect(citations[0]?.quote).toBe('Captain Ahab hunts the white whale.')
    expect(code).toBe(0)
  })

  it('stops before a limit is passed, exits with 4 and says how to go on', async () => {
    const server = await serve(answering)
    const flags = [...remote(server, 'chain-of-agents'), '--chunk-tokens', '14', '--store', join(place.folder, 'own')]
    const stopped = await cli(['ask', place.book, 'Who hunts?', '--limit', 'calls=1', ...flags])
    expect(stopped.code).toBe(4)
    expect(stopped.out).toMatch(/^Stopped, as the limit of 1 calls/)
    expect(server.requests.length).toBe(1)
    const [, run = ''] = /To go on: scriptorium ask \S+ 'Who hunts\?' .*--resume (\S+)/.exec(stopped.err) ?? []
    const resumed = await cli(['ask', place.book, 'Who hunts?', ...flags, '--resume', run, '--json'])
    expect(JSON.parse(resumed.out)).toMatchObject({ status: 'answered', runId: run, usage: { reused: 1 } })
    expect(resumed.code).toBe(0)
  })

  it('shows the plan and spends nothing with --dry-run', async () => {
    const server = await serve(answering)
    const { code, out } = await cli(['ask', place.book, 'Who hunts?', '--dry-run', '--json', ...remote(server)])
    const plan = JSON.parse(out) as Plan
    expect(plan).toMatchObject({ strategy: 'stuff', chunks: 1, criticalPath: 1 })
    expect(plan.inputTokens).toBeGreaterThan(20)
    expect((await cli(['ask', place.book, 'Who hunts?', '--dry-run', ...remote(server)])).out).toMatch(
      /^Strategy {2}stuff\n[^]*Price {5}not known/,
    )
    expect([code, server.requests.length, existsSync(place.store)]).toEqual([0, 0, false])
  })

  it('prices a known model', async () => {
    const env = process.env['OPENAI_API_KEY']
    process.env['OPENAI_API_KEY'] = 'test'
    try {
      const { out } = await cli([
        'ask',
        place.book,
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
    const log = join(place.folder, 'logs', 'run.log')
    await cli(['ask', place.book, 'Who hunts?', '--log', log, '--log-level', 'debug', ...remote(await serve(answering))])
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    const events = lines.map((line) => (JSON.parse(line) as { event?: string }).event)
    expect(events).toEqual(expect.arrayContaining(['run.started', 'run.finished']))
  })

  it('says on standard error when a call is made again', async () => {
    const server = await serve({ kind: 'error', status: 500 }, answering)
    const { code, err } = await cli(['ask', place.book, 'Who hunts?', ...remote(server)])
    expect(err).toMatch(/Call direct failed and is made again in /)
    expect(code).toBe(0)
  })
})

describe('Ctrl-C', () => {
  it('ends the run with what it has, says how to go on, and exits with 130', async () => {
    const server = await serve(answering, { kind: 'hang' })
    const terminal = fakeTerminal({ env: { SCRIPTORIUM_HOME: place.store } })
    const flags = [...remote(server, 'chain-of-agents'), '--chunk-tokens', '14']
    const running = runCli(['ask', place.book, 'Who hunts?', ...flags], terminal)
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
    const terminal = fakeTerminal({ env: { SCRIPTORIUM_HOME: place.store } })
    const running = runCli(['ask', place.book, 'Who hunts?', ...remote(server)], terminal)
    await server.nextRequest()
    terminal.interrupt()
    terminal.interrupt()
    expect(terminal.killed).toBe(1)
    expect(await running).toBe(130)
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

describe('runs', () => {
  it('lists nothing, and makes no place.store, where there is none', async () => {
    expect(await cli(['runs'])).toMatchObject({ code: 0, out: '', err: `No runs in ${place.store}\n` })
    expect((await cli(['runs', '--json'])).out).toBe('[]\n')
    expect(existsSync(place.store)).toBe(false)
  })

  it('lists runs newest first and shows one with its answer', async () => {
    const server = await serve(answering)
    await cli(['ask', place.book, 'Who hunts?', ...remote(server)])
    await cli(['ask', place.book, 'Who is hunted?', ...remote(server)])
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

  it('profiles the heads of a model, beside it', { timeout: 60_000 }, async () => {
    const model = file('tiny.gguf', writeTinyModel({ window: 8_192 }))
    const { code, out, err } = await cli(['models', 'profile', model])
    expect({ code, out }).toEqual({ code: 0, out: `${place.folder}/tiny.heads.json\n` })
    expect(err).toMatch(/Profiling: 100 %/)
    const { heads } = JSON.parse(readFileSync(out.trim(), 'utf8')) as { heads: { rank: number }[] }
    expect(heads).toHaveLength(tiny.layers * tiny.heads)
    expect(heads.map(({ rank }) => rank)).toEqual(heads.map(({ rank }) => rank).toSorted((a, b) => b - a))
    expect(await cli(['models', 'profile', file('no.gguf', 'no model')])).toMatchObject({ code: 6 })
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
