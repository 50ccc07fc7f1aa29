import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { quoteManager } from '../../agents/index.ts'
import { createDocument, type Document } from '../../chunkers/index.ts'
import { ModelFileError } from '../../errors/index.ts'
import { type HomerTree, type LocalModel, openEngine, openLocalModel, readCacheHeader } from '../../models/index.ts'
import { scriptedModel } from '../../testing/index.ts'
import {
  ask,
  createMemoryJournal,
  homer,
  type HomerOptions,
  type Journal,
  plan,
  type RunEvent,
  sqliteJournal,
} from '../../workflows/index.ts'
import { writeTinyModel } from '../attention/tiny-model.ts'
import { collect } from './story.ts'

const question = 'Who took the leg?'
// A token is a letter or a mark, and a space has none.
const sentences = Array.from({ length: 40 }, (_, at) => `The whale of day ${at} took leg ${at * 7}.`)
const log = document('log.txt', sentences.join(' '))
const settings = { chunkTokens: 200, keep: 150 }

function document(name: string, text: string): Document {
  return createDocument({ name, text, sections: [] })
}

let folder: string
let path: string
let model: LocalModel

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'homer-strategy-'))
  path = join(folder, 'tiny.gguf')
  await writeFile(path, writeTinyModel({ shape: { layers: 6 } }))
  model = await openLocalModel({ path, threads: 1 })
})

afterAll(async () => {
  await model.dispose()
  await rm(folder, { recursive: true })
})

/** The strategy on a model of random weights, whose likelihoods say nothing: it is never sure. */
function strategyOf(local: LocalModel, options: Partial<HomerOptions> = {}): ReturnType<typeof homer> {
  const manager = quoteManager(local, { threshold: 0, judge: false })
  return homer({ model: local, manager, embedder: false, ...settings, ...options })
}

/** Notes the leaves that run, whoever asks for them. */
function counting(local: LocalModel, leaves: string[]): LocalModel {
  const watch = (tree: HomerTree): HomerTree => {
    const note = ({ height, from }: HomerTree['nodes'][number]): void => void (height === 0 && leaves.push(`${from}`))
    const { grow, read } = { grow: tree.grow.bind(tree), read: tree.read.bind(tree) }
    tree.grow = (node, given) => grow(node, { ...given, onNode: note })
    tree.read = (given) => read({ ...given, onNode: note })
    return tree
  }
  return new Proxy(local, {
    get(target, name) {
      if (name === 'homerTree') return (...given: Parameters<LocalModel['homerTree']>) => watch(target.homerTree(...given))
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value as (...given: unknown[]) => unknown).bind(target) : value
    },
  })
}

function leavesOf({ nodes }: HomerTree): string[] {
  return nodes.filter(({ height }) => height === 0).map(({ from }) => `${from}`)
}

/** The tree that the strategy lays out. */
function treeOf(local: LocalModel): HomerTree {
  return local.homerTree({ context: log.text, suffix: `\nQuestion: ${question}` }, settings)
}

