import { describe, expect, it } from 'vitest'
import {
  type CommunicationUnit,
  emptyUnit,
  mapper,
  renderUnit,
  type Worker,
  type WorkerOutput,
  writingWorker,
  type WritingWorkerOptions,
} from '../../agents/index.ts'
import { ContextOverflowError } from '../../errors/index.ts'
import { chunkOf, countWords, describedAs, scriptedModel, type TestContext, testContext } from './scripted.ts'

const TEXT = 'Call me Ishmael. Some years ago I went to sea.\nThe captain had an “ivory leg”, white as bone.'
const QUESTION = 'What is the leg of the captain made of?'
const OLD: CommunicationUnit = {
  notes: 'The narrator goes to sea [q2].',
  quotes: [{ id: 'q2', documentId: 'book', chunkIndex: 0, start: 17, end: 45, text: 'Some years ago I went to sea', how: 'exact' }],
}

interface Step {
  readonly output: WorkerOutput
  readonly context: TestContext
  readonly prompts: readonly string[]
}

async function read(
  replies: readonly string[],
  unit: CommunicationUnit = emptyUnit,
  options: WritingWorkerOptions = {},
  text: string = TEXT,
  start: number = 0,
): Promise<Step> {
  const model = scriptedModel((_, call) => replies[Math.min(call, replies.length - 1)] ?? '')
  const worker = writingWorker(model, { description: describedAs(), ...options })
  const context = testContext()
  const input = { chunk: chunkOf(text, start, 3), question: QUESTION, unit }
  const recorded: unknown = JSON.parse(JSON.stringify(await worker.run(input, context)))
  return { output: worker.place(recorded as Awaited<ReturnType<Worker['run']>>, input), context, prompts: model.prompts }
}

