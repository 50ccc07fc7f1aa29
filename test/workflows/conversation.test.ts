import { describe, expect, it } from 'vitest'
import { turnSummary } from '../../agents/index.ts'
import { ContextOverflowError, ModelError, StoreError } from '../../errors/index.ts'
import { createMemoryStore, type MemoryStore } from '../../memory/index.ts'
import { scriptedEmbedder, scriptedModel, type ScriptedModel } from '../../testing/index.ts'
import {
  type Conversation,
  type ConversationOptions,
  createMemoryJournal,
  importConversation,
  openConversation,
  type Run,
  type RunEvent,
  scmController,
  slidingWindow,
} from '../../workflows/index.ts'

const threadId = 'chat'

/** Says the number of its call, and remembers its prompts. */
const parrot = (options: Parameters<typeof scriptedModel>[0] = {}): ScriptedModel =>
  scriptedModel({ fallback: ({ number }) => `Reply ${number}.`, ...options })

let clock = 0
const now = (): number => ++clock

async function open(options: Partial<ConversationOptions> = {}): Promise<Conversation & { readonly memory: MemoryStore }> {
  const memory = options.memory ?? createMemoryStore()
  const conversation = await openConversation({ memory, threadId, model: parrot(), now, ...options })
  return Object.assign(conversation, { memory })
}

async function say(conversation: Conversation, ...texts: readonly string[]): Promise<string[]> {
  const replies: string[] = []
  for (const text of texts) replies.push((await conversation.send(text).result).text)
  return replies
}

async function collect(run: Run): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of run) events.push(event)
  return events
}

const textsOf = async (conversation: Conversation): Promise<string[]> => (await conversation.turns()).map(({ text }) => text)
const linesOf = async (conversation: Conversation): Promise<string[]> => {
  const lines: string[] = []
  for await (const line of conversation.export()) lines.push(line)
  return lines
}

