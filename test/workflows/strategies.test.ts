import { describe, expect, it } from 'vitest'
import { type AsyncChunker, createDocument, defineChunker, structural } from '../../chunkers/index.ts'
import { ContextOverflowError } from '../../errors/index.ts'
import { quotingWorker } from '../../agents/index.ts'
import { createMemoryStore } from '../../memory/index.ts'
import { scriptedEmbedder, scriptedLikelihoodModel, scriptedModel, type ScriptedModel } from '../../testing/index.ts'
import {
  ask,
  auto,
  chainOfAgents,
  createMemoryJournal,
  defineStrategy,
  mapReduce,
  openSource,
  plan,
  retrieve,
  stuff,
  truncate,
} from '../../workflows/index.ts'
import { collect, notes, story } from './story.ts'

const FACT = 'The captain buried the gold under the old oak.'
const LATE = 'Later the mate moved the gold to the lighthouse.'
const question = 'Where is the gold?'
const document = story(160, { 60: FACT, 130: LATE })

/** Quotes what it sees of the two facts; answers with the last of its notes. */
function reader(window = 900): ScriptedModel {
  return scriptedModel({
    rules: [
      { when: ({ prompt }) => prompt.includes('NOTHING NEW') && partOf(prompt).includes(FACT), answer: notes('Under the oak [q1].', FACT) },
      {
        when: ({ prompt }) => prompt.includes('NOTHING NEW') && partOf(prompt).includes(LATE),
        answer: ({ prompt }) =>
          notes(prompt.includes('oak') ? 'Under the oak [q1], then in the lighthouse [q2].' : 'In the lighthouse [q1].', LATE),
      },
      { when: 'NOTHING NEW', answer: 'NOTHING NEW' },
      { when: ['Reply with one line', 'NOTES:'], answer: 'NOTES: Under the oak [q1], then in the lighthouse [q2].' },
      { when: ['ANSWER:', FACT], answer: `ANSWER: Under the oak.\nQUOTE: "${FACT}"` },
      { when: /lighthouse \[(q\d)\]/, answer: (_, match) => `In the lighthouse [${match?.[1]}].` },
      { when: /oak \[(q\d)\]/, answer: (_, match) => `Under the oak [${match?.[1]}].` },
    ],
    fallback: 'NOT FOUND',
    window,
    maxOutput: 128,
  })
}

/** The text that a worker reads, without what the workers before it handed on. */
function partOf(prompt: string): string {
  return prompt.split('from the earlier parts:')[0] ?? ''
}

