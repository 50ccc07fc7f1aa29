/**
 * Cuts one file with one chunker or one of LangChain's splitters, in a process of its own, so that peak memory is its own, and writes what it took as
 * one JSON line (`ChunkSpeedRun`). Before the clock starts the first 200,000 characters are cut, as code is compiled at first use.
 *
 * Arguments: the name of the system, what it counts in, the file.
 */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import {
  CharacterTextSplitter,
  MarkdownTextSplitter,
  RecursiveCharacterTextSplitter,
  type TextSplitter,
  TokenTextSplitter,
} from '@langchain/textsplitters'
import {
  type Chunker,
  contentDefined,
  contextual,
  createDocument,
  fixedTokens,
  mergeTiny,
  parentChild,
  recursive,
  sentencePacked,
  structural,
} from '../chunkers/index.ts'
import { openAICounter, openLocalModel } from '../models/index.ts'

/** What cutting a text took. */
export interface ChunkSpeedRun {
  readonly seconds: number
  /** Megabytes of the text in UTF-8. */
  readonly megabytes: number
  /** Megabytes of memory at the peak, beyond those with the document in it. */
  readonly peakMegabytes: number
  readonly chunks: number
  /** Seconds in which the counter by itself counts the text, a chunk's length at a time. */
  readonly counterSeconds: number
}

type Count = (text: string) => number

/** The size of a chunk, of about the same length in both units. */
const SIZES: Readonly<Record<string, number>> = { chars: 4000, tokens: 1000, cl100k: 1000 }
const WARM_UP = 200_000

const CHUNKERS: Readonly<Record<string, () => Chunker>> = {
  contentDefined,
  contextual: () => contextual(structural()),
  fixedTokens,
  mergeTiny: () => mergeTiny(structural()),
  parentChild: () => parentChild({ parent: structural(), child: recursive() }),
  recursive,
  sentencePacked,
  structural,
}

interface SplitterLimits {
  readonly chunkSize: number
  readonly chunkOverlap: number
  readonly lengthFunction: Count
}

const SPLITTERS: Readonly<Record<string, (limits: SplitterLimits) => TextSplitter>> = {
  langchainCharacter: (limits) => new CharacterTextSplitter({ ...limits, separator: ' ' }),
  langchainMarkdown: (limits) => new MarkdownTextSplitter(limits),
  langchainRecursive: (limits) => new RecursiveCharacterTextSplitter(limits),
  langchainToken: ({ chunkSize, chunkOverlap }) => new TokenTextSplitter({ chunkSize, chunkOverlap, encodingName: 'cl100k_base' }),
}

const [system = '', unit = '', path = ''] = process.argv.slice(2)
const text = await readFile(path, 'utf8')
const { count, close } = await openCounter(unit)
const cut = cutter(system, SIZES[unit] ?? 1000, count)
await cut(text.slice(0, WARM_UP))
const counterSeconds = countAll()
const before = process.resourceUsage().maxRSS
const began = performance.now()
const chunks = await cut(text)
const seconds = (performance.now() - began) / 1000
const run: ChunkSpeedRun = {
  seconds,
  megabytes: Buffer.byteLength(text) / 1e6,
  peakMegabytes: ((process.resourceUsage().maxRSS - before) * 1024) / 1e6,
  chunks,
  counterSeconds,
}
process.stdout.write(`${JSON.stringify(run)}\n`)
await close()

async function openCounter(name: string): Promise<{ readonly count: Count; close(): Promise<void> }> {
  if (name === 'chars') return { count: (part) => part.length, close: async () => {} }
  if (name === 'cl100k') return { count: await openAICounter('cl100k_base'), close: async () => {} }
  const model = await openLocalModel()
  return { count: model.describe().count, close: () => model.dispose() }
}

/** Cuts a text and says into how many chunks; ours are dropped while they come, and include making the document. */
function cutter(name: string, maxTokens: number, counter: Count): (text: string) => Promise<number> {
  const splitter = SPLITTERS[name]?.({ chunkSize: maxTokens, chunkOverlap: 0, lengthFunction: counter })
  if (splitter) return async (whole) => (await splitter.splitText(whole)).length
  const make = CHUNKERS[name]
  if (!make) throw new RangeError(`Cannot measure a chunker as there is none of this name: ${name}`)
  return async (whole) => {
    let made = 0
    for (const chunk of make().chunk(createDocument({ text: whole, name: basename(path) }), { maxTokens, count: counter })) {
      made = chunk.index + 1
    }
    return made
  }
}

function countAll(): number {
  if (unit === 'chars') return 0
  const start = performance.now()
  for (let at = 0; at < text.length; at += SIZES['chars']!) count(text.slice(at, at + SIZES['chars']!))
  return (performance.now() - start) / 1000
}