describe('homer', { timeout: 60_000 }, () => {
  it('answers from surviving sentences, cites them, and says what it kept of each chunk', async () => {
    const run = ask(log, question, { strategy: strategyOf(model) })
    const events = await collect(run)
    const { status, citations, coverage, usage, strategy } = await run.result
    const { nodes } = treeOf(model)
    const leaves = leavesOf(treeOf(model)).length
    expect([status, strategy]).toEqual(['answered', 'homer'])
    expect(citations.length).toBeGreaterThan(0)
    for (const { start, end, quote } of citations) expect(log.slice(start, end)).toBe(quote)
    for (const { quote } of citations) expect(sentences.some((sentence) => quote.includes(sentence))).toBe(true)
    expect(coverage).toMatchObject({ total: leaves, read: leaves, failed: 0 })
    const kept = coverage.chunks.map(({ reason = '' }) => /^kept (\d+) of \d+ tokens$/.exec(reason)?.[1])
    expect(kept.reduce((sum, tokens) => sum + Number(tokens), 0)).toBe(settings.keep - treeOf(model).figures.affixes)
    expect(coverage.chunks.at(-1)?.end).toBe(log.text.length)
    expect(usage.calls).toBe(nodes.length + 1)
    expect(paths(events, 'step.started')).toEqual(paths(events, 'step.finished'))
    expect(paths(events, 'step.finished').slice(0, -1)).toEqual(nodes.map(({ height, from }) => `homer/${height}/${from}`))
    expect(events.findLast(({ type }) => type === 'worker.finished')).toMatchObject({ outcome: 'read', done: leaves, total: leaves })
  })

  it('reads several documents as one text', async () => {
    const [first, second] = [document('a.txt', sentences.slice(0, 22).join(' ')), document('b.txt', sentences.slice(22).join(' '))]
    const { citations, coverage } = await ask([first, second], question, { strategy: strategyOf(model) }).result
    const byId = new Map([first, second].map((one) => [one.id, one]))
    for (const { documentId, start, end, quote } of citations) expect(byId.get(documentId)?.slice(start, end)).toBe(quote)
    expect(new Set(coverage.chunks.map(({ documentId }) => documentId))).toEqual(new Set([first.id, second.id]))
  })

  it('does not merge what fits one chunk', async () => {
    const short = document('short.txt', sentences.slice(0, 3).join(' '))
    const run = ask(short, question, { strategy: strategyOf(model) })
    const events = await collect(run)
    expect(paths(events, 'step.finished')).toEqual(['manager'])
    expect(await run.result).toMatchObject({ status: 'answered', coverage: { total: 1, read: 1 } })
    expect(await plan(short, question, { strategy: strategyOf(model) })).toMatchObject({
      chunks: 1,
      calls: 1,
      notes: [/nothing is merged/],
    })
  })

  it('finds nothing where there are no words', async () => {
    expect(await ask(document('blank.txt', ' \n'), question, { strategy: strategyOf(model) }).result).toMatchObject({ status: 'not-found' })
    expect(await plan(document('blank.txt', ' \n'), question, { strategy: strategyOf(model) })).toMatchObject({ chunks: 0, calls: 0 })
  })

  it('prices the nodes before it runs them', async () => {
    const planned = await plan(log, question, { strategy: strategyOf(model) })
    const { nodes, figures } = treeOf(model)
    const { usage } = await ask(log, question, { strategy: strategyOf(model) }).result
    expect(planned).toMatchObject({ strategy: 'homer', chunks: figures.leaves, calls: nodes.length + 1, usd: 0 })
    expect(planned.calls).toBe(usage.calls)
    expect(planned.seconds).toBeGreaterThan(0)
    expect(planned.notes).toEqual([expect.stringMatching(/^Merging takes \d+ % of the layers/)])
  })

  it('stops before a limit is passed, and says which chunks it did not read', async () => {
    const { status, reason, coverage } = await ask(log, question, { strategy: strategyOf(model), limits: { calls: 3 } }).result
    expect(status).toBe('stopped')
    expect(reason).toMatch(/limit of 3 calls/)
    expect(coverage.read).toBe(2)
    expect(coverage.skipped).toBe(coverage.total - 2)
    expect(coverage.chunks.every((chunk) => chunk.reason === 'the run ended before it was read')).toBe(true)
  })

  it('takes all nodes from the journal where the same is asked again', async () => {
    const journal = createMemoryJournal()
    const first = await ask(log, question, { strategy: strategyOf(model), journal }).result
    const leaves: string[] = []
    const second = await ask(log, question, { strategy: strategyOf(counting(model, leaves)), journal }).result
    expect(second.usage).toMatchObject({ calls: 0, reused: treeOf(model).nodes.length + 1 })
    expect(leaves).toEqual([])
    expect(second.citations).toEqual(first.citations)
  })

  it('refuses a model that does not run here, and one with a sliding window', async () => {
    const remote = scriptedModel({ rules: [], fallback: 'no' })
    expect(() => homer({ model: remote })).toThrow(TypeError)
    expect(() => homer({ model: remote })).toThrow(/Cannot merge a text with .* as it does not run here/)
    const file = join(folder, 'sliding.gguf')
    await writeFile(file, writeTinyModel({ architecture: 'gemma3', metadata: { '.attention.sliding_window': 8 } }))
    await using sliding = await openLocalModel({ path: file })
    await expect(ask(log, question, { strategy: strategyOf(sliding) }).result).rejects.toThrow(ModelFileError)
  })
})

