import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { peakFormula } from '../../bench/homer-memory.ts'
import { passkeyItem, passkeyTexts, saysKey } from '../../bench/passkey.ts'
import { planHomer, readModelFile, type Tokenizer } from '../../attention/index.ts'
import { memorySource } from '../attention/write-gguf.ts'

describe('peakFormula()', () => {
  it.each([
    [4, 1_000],
    [8, 1_000],
    [64, 1_000],
    [64, 500],
  ])('is the peak of the plan for %i equal leaves of %i tokens', (leaves, tokens) => {
    const lengths = { prefix: 30, suffix: 20, context: leaves * tokens, layers: 30 }
    const plan = planHomer({ ...lengths, maxChunk: 1_050 })
    expect(plan.leaves).toBe(tokens > 500 ? leaves : leaves / 2)
    expect(peakFormula(lengths, 1_050)).toBe(plan.peakTokenLayers)
  })
})

describe('saysKey()', () => {
  it.each([
    [' 12345. It', true],
    [' not 54321, 12345', false],
    [' a number', false],
  ])('looks at the first number: %j', (answer, right) => {
    expect(saysKey(answer, '12345')).toBe(right)
  })
})

const file = fileURLToPath(new URL('../../weights/models/smollm2-135m-instruct/model.gguf', import.meta.url))

describe.skipIf(!existsSync(file))('passkeyItem()', { timeout: 60_000 }, () => {
  let tokenizer: Tokenizer
  beforeAll(async () => {
    tokenizer = (await readModelFile(memorySource(readFileSync(file)))).tokenizer
  }, 60_000)

  it.each(passkeyTexts.flatMap((text) => [0, 0.5, 1].map((depth) => ({ text, depth }))))(
    'hides a key in $text at $depth, and says where',
    ({ text, depth }) => {
      const { prompt, key, mentions } = passkeyItem(tokenizer, { text, tokens: 1_000, depth, seed: 3 })
      const { prefix, context, suffix } = prompt
      expect(prefix.length + context.length + suffix.length).toBe(1_000)
      expect(mentions.map(({ start, end }) => tokenizer.decode(context.slice(start, end)))).toEqual([` ${key}.`, ` ${key}`])
      const start = mentions[0]?.start ?? NaN
      expect(Math.abs(start / context.length - depth)).toBeLessThan(0.12)
      expect(tokenizer.decode(suffix)).toMatch(/What is the pass key\?[^]*The pass key is$/)
      expect(passkeyItem(tokenizer, { text, tokens: 1_000, depth, seed: 3 })).toEqual({ prompt, key, mentions })
    },
  )
})
