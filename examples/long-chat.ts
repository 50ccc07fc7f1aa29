/**
 * A chat of a thousand turns that behaves as if it fitted into a small window, offline: for each message the turns that come back, and why.
 * The bundled embedder finds them; the model that answers here only repeats what it was shown, so that the memory is what is seen at work.
 *
 * npx tsx examples/long-chat.ts
 */
import { mkdir, rm } from 'node:fs/promises'
import { openConversation, openLocalEmbedder, openMemory, type RunEvent } from 'scriptorium'
import { scriptedModel } from 'scriptorium/testing'

const BUDGET = 300
const folder = process.env['SCRIPTORIUM_HOME'] ?? '.scriptorium'
const path = `${folder}/long-chat.db`
await mkdir(folder, { recursive: true })
for (const end of ['', '-wal', '-shm']) await rm(path + end, { force: true })

const embedder = await openLocalEmbedder()
await using memory = await openMemory(path, { embedderId: embedder.id, dimensions: embedder.dimensions })

/** What was said long ago, among a thousand turns of small talk. */
const said: Readonly<Record<number, string>> = {
  40: 'My sister Clara moved to Lisbon last spring, she teaches the cello there.',
  300: 'I am allergic to walnuts, so please never suggest a recipe with them.',
  520: 'The alarm code of the summer house is 4711.',
  900: 'Small change: the alarm code of the summer house is 8152 from now on.',
}
const topics = [
  'the weather',
  'the football match',
  'a new bicycle',
  'the garden',
  'an old film',
  'the train to work',
  'chess',
  'the neighbours',
]
const turns = Array.from({ length: 1_000 }, (_, at) => {
  const topic = topics[(at * 7) % topics.length] as string
  const text = said[at] ?? (at % 2 === 0 ? `Let us talk about ${topic} again (${at}).` : `Gladly, tell me more about ${topic}.`)
  return {
    id: `turn-${at}`,
    kind: 'turn' as const,
    role: at % 2 === 0 ? ('user' as const) : ('assistant' as const),
    text,
    createdAt: at * 3_600_000,
  }
})
await memory.append('me', 'chat', turns)

const model = scriptedModel({ fallback: ({ prompt }) => `I was shown ${prompt.match(/^\[/gm)?.length ?? 0} earlier turns.`, window: 4_096 })
const conversation = await openConversation({ memory, scope: 'me', threadId: 'chat', model, embedder, budget: BUDGET })
console.log(`embedding ${turns.length} turns ...`)
await conversation.idle()

for (const question of ['What is the alarm code of the summer house?', 'Where does my sister live?', 'Could I eat a walnut cake?']) {
  console.log(`\n> ${question}`)
  const run = conversation.send(question)
  for await (const event of run) show(event)
  console.log(`  ${(await run.result).text}`)
}
await conversation.idle()

function show(event: RunEvent): void {
  if (event.type !== 'memory.selected') return
  console.log(`  ${event.tokens} of ${event.budget} tokens`)
  for (const { form, score, why, record } of event.items) {
    if (form !== 'dropped')
      console.log(`  ${form.padEnd(7)} turn ${String(record.index).padStart(4)}  ${score.toFixed(2)}  ${why}: ${record.text.slice(0, 70)}`)
  }
  console.log(`  left out: ${event.items.filter(({ form }) => form === 'dropped').length}`)
}
