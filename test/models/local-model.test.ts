import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { modelFile } from 'scriptorium-weights'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ContextOverflowError, ModelError, ModelFileError } from '../../errors/index.ts'
import {
  type ChatMessage,
  type ChatModel,
  describe as describeModel,
  type LikelihoodModel,
  type LocalModel,
  openEngine,
  openFileSource,
  openLocalModel,
} from '../../models/index.ts'
import golden from '../golden/smollm2-135m-instruct.json' with { type: 'json' }

const france: ChatMessage[] = [{ role: 'user', content: 'What is the capital of France?' }]
const filler = 'The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again. '

describe('the bundled local model', { timeout: 120_000 }, () => {
  let model: LocalModel

  beforeAll(async () => {
    model = await openLocalModel()
    await model.load()
  }, 120_000)

  afterAll(() => model.dispose())

  it('is a chat model and a likelihood model', () => {
    model satisfies ChatModel
    model satisfies LikelihoodModel
    expect(model.window).toBe(8192)
  })

  it('describes itself, with its own counter', () => {
    const description = describeModel(model)
    expect(description).toMatchObject({ id: model.id, window: 8192, maxOutput: 1024, exact: true, margin: 0 })
    for (const { text, ids } of golden.tokenizer.filter((known) => !known.text.includes('<|')))
      expect(description.count(text)).toBe(ids.length)
    const [{ ids, messages }] = golden.chat as [(typeof golden.chat)[number]]
    expect(ids.length).toBeLessThanOrEqual(
      messages.reduce((total, { content }) => total + model.count(content) + description.perMessage, 0),
    )
  })

  it('answers with the reference greedy text, and says what it used', async () => {
    const [{ ids, text }] = golden.greedy as [(typeof golden.greedy)[number]]
    const reply = await model.invoke(france)
    expect(`${reply.content}<|im_end|>`).toBe(text)
    expect(reply.usage_metadata).toEqual({ input_tokens: golden.chat[0]?.ids.length, output_tokens: ids.length - 1 })
    expect(reply.response_metadata).toEqual({ finish_reason: 'stop' })
  })

  it('streams parts that join to the text, and stops at maxTokens', async () => {
    const messages = structuredClone(france)
    const parts: string[] = []
    let reason: unknown
    for await (const { content, response_metadata: metadata } of await model.stream(messages, { maxTokens: 4 })) {
      parts.push(content)
      reason ??= metadata?.['finish_reason']
    }
    expect(parts.join('')).toBe('The capital of France')
    expect(parts.length).toBeGreaterThan(3)
    expect(reason).toBe('length')
    expect(messages).toEqual(france)
  })

  it('samples repeatably from a seed', async () => {
    const ask = async (seed: number): Promise<string> =>
      (await model.invoke([{ role: 'user', content: 'Name an animal.' }], { maxTokens: 12, temperature: 1.5, seed })).content
    const [first, second, other] = [await ask(1), await ask(1), await ask(2)]
    expect(second).toBe(first)
    expect(other).not.toBe(first)
  })

  it('goes on after a reader leaves a stream early', async () => {
    for await (const part of await model.stream(france)) {
      expect(part.content).toBe('The')
      break
    }
    expect((await model.invoke(france, { maxTokens: 2 })).content).toBe('The capital')
  })

  it('scores texts as their log-probabilities, alone or side by side', async () => {
    const question = ' Where does the whale live?'
    const queries = ['The whale lives in the sea.', 'A passkey opens doors.', 'Whales live long.'].map((sentence) => ({
      prefix: `Passage: ${sentence}\nQuestion:`,
      text: question,
    }))
    const together = await model.logProbs(queries)
    for (const [index, query] of queries.entries()) {
      const [alone] = await model.logProbs([query])
      expect(together[index]?.logProb).toBeCloseTo(alone?.logProb ?? NaN, 3)
      expect(together[index]?.tokens).toHaveLength(model.count(question))
    }
    expect(together[0]?.logProb).toBeGreaterThan(together[1]?.logProb ?? NaN)
    expect(together[0]?.logProb).toBeLessThan(0)
  })

  it('scores the greedy continuation above its rival', async () => {
    const prefix = golden.greedy[1]?.prompt ?? ''
    const [greedy, rival] = await model.logProbs([
      { prefix, text: ' fundamental principles' },
      { prefix, text: ' purple principles' },
    ])
    expect(greedy?.logProb).toBeGreaterThan(rival?.logProb ?? NaN)
  })

  it('gives the reference log-probabilities', async () => {
    for (const { text, ids, logProbOfEachNextToken } of golden.forward) {
      const [first = ''] = /^\w+/.exec(text) ?? []
      const [found] = await model.logProbs([{ prefix: first, text: text.slice(first.length) }])
      expect(found?.tokens).toHaveLength(ids.length - model.count(first))
      const expected = logProbOfEachNextToken.slice(-(found?.tokens.length ?? 0)).reduce((total, value) => total + value, 0)
      expect(found?.logProb).toBeCloseTo(expected, 2)
    }
  })

  it('scores nothing for nothing', async () => {
    expect(await model.logProbs([])).toEqual([])
    expect(await model.logProbs([{ prefix: 'a', text: '' }])).toEqual([{ logProb: 0, tokens: [] }])
    await expect(model.logProbs([{ prefix: '', text: 'a' }])).rejects.toThrow(RangeError)
  })

  it('copies a span of the source, at word borders', async () => {
    const source = 'Ahab\u2019s ship, the \u201cPequod\u201d, sailed from Nantucket on Christmas Day. 🐋 The whale was white.'
    const span = await model.copy(`${source}\nQuestion: What colour was the whale?\nAnswer:`, source, { maxTokens: 8 })
    expect(span).toBeDefined()
    const { start = 0, end = 0, logProb = NaN } = span ?? {}
    expect(source.slice(start, end)).toBe(source.slice(start, end).trim())
    expect(end).toBeGreaterThan(start)
    expect(source.slice(start - 1, start + 1)).not.toMatch(/^\p{L}{2}$/u)
    expect(source.slice(end - 1, end + 1)).not.toMatch(/^\p{L}{2}$/u)
    expect(logProb).toBeLessThan(0)
    expect(await model.copy('Answer:', '', { maxTokens: 4 })).toBeUndefined()
    await expect(model.copy('', source, { maxTokens: 4 })).rejects.toThrow(RangeError)
    await expect(model.copy('Answer:', source, { maxTokens: 0 })).rejects.toThrow(RangeError)
  })

  it('refuses what does not fit its window, before it is run', async () => {
    const content = filler.repeat(500)
    await expect(model.invoke([{ role: 'user', content }])).rejects.toThrow(ContextOverflowError)
    await expect(model.logProbs([{ prefix: content, text: 'a' }])).rejects.toThrow(ContextOverflowError)
    await expect(model.invoke(france, { maxTokens: 8192 })).rejects.toMatchObject({ parts: { output: 8192 } })
    await expect(model.invoke(france, { maxTokens: 0 })).rejects.toThrow(RangeError)
  })

  it('rejects at once with the reason of a signal that has aborted', async () => {
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    await expect(model.invoke(france, { signal })).rejects.toBe(reason)
    await expect(model.stream(france, { signal })).rejects.toBe(reason)
    await expect(model.logProbs([{ prefix: 'a', text: 'b' }], { signal })).rejects.toBe(reason)
    await expect(model.copy('a', 'b', { maxTokens: 1, signal })).rejects.toBe(reason)
  })

  it('lets the caller tick during a long prefill, and rejects with the reason of an abort in it', async () => {
    const content = filler.repeat(100)
    expect(model.count(content)).toBeGreaterThan(2000)
    const controller = new AbortController()
    const reason = new Error('changed my mind')
    let ticks = 0
    const timer = setInterval(() => {
      if (++ticks === 20) controller.abort(reason)
    }, 5)
    await expect(model.invoke([{ role: 'user', content }], { maxTokens: 1, signal: controller.signal })).rejects.toBe(reason)
    clearInterval(timer)
    expect(ticks).toBe(20)
    expect((await model.invoke(france, { maxTokens: 1 })).content).toBe('The')
  })

  it('lets a question overtake background work', async () => {
    const order: string[] = []
    const queries = Array.from({ length: 48 }, (_, index) => ({
      prefix: `Passage: number ${index} is here.\nQuestion:`,
      text: ' Which number?',
    }))
    const background = model.logProbs(queries, { priority: 5 }).then((scores) => (order.push('background'), scores))
    const later = model.logProbs(queries.slice(0, 1), { priority: 6 }).then(() => order.push('later'))
    const question = model.invoke(france, { maxTokens: 1 }).then(() => order.push('question'))
    expect(await background).toHaveLength(48)
    await Promise.all([later, question])
    expect(order).toEqual(['question', 'background', 'later'])
  })
})