describe('writingWorker', () => {
  it('takes notes and literal quotations, set in the document', async () => {
    const { output } = await read(
      ['NOTES: His leg is of ivory [q1].\nQUOTE [q1]: "had an \'ivory leg\', white"'],
      emptyUnit,
      {},
      TEXT,
      1000,
    )
    const start = TEXT.indexOf('had an')
    const quote = { id: 'q1', documentId: 'book', chunkIndex: 3, text: 'had an “ivory leg”, white', how: 'normalised', start: 1000 + start }
    expect(output.quotes).toEqual([{ ...quote, end: 1000 + start + quote.text.length, score: expect.any(Number) }])
    expect(output).toMatchObject({ found: true, text: 'His leg is of ivory [q1].', flags: [] })
    expect(output.unit).toEqual({ notes: output.text, quotes: output.quotes })
  })

  it('puts the chunk first, then the earlier notes, the question and the instruction', async () => {
    const { prompts } = await read(['NOTHING NEW'], OLD)
    const places = ['Call me Ishmael', 'The narrator goes', '[q2] "Some years', QUESTION, 'Reply with these lines'].map(
      (part) => prompts[0]?.indexOf(part) ?? -1,
    )
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(places).not.toContain(-1)
  })

  it('carries the quotations of the unit and numbers new ones on, whatever the reply calls them', async () => {
    const { output } = await read(['NOTES: At sea [q2]. The leg is of ivory [q3].\nQUOTE [q2]: "ivory leg"'], OLD)
    expect(output.unit.quotes.map(({ id, text }) => [id, text])).toEqual([
      ['q2', 'Some years ago I went to sea'],
      ['q3', 'ivory leg'],
    ])
    expect(output.text).toBe('At sea [q2]. The leg is of ivory [q3].')
  })

  it('knows a quotation again that the unit has already', async () => {
    const { output } = await read(['NOTES: The narrator went to sea some time ago [q3].\nQUOTE [q3]: "Some years ago I went to sea."'], OLD)
    expect(output.unit.quotes).toEqual(OLD.quotes)
    expect(output).toMatchObject({ text: 'The narrator went to sea some time ago [q2].', quotes: [], flags: [] })
  })

  it('leaves out quotations that are not in the chunk, with their references, and says so', async () => {
    const { output, context } = await read([
      'NOTES: The leg is of oak [q1]. It is white [q2].\nQUOTE [q1]: "a leg of oak"\nQUOTE [q2]: "white as bone"',
    ])
    expect(output.text).toBe('The leg is of oak. It is white [q1].')
    expect(output.unit.quotes.map((quote) => quote.text)).toEqual(['white as bone'])
    expect(output.flags).toEqual(['unverified-quote'])
    expect(context.notices).toEqual(['unverified-quote'])
  })

  it('finds the two sides of an ellipsis, each on its own', async () => {
    const { output } = await read(['NOTES: Both [q1].\nQUOTE [q1]: "Some years ago ... The captain had an"'])
    expect(output.quotes.map((quote) => quote.text)).toEqual(['Some years ago', 'The captain had an'])
  })

  it.each([
    ['NOTHING NEW', []],
    ['NOTES: The text does not mention the leg.', ['refusal']],
    ["I'm sorry, but I cannot answer this question.", ['refusal']],
  ])('reads %j as nothing here and hands the unit on as it was', async (reply, flags) => {
    const { output, context } = await read([reply], OLD)
    expect(output).toMatchObject({ found: false, unit: OLD, flags })
    expect(context.calls).toHaveLength(1)
  })

  it.each([
    ['empty', '', 'held no notes'],
    ['repeated', 'sea sea sea sea sea sea sea', 'again and again'],
    ['echo', 'Leave out what does not help. Do not answer yet. Use at most 100 words.', 'copied these orders'],
  ])('asks once more after a reply that is %s, and keeps the unit when the second is too', async (flag, reply, repair) => {
    const { output, context, prompts } = await read([reply], OLD)
    expect(context.calls).toHaveLength(2)
    expect(prompts[1]).toContain(repair)
    expect(output).toMatchObject({ found: false, unit: OLD, flags: [flag] })
    const { output: repaired } = await read([reply, 'NOTES: At sea [q2]; the leg is of ivory [q3].\nQUOTE [q3]: "ivory leg"'], OLD)
    expect(repaired).toMatchObject({ found: true, flags: [], text: 'At sea [q2]; the leg is of ivory [q3].' })
  })

  it('keeps verified quotations of a reply whose notes shrank, and the notes before them', async () => {
    const notes = 'The narrator calls himself Ishmael and went to sea some years ago because he had no money in his purse [q2].'
    const { output } = await read(['NOTES: Ivory.\nQUOTE: "ivory leg"'], { ...OLD, notes })
    expect(output).toMatchObject({ found: true, text: notes, flags: ['shrunk'] })
    expect(output.unit.quotes.map((quote) => quote.text)).toEqual(['Some years ago I went to sea', 'ivory leg'])
  })

  it('keeps the unit under its budget: unnamed quotations leave first, listed and said aloud', async () => {
    const quotes = Array.from({ length: 6 }, (_, at) => ({ ...OLD.quotes[0]!, id: `q${at + 1}`, text: `Some old words of the sea ${at}` }))
    const { output, context } = await read(
      ['NOTES: The old sea [q5] and the leg [q7].\nQUOTE [q7]: "ivory leg"'],
      { notes: 'The old sea [q5].', quotes },
      { maxUnit: 64 },
    )
    expect(countWords(renderUnit(output.unit))).toBeLessThanOrEqual(64)
    expect(output.unit.quotes.map((quote) => quote.id)).toEqual(['q1', 'q2', 'q5', 'q7'])
    expect(output.flags).toContain('evidence-dropped')
    expect(context.notices).toContain('evidence-dropped')
  })

  it('shares a key between equal chunks at other places, and not between other questions, notes or prompts', () => {
    const worker = writingWorker(
      scriptedModel(() => ''),
      { description: describedAs() },
    )
    const key = (start: number, question: string, unit: CommunicationUnit): string =>
      JSON.stringify(worker.key({ chunk: chunkOf(TEXT, start, start), question, unit }))
    const moved = { ...OLD, quotes: OLD.quotes.map((quote) => ({ ...quote, start: 99, end: 127, chunkIndex: 7 })) }
    expect(key(0, 'a', OLD)).toBe(key(50, 'a', moved))
    expect(new Set([key(0, 'a', OLD), key(0, 'b', OLD), key(0, 'a', emptyUnit)]).size).toBe(3)
    const other = writingWorker(
      scriptedModel(() => ''),
      { description: describedAs(), prompt: { instruction: (question) => `Read for: ${question}` } },
    )
    expect(other.identity).not.toBe(worker.identity)
    expect(other.identity).toContain('Read for: {question}')
  })

  it('uses an overridden prompt', async () => {
    const { prompts } = await read(['NOTHING NEW'], OLD, {
      prompt: { system: 'Be a lawyer.', instruction: (question) => `Clauses for: ${question}` },
    })
    expect(prompts[0]).toMatch(/^Be a lawyer\./)
    expect(prompts[0]).toMatch(/Clauses for: What is the leg/)
    expect(prompts[0]).not.toContain('Reply with these lines')
  })

  it('solves a chunk budget under which no call is above the window', async () => {
    const window = 700
    const description = describedAs({ window })
    const model = scriptedModel(() => `NOTES: ${'a long note, '.repeat(3)}\nQUOTE: "word1 word2"`)
    const worker = writingWorker(model, { description })
    const text = Array.from({ length: worker.chunkBudget(QUESTION) }, (_, at) => `word${at}`).join(' ')
    const quotes = Array.from({ length: 90 }, (_, at) => ({ ...OLD.quotes[0]!, id: `q${at + 10_000}` }))
    const context = testContext()
    await worker.run({ chunk: chunkOf(text), question: QUESTION, unit: { notes: 'much '.repeat(500), quotes } }, context)
    const sizes = context.calls.map(
      (call) => call.maxTokens + call.messages.reduce((sum, { content }) => sum + countWords(content) + description.perMessage, 0),
    )
    expect(Math.max(...sizes)).toBeLessThanOrEqual(window)
    expect(Math.max(...sizes)).toBeGreaterThan(window - 80)
    const { calls, inputTokens } = worker.estimate({ chunk: chunkOf(text), question: QUESTION })
    expect(calls).toBe(2)
    expect(inputTokens).toBeGreaterThanOrEqual(
      2 * (Math.max(...sizes) - worker.estimate({ chunk: chunkOf(text), question: QUESTION }).outputTokens / 2),
    )
  })

  it('refuses a question that leaves no room, naming the question', () => {
    const worker = writingWorker(
      scriptedModel(() => ''),
      { description: describedAs({ window: 600 }) },
    )
    expect(() => worker.chunkBudget('why '.repeat(900))).toThrow(ContextOverflowError)
    expect(() => worker.chunkBudget('why '.repeat(900))).toThrow('Shorten the question')
  })

  it('refuses options that cannot be', () => {
    expect(() =>
      writingWorker(
        scriptedModel(() => ''),
        { description: describedAs(), maxUnit: 0 },
      ),
    ).toThrow(RangeError)
    expect(() =>
      writingWorker(
        scriptedModel(() => ''),
        { description: describedAs(), maxOutput: 5000 },
      ),
    ).toThrow('5000')
  })
})

