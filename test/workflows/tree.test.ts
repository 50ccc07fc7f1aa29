import { describe, expect, it } from 'vitest'
import { writingManager } from '../../agents/index.ts'
import { createDocument, type Document } from '../../chunkers/index.ts'
import { ModelError } from '../../errors/index.ts'
import { scriptedEmbedder, scriptedModel, type ScriptedModel, type ScriptedModelOptions } from '../../testing/index.ts'
import { type Answer, type AnswerTree, ask, createMemoryJournal, tree, type TreeNode, type TreeOptions } from '../../workflows/index.ts'
import { collect } from './story.ts'

const question = 'Which crates are aboard?'
const names = ['almonds', 'brandy', 'candles', 'dates', 'ebony', 'figs', 'garnets', 'honey', 'ivory', 'jasmine', 'kelp', 'linen']

/** What a leaf notes beside the crate, so that merged notes are shorter. */
const asSeen = 'as the mate saw with his own eyes in the hold, under a red seal and with a rope around it, beside the water casks'

/** A text with a crate in every fortieth sentence. */
const document: Document = createDocument({
  text: Array.from({ length: names.length * 40 }, (_, place) =>
    place % 40 === 20 ? `A crate of ${names[Math.floor(place / 40)]} is aboard.` : `On day ${place} the crew mended sails.`,
  ).join('\n'),
  name: 'manifest.txt',
  sections: [],
})

/** Lists the crates that it reads: leaves quote them, merges keep the references, the manager counts. */
function lister(options: Partial<ScriptedModelOptions> = {}): ScriptedModel {
  return scriptedModel({
    rules: [
      { when: 'NOTES: the merged notes', answer: ({ prompt }) => `NOTES: ${listed(prompt)}` },
      {
        when: 'NOTHING NEW',
        answer({ prompt }) {
          const found = [...prompt.matchAll(/A crate of (\w+) is aboard\./g)]
          const notes = found.map(([, name], place) => `crate of ${name} [q${place + 1}], ${asSeen}`).join('; ')
          return found.length === 0 ? 'NOTHING NEW' : [`NOTES: ${notes}`, ...found.map(([text]) => `QUOTE: "${text}"`)].join('\n')
        },
      },
    ],
    fallback: ({ prompt }) => `There are ${new Set(listed(prompt).match(/crate of \w+/g)).size}: ${listed(prompt)}`,
    window: 2_400,
    maxOutput: 400,
    ...options,
  })
}

function listed(prompt: string): string {
  return [...new Set(prompt.match(/crate of \w+ \[q\d+\]/g))].join('; ')
}

/** So that a leaf holds one crate, or none. */
const chunkTokens = 240

/** A manager with room for the merged notes, not for those of the leaves. */
const manager = writingManager(lister({ window: 640, maxOutput: 160 }))

async function run(options: TreeOptions): Promise<Answer & { tree: AnswerTree }> {
  const answer = await ask(document, question, { strategy: tree({ manager, maxUnit: 400, ...options }), chunkTokens }).result
  if (answer.tree === undefined) throw new Error('no tree')
  return { ...answer, tree: answer.tree }
}

/** Fails one chunk for good. */
function failingAt(sentence: string): Partial<ScriptedModelOptions> {
  return {
    latency({ prompt }) {
      if (prompt.includes(sentence)) throw new ModelError('no reply', { reason: 'empty', model: 'scripted' })
      return 0
    },
  }
}

const byId = ({ nodes }: AnswerTree): Map<string, TreeNode> => new Map(nodes.map((node) => [node.id, node]))

