/**
 * An agent of LangChain with a memory, offline: five hundred turns lie behind it, and each call of the bundled model sees the newest message and 200 tokens of
 * what matters of them. Another user of the same agent sees none of it.
 *
 * npx tsx examples/agent-memory.ts
 */
import { createAgent } from 'langchain'
import { openLocalEmbedder } from 'scriptorium'
import { LocalChatModel, scmMiddleware } from 'scriptorium/langchain'
import { createMemoryStore } from 'scriptorium/memory'

const embedder = await openLocalEmbedder()
const memory = createMemoryStore({ embedderId: embedder.id, dimensions: embedder.dimensions })

/** What was said long ago, among small talk. */
const said: Readonly<Record<number, string>> = {
  20: 'My ship is called Pequod and lies in Nantucket.',
  150: 'Our cook Fleece makes the best chowder.',
  310: 'The Pequod has moved: from now on she lies in New Bedford.',
}
const topics = ['the weather', 'the price of oil', 'a new harpoon', 'the tide', 'an old chart', 'the inn', 'chess', 'the neighbours']
const turns = Array.from({ length: 500 }, (_, at) => ({
  id: `turn-${at}`,
  kind: 'turn' as const,
  role: at % 2 === 0 ? ('user' as const) : ('assistant' as const),
  text: said[at] ?? `${at % 2 === 0 ? 'What about' : 'I like to talk about'} ${topics[(at * 7) % topics.length]}?`,
  createdAt: at * 3_600_000,
}))
const vectors = await embedder.embed(turns.map(({ text }) => text))
await memory.append(
  'ishmael',
  'voyage',
  turns.map((turn, at) => Object.assign(turn, { vector: vectors[at] as Float32Array })),
)

await using model = await LocalChatModel.open({ maxTokens: 40 })
const agent = createAgent({
  model,
  tools: [],
  systemPrompt: 'You answer in one short sentence.',
  middleware: [
    scmMiddleware({
      memory,
      embedder,
      budget: 200,
      onSelection({ items }, { user }) {
        const kept = items.filter(({ form }) => form !== 'dropped')
        console.log(`  ${kept.length} turns came back for ${user}`)
        for (const { record, score, why } of kept.toSorted((a, b) => b.score - a.score).slice(0, 3))
          console.log(`    turn ${record.index}: ${record.text} (${score.toFixed(2)}, ${why})`)
      },
    }),
  ],
})

for (const user of ['ishmael', 'queequeg']) {
  const question = 'Where does the Pequod lie now?'
  console.log(`${user}: ${question}`)
  const { messages } = await agent.invoke(
    { messages: [{ role: 'user', content: question }] },
    { context: { scope: { user, thread: 'voyage' } } },
  )
  console.log(`  agent: ${messages.at(-1)?.text.replace(/\s+/g, ' ')}`)
}