describe('opening and closing local models', { timeout: 120_000 }, () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'local-model-'))
  })

  afterAll(() => rm(folder, { recursive: true }))

  it.each<[string, () => Promise<string>, RegExp]>([
    ['a missing file', async () => join(folder, 'none.gguf'), /does not exist: .*none\.gguf/],
    ['a folder without a model', async () => folder, /as it has no config\.json/],
    ['a file that is no model', () => file('text.gguf', 'this is not a model'), /text\.gguf/],
    ['an empty file', () => file('empty.gguf', ''), /empty\.gguf/],
    ['a model cut short', cutModel, /cut\.gguf/],
  ])('refuses %s', async (_, path, message) => {
    const opening = openLocalModel(await path())
    await expect(opening).rejects.toThrow(ModelFileError)
    await expect(opening).rejects.toThrow(message)
  })

  it('rejects with the reason of the signal', async () => {
    const reason = new Error('enough')
    await expect(openLocalModel({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('starts no worker before there is something to do, and says so when it is used after its end', async () => {
    const engine = openEngine()
    const model = await openLocalModel({ engine })
    expect(model.count('Hello, world!')).toBe(4)
    expect(engine.running).toBe(false)
    await model.dispose()
    await model.dispose()
    expect(engine.running).toBe(false)
    await expect(model.invoke(france)).rejects.toThrow(TypeError)
    await expect(model.logProbs([{ prefix: 'a', text: 'b' }])).rejects.toThrow(/is disposed/)
  })

  it('rejects what is under way when its engine is disposed', async () => {
    const engine = openEngine()
    await using model = await openLocalModel({ engine })
    const reply = model.invoke(france)
    const failure = expect(reply).rejects.toThrow(ModelError)
    await expect.poll(() => engine.running).toBe(true)
    await engine.dispose()
    await failure
    await expect(model.load()).rejects.toThrow(/engine was disposed/)
  })

  it('hands on an error of the worker as what it is', async () => {
    await using engine = openEngine()
    const path = join(folder, 'gone.gguf')
    await expect(engine.call('load', { path })).rejects.toThrow(ModelFileError)
    await expect(engine.call('load', { path })).rejects.toMatchObject({ file: path })
  })

  it.skipIf(process.platform === 'win32')('lets a process end with its own code in the middle of a run', async () => {
    const script = fileURLToPath(new URL('fixtures/exit-during-run.ts', import.meta.url))
    const ending = promisify(execFile)(process.execPath, ['--import', 'tsx', script])
    await expect(ending).rejects.toMatchObject({ code: 3, stderr: '' })
  })

  it('tells how far the weights are loaded', async () => {
    await using engine = openEngine()
    const model = await openLocalModel({ engine, threads: 1 })
    const shares: number[] = []
    await model.load({ onProgress: (share) => shares.push(share) })
    expect(shares).toHaveLength(30)
    expect(shares.at(-1)).toBe(1)
  })

  async function cutModel(): Promise<string> {
    await using source = await openFileSource(await modelFile('smollm2-135m-instruct', 'model.gguf'))
    return file('cut.gguf', await source.read(0, 4_000_000))
  }

  async function file(name: string, text: string | Uint8Array): Promise<string> {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
})

describe('a file source', () => {
  it('reads any range, and names the file when it is cut short', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'file-source-'))
    const path = join(folder, 'bytes')
    await writeFile(path, Uint8Array.from([1, 2, 3, 4, 5]))
    {
      await using source = await openFileSource(path)
      expect(source).toMatchObject({ name: path, size: 5 })
      expect([...(await source.read(1, 4))]).toEqual([2, 3, 4])
      expect([...(await source.read(5, 5))]).toEqual([])
      await writeFile(path, Uint8Array.from([1, 2]))
      await expect(source.read(0, 5)).rejects.toThrow(/ends at byte 2 of 5/)
    }
    await rm(folder, { recursive: true })
  })
})