describe('tree()', () => {
  it.each<[string, TreeOptions]>([
    ['as many as fit', {}],
    ['pairs', { group: 2 }],
    ['threes', { group: 3 }],
    ['units of the same matter', { group: 'similar', embedder: scriptedEmbedder() }],
  ])('merges %s and loses nothing on the way', async (_, options) => {
    const answer = await run({ model: lister(), ...options })
    expect(answer.status).toBe('answered')
    expect(answer.text).toMatch(/^There are 12: /)
    expect(answer.citations.map(({ quote }) => quote).toSorted()).toEqual(names.map((name) => `A crate of ${name} is aboard.`))
    expect(answer.tree.nodes.some(({ level }) => level > 0)).toBe(true)
  })

  it('can be unfolded from the root to the words of the text', async () => {
    const { tree: grown } = await run({ model: lister(), group: 2 })
    const nodes = byId(grown)
    const seen = new Set<string>()
    const leaves: TreeNode[] = []
    const unfold = (id: string): void => {
      expect(seen.has(id)).toBe(false)
      seen.add(id)
      const node = nodes.get(id)
      if (node?.level === 0) leaves.push(node)
      for (const child of node?.children ?? []) unfold(child)
    }
    unfold(grown.root)
    expect(seen.size).toBe(grown.nodes.length)
    expect(leaves.map(({ span }) => span?.start).toSorted((a, b) => (a ?? 0) - (b ?? 0))[0]).toBe(0)
    for (const { quotes, span } of leaves) {
      for (const { text, start, end } of quotes) {
        expect(document.slice(start, end)).toBe(text)
        expect(start >= (span?.start ?? 0) && end <= (span?.end ?? 0)).toBe(true)
      }
    }
  })

  it('merges no more than its group asks for, and only neighbours', async () => {
    const { tree: grown } = await run({ model: lister(), group: 2 })
    const inner = grown.nodes.filter(({ id, level }) => level > 0 && id !== grown.root)
    expect(inner.length).toBeGreaterThan(2)
    for (const { children } of inner) expect(children).toHaveLength(2)
    const starts = grown.nodes.filter(({ level }) => level === 1).map(({ quotes }) => quotes.map(({ start }) => start))
    expect(starts.flat()).toEqual(starts.flat().toSorted((a, b) => a - b))
  })

  it('grows the same tree whatever the order in which the calls end', async () => {
    const slow = (seed: number): ScriptedModel => lister({ latency: ({ prompt }) => (prompt.length * seed) % 7 })
    const grown = await Promise.all([slow(0), slow(3), slow(5)].map((model) => run({ model, group: 2, concurrency: 8 })))
    expect(grown[1]?.tree).toEqual(grown[0]?.tree)
    expect(grown[2]?.tree).toEqual(grown[0]?.tree)
  })

  it('leaves a marked hole where a leaf fails for good', async () => {
    const answer = await run({ model: lister(failingAt('A crate of figs')) })
    expect(answer.status).toBe('partial')
    expect(answer.text).toMatch(/^There are 11: /)
    const marks = answer.tree.nodes.flatMap((node) => node.marks)
    expect(marks).toMatchObject([{ kind: 'gap', text: expect.stringContaining('no reply') as string }])
    const [hole] = marks.flatMap(({ spans }) => spans)
    expect(document.slice(hole?.start ?? 0, hole?.end ?? 0)).toContain('A crate of figs is aboard.')
  })

  it('fails where more leaves fail than it tolerates', async () => {
    const strategy = tree({ model: lister(failingAt('A crate of')), tolerance: 0.1 })
    await expect(ask(document, question, { strategy, chunkTokens }).result).rejects.toThrow(
      /chunks could not be read, more than the tolerance of 0\.1/,
    )
    const strict = tree({ model: lister(failingAt('A crate of figs')), tolerance: 0 })
    await expect(ask(document, question, { strategy: strict, chunkTokens }).result).rejects.toThrow(ModelError)
  })

  it('marks contradictions with the quotations they come from', async () => {
    const contradicting = lister({
      rules: [
        {
          when: 'NOTES: the merged notes',
          answer: ({ prompt }) => `NOTES: ${listed(prompt)}\nCONFLICT: the mate and the cook do not agree [q1] [q2]\nCONFLICT: none`,
        },
        {
          when: 'NOTHING NEW',
          answer({ prompt }) {
            const [text, name] = /A crate of (\w+) is aboard\./.exec(prompt) ?? []
            return text === undefined ? 'NOTHING NEW' : `NOTES: crate of ${name} [q1], ${asSeen}\nQUOTE: "${text}"`
          },
        },
      ],
    })
    const { tree: grown } = await run({ model: contradicting, group: 2 })
    const [mark] = grown.nodes.find(({ id }) => id === '1/0')?.marks ?? []
    expect(mark).toMatchObject({ kind: 'conflict', text: 'the mate and the cook do not agree [q1] [q2]' })
    expect(mark?.spans.map(({ start, end }) => document.slice(start, end))).toEqual([
      'A crate of almonds is aboard.',
      'A crate of brandy is aboard.',
    ])
  })

  it('stops queued leaves when it is cancelled', async () => {
    const model = lister({ latency: 20 })
    const running = ask(document, question, { strategy: tree({ model, concurrency: 2 }), chunkTokens })
    for await (const event of running) if (event.type === 'worker.finished') running.cancel()
    const answer = await running.result
    expect(answer.status).toBe('stopped')
    expect(model.calls.length).toBeLessThan(6)
  })

  it('goes on where it stopped without a repeated call', async () => {
    const journal = createMemoryJournal()
    const all = lister()
    await ask(document, question, { strategy: tree({ model: all, manager, maxUnit: 400, group: 2 }), chunkTokens }).result
    const first = lister()
    const stopped = await ask(document, question, {
      strategy: tree({ model: first, manager, maxUnit: 400, group: 2 }),
      chunkTokens,
      journal,
      limits: { calls: 9 },
    }).result
    expect(stopped.status).toBe('stopped')
    const second = lister()
    const answer = await ask(document, question, {
      strategy: tree({ model: second, manager, maxUnit: 400, group: 2 }),
      chunkTokens,
      journal,
    }).result
    expect(answer.text).toMatch(/^There are 12: /)
    expect(first.calls.length + second.calls.length).toBe(all.calls.length)
  })

  it('writes a summary where there is no question', async () => {
    const answer = await ask(document, undefined, { strategy: tree({ model: lister() }) }).result
    expect(answer.status).toBe('answered')
  })

  it('prices its leaves and its answer before a call', async () => {
    const model = lister()
    const events = await collect(ask(document, question, { strategy: tree({ model }) }))
    const ready = events.find(({ type }) => type === 'plan.ready')
    expect(ready).toMatchObject({ plan: { strategy: 'tree', criticalPath: expect.any(Number) as number } })
  })

  it.each<[TreeOptions, RegExp]>([
    [{ group: 1 }, /groups of 1/],
    [{ group: 2.5 }, /groups of 2\.5/],
    [{ tolerance: -0.1 }, /tolerance goes from 0 to 1: -0\.1/],
    [{ tolerance: Number.NaN }, /tolerance goes from 0 to 1: NaN/],
  ])('refuses %j', (options, message) => {
    expect(() => tree(options)).toThrow(message)
  })
})
