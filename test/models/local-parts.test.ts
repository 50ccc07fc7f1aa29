import { Worker } from 'node:worker_threads'
import { modelFile } from 'scriptorium-weights'
import { beforeAll, describe, expect, it } from 'vitest'
import { type ByteTokenizer, createBpeTokenizer, type Decoder, type KVCache, readGguf } from '../../attention/index.ts'
import { MissingPackageError, ModelError, ModelFileError } from '../../errors/index.ts'
import { copyTokens } from '../../models/copy-tokens.ts'
import { openFileSource } from '../../models/file-source.ts'
import { openEngineOn } from '../../models/local-engine.ts'
import type { CopyCall } from '../../models/local-protocol.ts'
import { partStream } from '../../models/part-stream.ts'
import { fromPlain, toPlain } from '../../models/plain-error.ts'
import { groupItems } from '../../models/score-items.ts'
import { tokenSpans, trimmedSpan, wordEnds, wordStarts } from '../../models/token-spans.ts'
import { TokenText } from '../../models/token-text.ts'
import { Turns } from '../../models/turns.ts'

describe('turns', () => {
  it('run one at a time, by priority, and in order among equals', async () => {
    const turns = new Turns()
    const log: string[] = []
    let active = 0
    const task = (name: string, priority: number): Promise<void> =>
      turns.run(priority, async () => {
        expect(++active).toBe(1)
        log.push(name)
        await Promise.resolve()
        active--
      })
    await Promise.all([task('first', 5), task('c', 2), task('a', 1), task('d', 2), task('b', 1)])
    expect(log).toEqual(['first', 'a', 'b', 'c', 'd'])
  })

  it('let a long task give way to what is ahead of it, and to nothing else', async () => {
    const turns = new Turns()
    const log: string[] = []
    const note = (name: string, priority: number): Promise<unknown> => turns.run(priority, async () => log.push(name))
    const long = turns.run(1, async (giveWay) => {
      log.push('long begins')
      const others = [note('later', 1), note('urgent', 0), note('last', 2)]
      await giveWay()
      log.push('long ends')
      return others
    })
    await Promise.all(await long)
    expect(log).toEqual(['long begins', 'urgent', 'long ends', 'later', 'last'])
  })

  it('go on after a task that fails', async () => {
    const turns = new Turns()
    const failing = turns.run(0, () => Promise.reject(new Error('no')))
    await expect(failing).rejects.toThrow('no')
    await expect(turns.run(0, async () => 'yes')).resolves.toBe('yes')
  })
})

describe('an engine whose worker crashes', () => {
  const broken = `require('node:worker_threads').parentPort.on('message', ({ argument }) => { throw new Error('boom ' + argument.path) })`

  it('rejects everything under way, and starts another worker for the next call', async () => {
    let started = 0
    const engine = openEngineOn(() => (started++, new Worker(broken, { eval: true })))
    const calls = ['a', 'b'].map((path) => engine.call('load', { path }, { model: 'tiny' }))
    const results = await Promise.allSettled(calls)
    for (const result of results) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { name: 'ModelError', model: 'tiny', message: expect.stringContaining('boom a') },
      })
    }
    await expect(engine.call('load', { path: 'c' })).rejects.toThrow(/boom c/)
    expect(started).toBe(2)
    await engine.dispose()
    await expect(engine.call('load', { path: 'd' })).rejects.toThrow(ModelError)
  })
})

describe('errors of the worker', () => {
  it.each([
    [new ModelFileError('bad file', { file: '/a' }), ModelFileError],
    [new MissingPackageError('onnxruntime-node', 'run'), MissingPackageError],
    [new RangeError('out'), RangeError],
    [new TypeError('kind'), TypeError],
    [new Error('other'), ModelError],
    ['a string', ModelError],
  ])('%s comes back as what a caller can catch', (error, expected) => {
    const revived = fromPlain(structuredClone(toPlain(error)), 'tiny')
    expect(revived).toBeInstanceOf(expected)
    expect(revived.message).toContain(
      error instanceof MissingPackageError ? 'onnxruntime-node' : error instanceof Error ? error.message : error,
    )
  })
})