describe('homer that is killed', { timeout: 120_000 }, () => {
  let nodes: string
  let journal: Journal
  let leaves: string[]

  beforeEach(async () => {
    nodes = await mkdtemp(join(folder, 'nodes-'))
    journal = sqliteJournal(join(nodes, 'runs.db'))
    leaves = []
  })

  afterEach(() => journal.close())

  const files = async (): Promise<string[]> => (await readdir(join(nodes, 'merges'))).toSorted()

  /** Asks on an engine of its own, as a new process would. */
  async function goOn(resume: string, onStep?: (event: RunEvent, cancel: () => void) => void): ReturnType<typeof ask>['result'] {
    await using engine = openEngine()
    await using local = await openLocalModel({ path, threads: 1, engine })
    const strategy = strategyOf(counting(local, leaves), { folder: join(nodes, 'merges') })
    const run = ask(log, question, { strategy, journal, ...(resume === '' ? {} : { resume }) })
    for await (const event of run) onStep?.(event, () => run.cancel())
    return await run.result
  }

  it('runs no chunk twice, whenever it is stopped', async () => {
    const all = treeOf(model).nodes.length
    let id = ''
    let steps = 0
    for (const limit of [2, 5, all - 2]) {
      const { status, runId } = await goOn(id, (event, cancel) => {
        if (event.type === 'step.finished' && !event.reused && ++steps === limit) cancel()
      })
      expect(status).toBe('stopped')
      id = runId
    }
    const recorded = (await journal.listSteps(id)).map(({ output }) => JSON.parse(output) as { file: string; sha256: string })
    const held = await files()
    expect(held.length).toBeGreaterThan(0)
    expect(held.every((file) => recorded.some((record) => record.file === file && /^[0-9a-f]{64}$/.test(record.sha256)))).toBe(true)
    const origin = { scope: 'default', documentIds: [log.id] }
    for (const file of held) expect(await readCacheHeader(join(nodes, 'merges', file))).toMatchObject({ isNode: true, ...origin })
    const { status, citations } = await goOn(id)
    expect(status).toBe('answered')
    expect(leaves).toEqual(leavesOf(treeOf(model)))
    expect(await files()).toEqual([])
    expect(citations).toEqual((await ask(log, question, { strategy: strategyOf(model) }).result).citations)
  })

  it('runs a node again only where its file is gone', async () => {
    let leafSteps = 0
    const { runId } = await goOn('', (event, cancel) => {
      if (event.type === 'step.finished' && ++leafSteps === 2) cancel()
    })
    expect(await files()).toHaveLength(2)
    const [gone = ''] = await files()
    await rm(join(nodes, 'merges', gone))
    expect((await goOn(runId)).status).toBe('answered')
    expect(leaves).toHaveLength(leavesOf(treeOf(model)).length + 1)
  })

  it('goes on after the process was ended from outside', async () => {
    const script = join(nodes, 'script.mts')
    await writeFile(script, scriptOf({ path, nodes }))
    let runId = ''
    const finished: string[] = []
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script], { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part
      for (const line of text.split('\n').slice(finished.length + Number(runId !== ''), -1)) {
        if (runId === '') runId = line
        else finished.push(line)
        if (finished.length === 4) child.kill('SIGKILL')
      }
    })
    const signal = await new Promise((resolve) => child.on('close', (_, by) => resolve(by)))
    expect(signal).toBe('SIGKILL')
    const before = (await journal.listSteps(runId)).map((step) => step.path)
    expect(before.length).toBeGreaterThanOrEqual(4)
    expect((await goOn(runId)).status).toBe('answered')
    const known = before.flatMap((step) => /^homer\/0\/(\d+)$/.exec(step)?.[1] ?? [])
    expect([...known, ...leaves]).toEqual(leavesOf(treeOf(model)))
  })
})

function paths(events: readonly RunEvent[], type: 'step.started' | 'step.finished'): string[] {
  return events.flatMap((event) => (event.type === type ? [event.path] : []))
}

/** Asks as the tests do, and writes a line for the run and for each step that is over. */
function scriptOf(given: { readonly path: string; readonly nodes: string }): string {
  const source = (name: string): string => JSON.stringify(new URL(`../../${name}/index.ts`, import.meta.url).href)
  return `
import { join } from 'node:path'
import { quoteManager } from ${source('agents')}
import { createDocument } from ${source('chunkers')}
import { openLocalModel } from ${source('models')}
import { ask, homer, sqliteJournal } from ${source('workflows')}
const { path, nodes } = ${JSON.stringify(given)}
const model = await openLocalModel({ path, threads: 1 })
const manager = quoteManager(model, { threshold: 0, judge: false })
const strategy = homer({ model, manager, embedder: false, ...${JSON.stringify(settings)}, folder: join(nodes, 'merges') })
const document = createDocument({ name: 'log.txt', text: ${JSON.stringify(log.text)}, sections: [] })
const run = ask(document, ${JSON.stringify(question)}, { strategy, journal: sqliteJournal(join(nodes, 'runs.db')) })
console.log(run.id)
for await (const event of run) if (event.type === 'step.finished') console.log(event.path)
`
}