describe('send', () => {
  it('stores the message before the model is called and the reply after', async () => {
    const memory = createMemoryStore()
    const seen: number[] = []
    const model = parrot({ fallback: 'Hello.', latency: 0 })
    const watching = Object.assign(Object.create(model) as ScriptedModel, {
      async stream(...call: Parameters<ScriptedModel['stream']>) {
        seen.push(await memory.count('default'))
        return model.stream(...call)
      },
    })
    const conversation = await open({ memory, model: watching })
    expect(await say(conversation, 'Good morning.')).toEqual(['Hello.'])
    expect(seen).toEqual([1])
    expect((await conversation.turns()).map(({ role, text, index }) => [role, text, index])).toEqual([
      ['user', 'Good morning.', 0],
      ['assistant', 'Hello.', 1],
    ])
  })

  it('shows the model what came back, and tells of it with its reasons', async () => {
    const model = parrot()
    const conversation = await open({ model })
    await say(conversation, 'The captain is called Ahab.', 'The tea is cold.', 'The bread is stale.')
    const events = await collect(conversation.send('What is the captain called?'))
    const selected = events.find((event) => event.type === 'memory.selected')
    expect(selected?.items.map(({ form, why, text }) => [form, why, text])).toContainEqual([
      'raw',
      expect.stringMatching(/nearest turn 1/),
      'The captain is called Ahab.',
    ])
    expect(selected?.tokens).toBeLessThanOrEqual(selected?.budget ?? 0)
    const prompt = model.calls.at(-1)?.prompt ?? ''
    expect(prompt).toContain('[1970-01-01] User: The captain is called Ahab.')
    expect(prompt.indexOf('Ahab')).toBeLessThan(prompt.indexOf('stale'))
    expect(prompt.match(/What is the captain called\?/g)).toHaveLength(1)
  })

  it('streams the reply, and its events agree with its answer', async () => {
    const conversation = await open({ model: parrot({ fallback: 'A reply of several words.' }) })
    const events = await collect(conversation.send('Hello.'))
    expect(events.flatMap((event) => (event.type === 'answer.delta' ? [event.text] : [])).join('')).toBe('A reply of several words.')
    expect(events.at(-1)).toMatchObject({ type: 'run.finished', answer: { status: 'answered', text: 'A reply of several words.' } })
  })

  it('never stores what came back as a turn', async () => {
    const conversation = await open()
    await say(conversation, 'The captain is called Ahab.', 'And who is the captain?', 'Who is Ahab?')
    expect(await textsOf(conversation)).toEqual([
      'The captain is called Ahab.',
      'Reply 1.',
      'And who is the captain?',
      'Reply 2.',
      'Who is Ahab?',
      'Reply 3.',
    ])
  })

  it('never sends a prompt above the budget over 150 exchanges, and always the newest message', async () => {
    const model = parrot({ fallback: ({ number }) => `Reply ${number}: ${'so it goes on '.repeat(number % 9)}` })
    const conversation = await open({ model, budget: 120, system: 'You chat.' })
    for (let at = 0; at < 150; at++) await say(conversation, `Message ${at} about ${'whales and tea '.repeat(at % 7)}`)
    expect(model.calls).toHaveLength(150)
    for (const [at, { promptTokens, prompt }] of model.calls.entries()) {
      expect(promptTokens).toBeLessThanOrEqual(120)
      expect(prompt).toContain(`Message ${at} about`)
    }
  })

  it('fails with the parts named where the message alone is above the budget, and keeps the message', async () => {
    const conversation = await open({ budget: 20, system: '' })
    await expect(conversation.send('word '.repeat(100)).result).rejects.toThrow(ContextOverflowError)
    expect(await conversation.turns()).toHaveLength(1)
  })

  it('keeps the message where the model fails, and goes on after it', async () => {
    let fails = true
    const model = parrot({
      fallback: () => {
        if (fails) throw Object.assign(new Error('401 Incorrect key'), { status: 401 })
        return 'I am back.'
      },
    })
    const conversation = await open({ model })
    await expect(conversation.send('Are you there?').result).rejects.toThrow(ModelError)
    fails = false
    expect(await say(conversation, 'And now?')).toEqual(['I am back.'])
    expect(await textsOf(conversation)).toEqual(['Are you there?', 'And now?', 'I am back.'])
    expect(model.calls.at(-1)?.prompt).toContain('User: Are you there?')
  })

  it('answers messages sent at once in their order', async () => {
    const conversation = await open()
    const runs = ['One.', 'Two.', 'Three.'].map((text) => conversation.send(text))
    expect((await Promise.all(runs.map(({ result }) => result))).map(({ text }) => text)).toEqual(['Reply 1.', 'Reply 2.', 'Reply 3.'])
    expect(await textsOf(conversation)).toEqual(['One.', 'Reply 1.', 'Two.', 'Reply 2.', 'Three.', 'Reply 3.'])
  })

  it('lets a waiting message be cancelled without losing its place to the next', async () => {
    const conversation = await open()
    const [first, second, third] = ['One.', 'Two.', 'Three.'].map((text) => conversation.send(text)) as [Run, Run, Run]
    for await (const event of second) if (event.type === 'plan.ready') second.cancel()
    expect((await second.result).status).toBe('stopped')
    expect((await first.result).text).toBe('Reply 1.')
    expect((await third.result).text).toBe('Reply 2.')
    expect(await textsOf(conversation)).toEqual(['One.', 'Reply 1.', 'Three.', 'Reply 2.'])
  })

  it('gives the known reply where a message of the same id is sent again', async () => {
    const model = parrot()
    const conversation = await open({ model })
    const first = await conversation.send('Hello.', { id: 'm1' }).result
    const again = await conversation.send('Hello.', { id: 'm1' }).result
    expect([first.text, again.text]).toEqual(['Reply 1.', 'Reply 1.'])
    expect(model.calls).toHaveLength(1)
    expect(await conversation.turns()).toHaveLength(2)
  })

  it('asks anew where the same words are said twice', async () => {
    const conversation = await open()
    expect(await say(conversation, 'Hello.')).toEqual(['Reply 1.'])
    await conversation.rollBack(0)
    expect(await say(conversation, 'Hello.')).toEqual(['Reply 2.'])
  })

  it('takes a run up again that a limit stopped', async () => {
    const journal = createMemoryJournal()
    const conversation = await open({ journal })
    const stopped = conversation.send('Hello.', { limits: { calls: 0 } })
    expect((await stopped.result).status).toBe('stopped')
    expect((await conversation.send('Hello.', { resume: stopped.id }).result).text).toBe('Reply 1.')
    expect(await textsOf(conversation)).toEqual(['Hello.', 'Reply 1.'])
  })

  it('records its steps under the thread, so that they can be erased with it', async () => {
    const journal = createMemoryJournal()
    const conversation = await open({ journal, scope: 'ada' })
    const run = conversation.send('Hello.')
    await run.result
    expect((await journal.listSteps(run.id)).map(({ scope, documentIds }) => [scope, documentIds])).toEqual([['ada', [threadId]]])
  })

  it.each(['', '  \n'])('refuses an empty message: %j', async (text) => {
    const conversation = await open()
    expect(() => conversation.send(text)).toThrow(TypeError)
  })

  it('takes NUL bytes and lone surrogates, and keeps them', async () => {
    const conversation = await open()
    await say(conversation, 'a\u0000b \ud800 c')
    expect((await conversation.turns())[0]?.text).toBe('a\u0000b \ud800 c')
  })
})