describe('a stream of parts', () => {
  it('yields what is pushed and returns the result', async () => {
    const seen: number[] = []
    const stream = partStream<number, string>(
      async (push) => {
        push(1)
        await Promise.resolve()
        push(2)
        return 'end'
      },
      () => expect.unreachable(),
    )
    for (let next = await stream.next(); ; next = await stream.next()) {
      if (next.done === true) {
        expect(next.value).toBe('end')
        break
      }
      seen.push(next.value)
    }
    expect(seen).toEqual([1, 2])
  })

  it('stops the source when its reader leaves', async () => {
    let stopped = false
    const stream = partStream<number, void>(
      (push) => {
        push(1)
        return new Promise(() => {})
      },
      () => (stopped = true),
    )
    for await (const part of stream) {
      expect(part).toBe(1)
      break
    }
    expect(stopped).toBe(true)
  })

  it('fails as its source does, after the parts before', async () => {
    const seen: number[] = []
    const read = async (): Promise<void> => {
      const stream = partStream<number, void>(
        (push) => {
          push(1)
          return Promise.reject(new Error('cut'))
        },
        () => {},
      )
      for await (const part of stream) seen.push(part)
    }
    await expect(read()).rejects.toThrow('cut')
    expect(seen).toEqual([1])
  })
})

describe('groups of items to score', () => {
  const item = (...prefix: number[]): { prefix: number[]; text: number[] } => ({ prefix, text: [99] })
  const shape = (prefixes: number[][]): [number, number][] =>
    groupItems(prefixes.map((prefix) => item(...prefix))).map((group) => [group.items.length, group.shared])

  it.each<[string, number[][], [number, number][]]>([
    ['nothing', [], []],
    ['one item, all of whose prefix is shared', [[1, 2, 3]], [[1, 3]]],
    [
      'equal prefixes',
      [
        [1, 2],
        [1, 2],
      ],
      [[2, 2]],
    ],
    [
      'a short common start',
      [
        [1, 2, 3],
        [1, 2, 4],
        [1, 5],
      ],
      [[3, 1]],
    ],
    [
      'nothing in common',
      [[1], [2]],
      [
        [1, 1],
        [1, 1],
      ],
    ],
    [
      'two long starts',
      [
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4, 6],
        [1, 7, 8, 9, 5],
        [1, 7, 8, 9, 6],
      ],
      [
        [2, 4],
        [2, 4],
      ],
    ],
  ])('are right for %s', (_, prefixes, expected) => {
    expect(shape(prefixes)).toEqual(expected)
  })

  it('may have nothing in common where something else comes before all of them', () => {
    const items = [item(), item(1, 2), item(3)]
    expect(groupItems(items, 0)).toEqual([{ items, shared: 0 }])
  })
})

describe('verbatim-constrained decoding', () => {
  const vocabulary = 10
  const stop = 9
  const base: CopyCall = { decoder: { path: '' }, prompt: [0], source: [], starts: [], ends: [], maxTokens: 5, stop: [stop] }

  /** A decoder that likes the ids in `likes` in turn; 0 is what it likes less, -5 what it does not like at all. */
  function scripted(likes: readonly (readonly number[])[]): Decoder {
    let step = 0
    const prefill = async (): Promise<Float32Array> => {
      const logits = new Float32Array(vocabulary).fill(-5)
      likes[step++]?.forEach((id, rank) => (logits[id] = 5 - rank))
      return logits
    }
    const createCache = (): KVCache => ({ [Symbol.dispose]: () => {} }) as KVCache
    return { createCache, prefill } as unknown as Decoder
  }

  it('begins at the likeliest start and goes where the source goes', async () => {
    const call = { ...base, source: [1, 2, 3, 4], starts: [0, 2], ends: [0, 1, 2, 3], maxTokens: 2 }
    expect(await copyTokens(scripted([[3, 1], [7]]), call, signal())).toMatchObject({ from: 2, to: 4 })
  })

  it('follows every place where the copy so far stands', async () => {
    const call = { ...base, source: [1, 2, 5, 1, 3], starts: [0, 3], ends: [0, 1, 2, 3, 4], maxTokens: 2 }
    expect(await copyTokens(scripted([[1], [3, 2]]), call, signal())).toMatchObject({ from: 3, to: 5 })
  })

  it('ends when a stop token is likelier than every way on, at an allowed end', async () => {
    const call = { ...base, source: [1, 2, 3], starts: [0], ends: [1, 2] }
    expect(
      await copyTokens(
        scripted([
          [stop, 1],
          [stop, 2],
          [stop, 3],
        ]),
        call,
        signal(),
      ),
    ).toMatchObject({ from: 0, to: 2 })
  })

  it('is cut back to the last allowed end at the most tokens', async () => {
    const call = { ...base, source: [1, 2, 3, 4], starts: [0], ends: [1], maxTokens: 3 }
    expect(await copyTokens(scripted([[1], [2], [3]]), call, signal())).toMatchObject({ from: 0, to: 2 })
  })

  it('gives the mean log-probability of what was copied', async () => {
    const call = { ...base, source: [1], starts: [0], ends: [0] }
    const copied = await copyTokens(scripted([[1]]), call, signal())
    expect(copied?.logProb).toBeCloseTo(-Math.log(1 + 9 * Math.exp(-10)), 6)
  })

  it.each([
    ['no place to begin', { source: [1], starts: [], ends: [0] }],
    ['no place to end', { source: [1, 2], starts: [0], ends: [] }],
  ])('copies nothing where there is %s', async (_, places) => {
    expect(await copyTokens(scripted([[1], [2]]), { ...base, ...places }, signal())).toBeUndefined()
  })

  function signal(): AbortSignal {
    return new AbortController().signal
  }
})

