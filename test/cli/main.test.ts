import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Answer } from '../../workflows/index.ts'
import { type Behaviour, openAIServer, type OpenAIServer } from '../models/openai-server.ts'

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const answer: Behaviour = { kind: 'answer', text: 'ANSWER: Captain Ahab does.\nQUOTE: "Captain Ahab hunts the white whale."' }

let folder: string
let children: ChildProcess[]
let servers: OpenAIServer[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'main-'))
  writeFileSync(join(folder, 'whale.txt'), 'Captain Ahab hunts the white whale. The ship is called the Pequod.\n')
  children = []
  servers = []
})

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const server of servers) await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

interface Running {
  readonly child: ChildProcess
  readonly written: { out: string; err: string }
  /** Resolves when the text was written to standard error. */
  says(text: string): Promise<void>
  /** Exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>
}

/** The command in a process of its own, as a shell would start it. */
function start(args: readonly string[], input = ''): Running {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, ...args], {
    cwd: folder,
    env: { ...process.env, SCRIPTORIUM_HOME: join(folder, 'store') },
  })
  children.push(child)
  const written = { out: '', err: '' }
  child.stdin.end(input)
  child.stdout.setEncoding('utf8').on('data', (part: string) => (written.out += part))
  child.stderr.setEncoding('utf8').on('data', (part: string) => (written.err += part))
  return {
    child,
    written,
    async says(text) {
      while (!written.err.includes(text)) await once(child.stderr, 'data')
    },
    ended: once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]) => signal ?? code ?? null),
  }
}

async function serve(...behaviours: Behaviour[]): Promise<OpenAIServer> {
  const server = await openAIServer(...behaviours)
  servers.push(server)
  return server
}

function remote(baseURL: string): string[] {
  return ['--model', `openai:test-model@${baseURL}`, '--window', '4000', '--max-output', '300', '--strategy', 'stuff']
}

describe('the command as a process', () => {
  it('reads standard input, and writes nothing but the answer to standard output', async () => {
    const { baseURL } = await serve(answer)
    const run = start(['ask', '-', 'Who hunts?', '--json', ...remote(baseURL)], 'Captain Ahab hunts the white whale.\n')
    expect(await run.ended).toBe(0)
    expect(JSON.parse(run.written.out) as Answer).toMatchObject({
      status: 'answered',
      citations: [{ document: 'stdin', start: 0, end: 35 }],
    })
    expect(run.written.err).toMatch(/^Reading: /)
  })

  it('exits by the code of the error, with one line and no stack', async () => {
    const run = start(['ask', 'none.txt', 'Who hunts?', ...remote('http://127.0.0.1:9/v1')])
    expect(await run.ended).toBe(5)
    expect(run.written).toEqual({ out: '', err: 'Cannot read none.txt as there is no such file: check the path\n' })
  })

  it('says that the model server is down, after having tried again', async () => {
    const server = await openAIServer(answer)
    await server[Symbol.asyncDispose]()
    const run = start(['ask', 'whale.txt', 'Who hunts?', ...remote(server.baseURL)])
    expect(await run.ended).toBe(6)
    expect(run.written.out).toBe('')
    expect(run.written.err).toMatch(
      /Call direct failed and is made again in .*\n[^]*\nCannot call .*ECONNREFUSED.*\nWhat was read is kept\. To go on: /,
    )
  })

  it('ends in order at the first Ctrl-C', async () => {
    const server = await serve({ kind: 'hang' })
    const run = start(['ask', 'whale.txt', 'Who hunts?', ...remote(server.baseURL)])
    await server.nextRequest()
    run.child.kill('SIGINT')
    expect(await run.ended).toBe(130)
    expect(run.written.err).toMatch(/Stopping; once more to stop at once\nTo go on: scriptorium ask whale\.txt 'Who hunts\?' .*--resume /)
  })

  it('ends at once at the second Ctrl-C, and by SIGTERM as by Ctrl-C', async () => {
    const server = await serve({ kind: 'hang' })
    const run = start(['ask', 'whale.txt', 'Who hunts?', ...remote(server.baseURL)])
    await server.nextRequest()
    run.child.kill('SIGTERM')
    await run.says('Stopping')
    run.child.kill('SIGINT')
    expect([130, 'SIGINT']).toContain(await run.ended)
  })

  it('goes on where a killed run was, and repeats no call that was recorded', async () => {
    const days = Array.from({ length: 24 }, (_, day) => `On day ${day} the captain wrote that the sea was wide and empty.`)
    writeFileSync(join(folder, 'long.txt'), days.join('\n\n'))
    const prompts: string[] = []
    let answered = 2
    const server = await serve({
      kind: 'choose',
      choose(prompt) {
        prompts.push(prompt)
        return prompts.length > answered ? { kind: 'hang' } : { kind: 'answer', text: 'NOTHING NEW' }
      },
    })
    const flags = [...remote(server.baseURL).slice(0, -1), 'chain-of-agents', '--chunk-tokens', '60']
    const first = start(['ask', 'long.txt', 'Who hunts?', ...flags])
    for (let request = 0; request < 3; request++) await server.nextRequest()
    first.child.kill('SIGKILL')
    expect(await first.ended).toBe('SIGKILL')
    const listed = start(['runs', '--json'])
    expect(await listed.ended).toBe(0)
    const [run] = JSON.parse(listed.written.out) as { id: string; status: string }[]
    expect(run?.status).toBe('running')
    answered = Infinity
    const second = start(['ask', 'long.txt', 'Who hunts?', ...flags, '--resume', run?.id ?? '', '--json'])
    expect(await second.ended).toBe(3)
    const { runId, usage } = JSON.parse(second.written.out) as Answer
    expect([runId, usage.reused, usage.calls]).toEqual([run?.id, 2, prompts.length - 3])
    expect(prompts.slice(3).filter((prompt) => prompts.slice(0, 2).includes(prompt))).toEqual([])
  })

  it('ends quietly when nobody reads its output', async () => {
    const { baseURL } = await serve(answer)
    const run = start(['ask', 'whale.txt', 'Who hunts?', '--stream', ...remote(baseURL)])
    run.child.stdout?.destroy()
    expect(await run.ended).toBe(0)
    expect(run.written.err).not.toMatch(/EPIPE|Error|Cannot/)
  })

  it('shows the stack where SCRIPTORIUM_DEBUG is set', async () => {
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), main, 'runs', 'show', 'r-1'], {
      cwd: folder,
      env: { ...process.env, SCRIPTORIUM_HOME: folder, SCRIPTORIUM_DEBUG: '1' },
    })
    children.push(child)
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (part: string) => (err += part))
    expect((await once(child, 'close'))[0]).toBe(2)
    expect(err).toMatch(/^Cannot show a run .*: r-1\. .*\nUsageError: .*\n\s+at /)
  })
})