describe('what is derived', () => {
  const summarising = (answer: string | (() => string)): ReturnType<typeof turnSummary> =>
    turnSummary(scriptedModel({ fallback: answer }), { shortest: 10 })
  const story = `Once upon a time ${'there was a whale that swam and swam. '.repeat(8)}The captain is called Ahab.`

  it('comes after the reply: a summary of long turns, a vector of each', async () => {
    const embedder = scriptedEmbedder()
    const conversation = await open({ embedder, summary: summarising('The captain is called Ahab.') })
    await say(conversation, story)
    await conversation.idle()
    const [user, assistant] = await conversation.turns()
    expect(user).toMatchObject({ text: story, summary: 'The captain is called Ahab.' })
    expect(user?.vector).toHaveLength(embedder.dimensions)
    expect(assistant?.summary).toBeUndefined()
    expect(assistant?.vector).toHaveLength(embedder.dimensions)
  })

  it.each<[string, string | (() => string)]>([
    ['is empty', ''],
    ['refuses', 'I cannot help with that.'],
    [
      'gives the prompt back',
      'Write in one or two sentences what this turn says. Keep names, numbers, dates, decisions, wishes and what is denied.',
    ],
    ['is longer than the turn', story.repeat(2)],
    ['is written in another script', '船长名叫亚哈。他追赶白鲸。'],
    [
      'fails',
      () => {
        throw Object.assign(new Error('400 bad request'), { status: 400 })
      },
    ],
  ])('leaves the turn as it is where its summary %s', async (_, answer) => {
    const conversation = await open({ summary: summarising(answer) })
    expect(await say(conversation, story)).toEqual(['Reply 1.'])
    await conversation.idle()
    const [user] = await conversation.turns()
    expect(user?.text).toBe(story)
    expect(user?.summary).toBeUndefined()
  })

  it('is made at the next opening where the embedder failed', async () => {
    const memory = createMemoryStore()
    const embedder = scriptedEmbedder()
    const broken = { ...embedder, embed: () => Promise.reject(new Error('no vectors today')) }
    const first = await open({ memory, embedder: broken, controller: (options) => slidingWindow(options) })
    await say(first, 'The captain is called Ahab.')
    await first.idle()
    expect((await first.turns())[0]?.vector).toBeUndefined()
    const second = await open({ memory, embedder })
    await second.idle()
    expect((await second.turns()).every(({ vector }) => vector !== undefined)).toBe(true)
  })

  it('counts what was recalled', async () => {
    const conversation = await open()
    await say(conversation, 'The captain is called Ahab.', 'And the captain?')
    await conversation.idle()
    const [user] = await conversation.turns()
    expect((await conversation.memory.use('default', user?.id ?? ''))?.accesses).toBe(1)
  })
})