/** Characters with bytes that the vocabulary lacks, and one that is no character. */
const unknown = ['\u0004', '\u{40000}', '\ud800']

describe('tokens and their text', () => {
  let tokenizer: ByteTokenizer

  beforeAll(async () => {
    await using source = await openFileSource(await modelFile('smollm2-135m-instruct', 'model.gguf'))
    tokenizer = createBpeTokenizer((await readGguf(source)).metadata)
  })

  it.each(['Hello, world!', '  two\n\nlines ', 'naïve 日本語 emoji 👩‍👩‍👧‍👦 🚀', 'a\u0004b \u{40000} c', 'lone \ud800 surrogate', ''])(
    'places lead back to the text of %j',
    (text) => {
      const { ids, offsets } = tokenSpans(tokenizer, text)
      expect(offsets).toHaveLength(ids.length + 1)
      expect(offsets.at(-1)).toBe(text.length)
      const known = offsets.filter((offset) => offset >= 0)
      expect([...known].toSorted((left, right) => left - right)).toEqual([...known])
      ids.forEach((id, index) => {
        const [start = -1, end = -1] = offsets.slice(index, index + 2)
        const isWhole = start >= 0 && end >= 0 && !unknown.some((character) => text.slice(start, end).includes(character))
        if (isWhole) expect(tokenizer.decode([id])).toBe(text.slice(start, end))
      })
    },
  )

  it('quotations begin and end at word borders, without space', () => {
    const text = 'It was antidisestablishmentarianism, in 1889 (or so).'
    const spans = tokenSpans(tokenizer, text)
    const starts = wordStarts(text, spans).map((index) => trimmedSpan(text, spans, index, spans.ids.length).start)
    const ends = wordEnds(text, spans).map((index) => trimmedSpan(text, spans, 0, index + 1).end)
    expect(starts.length).toBeGreaterThan(5)
    for (const start of starts) expect(text.slice(start)).toMatch(/^\S/)
    for (const start of starts) expect(text.slice(start - 1, start + 1)).not.toMatch(/^[\p{L}\p{N}]{2}$/u)
    for (const end of ends) expect(text.slice(end - 1, end + 1)).not.toMatch(/^[\p{L}\p{N}]{2}$/u)
    expect(spans.ids.length).toBeGreaterThan(starts.length)
  })

  it('a character spread over tokens comes out once, with the last of them', () => {
    const text = 'a 👩‍👩‍👧‍👦 日本 é'
    const decoder = new TokenText(tokenizer)
    const parts = tokenizer.encode(text).map((id) => decoder.push(id))
    expect(parts.join('') + decoder.end()).toBe(text)
    expect(parts.some((part) => part.includes('\ufffd'))).toBe(false)
    expect(decoder.push(tokenizer.special.endOfTurn!)).toBe('')
  })

  it('a character cut short at the end is shown as such', () => {
    const decoder = new TokenText(tokenizer)
    const [first = 0] = tokenizer.encode('🚀')
    expect(decoder.push(first) + decoder.end()).toContain('\ufffd')
  })
})