describe('chainOfAgents()', () => {
  it('reads in the order of its path, and its step paths say so', async () => {
    const forward = await collect(ask(document, question, { strategy: chainOfAgents({ model: reader() }) }))
    const backward = await collect(ask(document, question, { strategy: chainOfAgents({ model: reader(), paths: 'backward' }) }))
    const order = (events: Awaited<ReturnType<typeof collect>>): number[] =>
      events.flatMap((event) => (event.type === 'worker.started' ? [event.chunkIndex] : []))
    expect(order(forward)).toEqual(order(forward).toSorted((a, b) => a - b))
    expect(order(backward)).toEqual(order(forward).toReversed())
  })

  it('joins two paths by vote, and reads the permutations of a seed the same every time', async () => {
    const strategy = chainOfAgents({ model: reader(), paths: { permutations: 3, seed: 7 }, join: 'vote' })
    const first = await ask(document, question, { strategy }).result
    const second = await ask(document, question, { strategy }).result
    expect(first.status).toBe('answered')
    expect(second.text).toBe(first.text)
    expect(first.coverage.total).toBe(first.coverage.read + first.coverage.empty)
  })

  it('asks a judge where it is told to', async () => {
    const events = await collect(ask(document, question, { strategy: chainOfAgents({ model: reader(), paths: 'both', join: 'judge' }) }))
    expect(events.filter((event) => event.type === 'step.finished' && event.path === 'judge')).toHaveLength(1)
    expect(events.at(-1)?.type).toBe('run.finished')
  })

  it('keeps evidence of both facts in the unit until the manager answers', async () => {
    const { text, citations } = await ask(document, question, { strategy: chainOfAgents({ model: reader() }) }).result
    expect(text).toContain('lighthouse')
    expect(citations.map(({ quote }) => quote)).toContain(LATE)
  })

  it('takes overridden prompts, which are part of what a step is keyed by', async () => {
    const journal = createMemoryJournal()
    const plain = reader()
    await ask(document, question, { strategy: chainOfAgents({ model: plain }), journal }).result
    const system = 'You read for a treasure hunter.'
    const model = reader()
    await ask(document, question, { strategy: chainOfAgents({ model, prompts: { worker: { system } } }), journal }).result
    expect(model.calls.length).toBeGreaterThan(0)
    expect(model.calls.every(({ prompt }) => prompt.includes(system) || !prompt.includes('NOTHING NEW'))).toBe(true)
  })

  it.each([
    ['manager', (model: ScriptedModel, prompts: object) => mapReduce({ model, prompts })],
    ['judge', (model: ScriptedModel, prompts: object) => chainOfAgents({ model, prompts, paths: 'both' })],
    ['manager', (model: ScriptedModel, prompts: object) => retrieve({ model, prompts, embedder: scriptedEmbedder() })],
    ['reader', (model: ScriptedModel, prompts: object) => auto({ model, prompts, embedder: scriptedEmbedder() })],
  ])('takes the words of a %s from its caller', async (role, make) => {
    const model = reader(role === 'reader' ? 100_000 : 900)
    const system = `You are the ${role} of a treasure hunt.`
    await ask(document, question, { strategy: make(model, { [role]: { system } }) }).result
    expect(model.calls.filter(({ prompt }) => prompt.includes(system)).length).toBeGreaterThan(0)
  })

  it('takes the words of what merges from its caller', async () => {
    const lines = [
      'Sails were mended by part',
      'Nothing else was seen in number',
      'All of the crew worked in section',
      'None rested during',
    ]
    const model = scriptedModel({
      rules: [
        {
          when: /NOTHING NEW/,
          answer: ({ prompt, number }) =>
            notes(lines.map((line) => `${line} ${number} [q1].`).join(' '), /On day \d+ the crew[^.]*\./.exec(prompt)?.[0] ?? ''),
        },
        { when: 'CONFLICT:', answer: 'NOTES: All parts tell of sails [q1].' },
      ],
      fallback: 'Sails [q1].',
      window: 900,
      maxOutput: 128,
    })
    const merger = { system: 'You bring the notes of a treasure hunt together.' }
    await ask(story(900), 'What is mended?', { strategy: mapReduce({ model, prompts: { merger } }) }).result
    expect(model.calls.filter(({ prompt }) => prompt.startsWith(merger.system)).length).toBeGreaterThan(0)
  })

  it('refuses a window too small for its prompt, naming each part', async () => {
    const error = await ask(document, question, { strategy: chainOfAgents({ model: reader(150) }) }).result.catch(
      (caught: unknown) => caught,
    )
    expect(error).toBeInstanceOf(ContextOverflowError)
    expect(error).toMatchObject({ window: 150, parts: { instruction: expect.any(Number), output: expect.any(Number) } })
  })

  it('refuses a question longer than the window before any call', async () => {
    const model = reader()
    const error = await ask(document, 'why '.repeat(5000), { strategy: chainOfAgents({ model }) }).result.catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ContextOverflowError)
    expect(model.calls).toEqual([])
  })

  it.each([0, 1.5, 1000])('refuses %d permutations', async (permutations) => {
    const run = ask(document, question, { strategy: chainOfAgents({ model: reader(), paths: { permutations } }) })
    await expect(run.result).rejects.toBeInstanceOf(RangeError)
  })
})

describe('mapReduce()', () => {
  it('reads the chunks side by side, merges their units, and cites both facts', async () => {
    const answer = await ask(document, question, { strategy: mapReduce({ model: reader() }) }).result
    expect(answer.status).toBe('answered')
    expect(answer.text).toContain('lighthouse')
  })
})