describe('a conversation', () => {
  it('is taken up again by whoever opens its thread, and no other scope sees it', async () => {
    const memory = createMemoryStore()
    await say(await open({ memory, scope: 'ada' }), 'The captain is called Ahab.')
    const model = parrot()
    await say(await open({ memory, scope: 'ada', model }), 'Who is the captain?')
    expect(model.calls[0]?.prompt).toContain('Ahab')
    const other = parrot()
    await say(await open({ memory, scope: 'bob', model: other }), 'Who is the captain?')
    expect(other.calls[0]?.prompt).not.toContain('Ahab')
  })

  it('is rolled back to a turn', async () => {
    const conversation = await open()
    await say(conversation, 'One.', 'Two.', 'Three.')
    expect(await conversation.rollBack(2)).toBe(4)
    expect(await textsOf(conversation)).toEqual(['One.', 'Reply 1.'])
    await say(conversation, 'Two again.')
    expect((await conversation.turns()).map(({ index }) => index)).toEqual([0, 1, 2, 3])
    await expect(conversation.rollBack(-1)).rejects.toThrow(RangeError)
  })

  it('is forked to a new thread, which goes its own way', async () => {
    const conversation = await open()
    await say(conversation, 'One.', 'Two.')
    const fork = await conversation.fork('other', { until: 2 })
    await say(fork, 'Another two.')
    expect((await textsOf(fork)).filter((_, at) => at % 2 === 0)).toEqual(['One.', 'Another two.'])
    expect((await textsOf(conversation)).filter((_, at) => at % 2 === 0)).toEqual(['One.', 'Two.'])
    await expect(conversation.fork('other')).rejects.toThrow(StoreError)
  })

  it('is exported and imported without loss', async () => {
    const conversation = await open({ summary: turnSummary(scriptedModel({ fallback: 'A whale.' }), { shortest: 5 }) })
    await say(conversation, 'a white whale \ud800 that swims and swims', 'One.')
    await conversation.idle()
    const lines = await linesOf(conversation)
    expect(lines[0]).toBe(JSON.stringify({ format: 'scriptorium-conversation', version: 1, threadId }))
    const copy = await importConversation(lines, { memory: createMemoryStore(), threadId: 'copy', model: parrot() })
    const bare = async (one: Conversation): Promise<unknown> =>
      (await one.turns()).map((turn) => Object.assign({}, turn, { documentId: '', scope: '' }))
    expect(await bare(copy)).toEqual(await bare(conversation))
    expect((await linesOf(copy)).slice(1)).toEqual(lines.slice(1))
  })

  it.each([
    ['a first line of another format', ['{"format":"chat"}'], 'format: chat'],
    ['a version from the future', ['{"format":"scriptorium-conversation","version":2}'], 'newer than 1: 2'],
    ['a line that is no JSON', ['{"format":"scriptorium-conversation","version":1}', '', '{'], 'line 3'],
    ['a line that is no turn', ['{"format":"scriptorium-conversation","version":1}', '{"id":"a","text":1,"role":"user"}'], 'line 2'],
    ['no line', [], 'missing'],
  ])('refuses to import %s, and changes nothing', async (_, lines, message) => {
    const memory = createMemoryStore()
    const importing = importConversation(lines, { memory, threadId, model: parrot() })
    await expect(importing).rejects.toThrow(StoreError)
    await expect(importing).rejects.toThrow(message)
    expect(await memory.count('default')).toBe(0)
  })

  it('goes on with another model', async () => {
    const conversation = await open()
    await say(conversation, 'The captain is called Ahab.')
    const other = parrot({ id: 'other', fallback: 'I am another.', count: (text) => text.length, window: 4_000, maxOutput: 200 })
    conversation.use(other)
    expect(await say(conversation, 'Who is the captain?')).toEqual(['I am another.'])
    expect(other.calls[0]?.prompt).toContain('Ahab')
    expect(() => conversation.use({ invoke: other.invoke, stream: other.stream })).toThrow(TypeError)
  })

  it('selects with the controller that it is given', async () => {
    const model = parrot()
    const conversation = await open({ model, controller: (options) => scmController({ ...options, without: ['flash', 'activation'] }) })
    await say(conversation, 'The captain is called Ahab.', 'Who is the captain?')
    expect(model.calls[1]?.prompt).not.toContain('Ahab')
  })
})