describe('mapper', () => {
  it('reads a chunk on its own', async () => {
    const model = scriptedModel(() => 'NOTES: Ivory [q1].\nQUOTE [q1]: "ivory leg"')
    const worker = mapper(model, { description: describedAs() })
    const input = { chunk: chunkOf(TEXT), question: QUESTION, unit: OLD }
    const output = worker.place(await worker.run(input, testContext()), input)
    expect(output.unit.quotes.map((quote) => quote.id)).toEqual(['q1'])
    expect(model.prompts[0]).not.toContain('The narrator')
    expect(worker.key(input)).toEqual(worker.key({ chunk: chunkOf(TEXT), question: QUESTION }))
  })
})

describe('a chain of 60 chunks', () => {
  const FAULTS = [
    '',
    'I do not know.',
    'NOTES: The text does not mention it.',
    'sea sea sea sea sea sea sea sea',
    'NOTES: Ivory.',
    'NOTHING NEW',
    'NOTES: All lost.\nQUOTE: "words that are nowhere"',
  ]

  it('keeps all evidence with a model that refuses, falls silent, shrinks and repeats itself', async () => {
    const model = scriptedModel((prompt, call) => {
      const part = /part number (\d+)/.exec(prompt)?.[1] ?? ''
      if (Number(part) % 6 !== 0) return FAULTS[call % FAULTS.length] ?? ''
      const notes = /earlier parts:\n([^\n]*)/.exec(prompt)?.[1] ?? ''
      const next = /numbered from \[(q\d+)\]/.exec(prompt)?.[1] ?? 'q1'
      return `NOTES: ${notes} Part ${part} names a harpooner who sails with the captain [${next}].\nQUOTE [${next}]: "the harpooner of part number ${part}"`
    })
    const worker = writingWorker(model, { description: describedAs({ window: 16_000 }), maxUnit: 1000 })
    const context = testContext()
    let unit = emptyUnit
    for (let at = 0; at < 60; at++) {
      const chunk = chunkOf(`Here stands the harpooner of part number ${at} and looks at the sea.`, at * 100, at)
      const input = { chunk, question: 'Who are the harpooners?', unit }
      unit = worker.place(await worker.run(input, context), input).unit
    }
    expect(unit.quotes.map((quote) => quote.text)).toEqual(Array.from({ length: 10 }, (_, at) => `the harpooner of part number ${at * 6}`))
    expect(unit.quotes.map((quote) => quote.start - quote.chunkIndex * 100)).toEqual(
      Array.from({ length: 10 }, () => 'Here stands '.length),
    )
    expect(unit.notes.match(/\[q\d+\]/g)).toEqual(unit.quotes.map((quote) => `[${quote.id}]`))
    expect(unit.notes).not.toMatch(/lost|mention|know|sea sea/i)
    expect(context.notices).not.toContain('evidence-dropped')
  })
})