describe('stuff() and truncate()', () => {
  it('read what fits in one call, with a quotation', async () => {
    const small = story(10, { 4: FACT })
    const model = reader()
    const answer = await ask(small, question, { strategy: stuff({ model }) }).result
    expect(answer).toMatchObject({ status: 'answered', text: 'Under the oak.', usage: { calls: 1 } })
    expect(answer.citations[0]?.quote).toBe(FACT)
  })

  it('stuff refuses what does not fit, before a call', async () => {
    const model = reader()
    await expect(ask(document, question, { strategy: stuff({ model }) }).result).rejects.toBeInstanceOf(ContextOverflowError)
    expect(model.calls).toEqual([])
  })

  it.each([
    ['stuff', stuff],
    ['truncate', truncate],
    ['auto', auto],
  ])('%s reads several documents that fit in one call, and cites each as its own', async (_, strategy) => {
    const [first, second] = [story(8, { 4: FACT }), createDocument({ text: `# Mate\n\n${LATE}\n\n# Cook\n\nHe sleeps.`, name: 'mate.md' })]
    const model = scriptedModel({
      fallback: `ANSWER: In the lighthouse.\nQUOTE: "${FACT}"\nQUOTE: "${LATE}"`,
      window: 2_000,
      maxOutput: 128,
    })
    const run = ask([first, second], question, { strategy: strategy({ model }), chunker: structural() })
    const { status, citations, coverage, usage } = await run.result
    expect([status, usage.calls, coverage.read, coverage.total]).toEqual(['answered', 1, coverage.total, coverage.total])
    expect(coverage.total).toBeGreaterThanOrEqual(2)
    expect(citations.map(({ documentId, quote }) => [documentId, quote])).toEqual([
      [first.id, FACT],
      [second.id, LATE],
    ])
    for (const { documentId, start, end, quote } of citations) {
      expect([first, second].find(({ id }) => id === documentId)?.slice(start, end)).toBe(quote)
    }
    expect(citations[1]?.sections).toEqual(['Mate'])
    const planned = await plan([first, second], question, { strategy: strategy({ model }), chunker: structural() })
    expect(planned).toMatchObject({ calls: 2, chunks: coverage.total, notes: [] })
  })

  it('truncate reads the start and reports the rest as skipped', async () => {
    const answer = await ask(document, question, { strategy: truncate({ model: reader() }) }).result
    expect(answer.coverage).toMatchObject({ failed: 0 })
    expect(answer.coverage.skipped).toBe(answer.coverage.total - 1)
    expect(answer.coverage.chunks[0]?.reason).toContain('beyond')
  })
})

describe('retrieve() and auto()', () => {
  const embedder = scriptedEmbedder()

  it('retrieve answers from the passages that fit best', async () => {
    const model = reader()
    const answer = await ask(document, 'Where did the captain bury the gold?', { strategy: retrieve({ model, embedder }) }).result
    expect(answer.usage.calls).toBe(1)
    expect(model.calls[0]?.prompt).toContain(FACT)
    const { total, read, skipped } = answer.coverage
    expect([total > 1, read > 0, read + skipped]).toEqual([true, true, total])
    const unread = new Set(answer.coverage.chunks.map(({ index }) => index))
    for (const { chunkIndex } of answer.citations) expect(unread.has(chunkIndex)).toBe(false)
  })

  it('auto narrows with retrieval, and a chain of quoting workers reads what is left', async () => {
    const model = Object.assign(reader(), scriptedLikelihoodModel())
    const answer = await ask(document, 'Where did the captain bury the gold?', { strategy: auto({ model, embedder }) }).result
    expect(answer.citations[0]?.quote).toBe(FACT)
    expect(answer.coverage.total).toBeGreaterThan(1)
    expect(answer.coverage.read + answer.coverage.empty + answer.coverage.skipped).toBe(answer.coverage.total)
  })

  it('auto reads what fits in one call', async () => {
    const model = reader()
    const answer = await ask(story(8, { 3: FACT }), question, { strategy: auto({ model, embedder }) }).result
    expect(answer).toMatchObject({ strategy: 'auto', usage: { calls: 1 } })
  })

  it('many questions over one source share its index', async () => {
    const memory = createMemoryStore({ embedderId: embedder.id, dimensions: embedder.dimensions })
    const source = await openSource(document, { memory, embedder })
    const model = reader()
    const first = await collect(ask(source, 'Where did the captain bury the gold?', { strategy: retrieve({ model }) }))
    const second = await collect(ask(source, 'Who moved the gold?', { strategy: retrieve({ model }) }))
    expect(first.filter(({ type }) => type === 'index.started')).toHaveLength(1)
    expect(first.filter(({ type }) => type === 'index.finished')).toHaveLength(1)
    expect(second.filter(({ type }) => type === 'index.started')).toHaveLength(0)
  })

  it('an edited document reuses the steps of the chunks that did not change', async () => {
    const journal = createMemoryJournal()
    const strategy = mapReduce({ model: reader() })
    await ask(document, question, { strategy, journal }).result
    const edited = createDocument({ name: 'edited.txt', text: `${document.text}\nOne more line at the end.`, sections: [] })
    const answer = await ask(edited, question, { strategy, journal }).result
    expect(answer.usage.reused).toBeGreaterThan(0)
    expect(answer.usage.calls).toBeLessThan(answer.coverage.total)
    for (const { start, end, quote } of answer.citations) expect(edited.slice(start, end)).toBe(quote)
  })
})

describe('defineStrategy()', () => {
  const byLine = defineChunker({
    name: 'line',
    version: 1,
    *cut(text: string) {
      for (const match of text.matchAll(/^.+$/gm)) yield [match.index, match.index + match[0].length]
    },
  })

  it('reads what a chunker gives that asks a model, cut once for the plan and the reading, each chunk with its context', async () => {
    let cuts = 0
    const waiting: AsyncChunker = {
      name: 'waiting',
      version: 1,
      async *chunk(source, options) {
        cuts++
        for (const chunk of byLine.chunk(source, options)) yield await Promise.resolve({ ...chunk, context: `Line ${chunk.index}` })
      },
    }
    const model = reader()
    const source = story(4, { 1: FACT })
    const { citations, coverage } = await ask(source, question, { strategy: chainOfAgents({ model }), chunker: waiting }).result
    expect(citations.map(({ quote }) => quote)).toEqual([FACT])
    expect([coverage.total, cuts]).toEqual([4, 1])
    expect(model.calls.some(({ prompt }) => prompt.includes(`Line 1\n\n${FACT}`))).toBe(true)
  })

  it("hosts an async function over step, with a chunker of one's own", async () => {
    const model = scriptedLikelihoodModel()
    const firstHit = defineStrategy({
      name: 'first-hit',
      version: 1,
      async run({ chunks, question: asked = '', step }) {
        for await (const chunk of chunks) {
          const note = await step(quotingWorker(model), { chunk, question: asked })
          if (note.found) return { text: note.text, quotes: note.quotes }
        }
        return { status: 'not-found' }
      },
    })
    const answer = await ask(story(20, { 12: FACT }), 'Where did the captain bury the gold?', { strategy: firstHit, chunker: byLine })
      .result
    expect(answer.citations[0]?.quote).toBe(FACT)
    expect(answer.coverage).toMatchObject({ total: 20, read: 1, empty: 12, skipped: 7 })
    expect(answer.coverage.chunks.at(-1)).toMatchObject({ outcome: 'skipped', reason: 'the answer was there before it was read' })
  })

  it('never shows a quotation that is not in the document', async () => {
    const liar = defineStrategy({
      name: 'liar',
      version: 1,
      run: async ({ documents }) => ({
        text: 'x',
        quotes: [{ id: 'q1', documentId: documents[0]?.id ?? '', chunkIndex: 0, start: 0, end: 5, text: 'made up', how: 'exact' }],
      }),
    })
    const run = ask(document, question, { strategy: liar })
    const events = await collect(run)
    expect((await run.result).citations).toEqual([])
    expect(events.some((event) => event.type === 'notice.given' && event.code === 'quote-rejected')).toBe(true)
  })

  it.each([['Bad Name'], ['']])('refuses the name %j', (name) => {
    expect(() => defineStrategy({ name, version: 1, run: async () => ({}) })).toThrow(TypeError)
  })
})
