import { InvalidArgumentError } from 'commander'
import { describe, expect, it } from 'vitest'
import { type AskFlags, checkFlags, parseAmount, parseCount, parseLimit, parsePaths, parseText, splitInputs } from '../../cli/options.ts'
import { resumeCommand } from '../../cli/resume-command.ts'
import { UsageError } from '../../cli/usage-error.ts'

const flags: AskFlags = { strategy: 'auto', model: 'local', color: true, logLevel: 'info' }

describe('the values of flags', () => {
  it.each([
    ['1', 1],
    ['4000', 4000],
  ])('takes %s as a count', (text, count) => expect(parseCount(text)).toBe(count))

  it.each(['0', '-1', '1.5', '1e3', 'x', '', ' ', '9007199254740993', 'NaN'])('refuses %j as a count', (text) => {
    expect(() => parseCount(text)).toThrow(InvalidArgumentError)
  })

  it.each([
    ['0', 0],
    ['0.50', 0.5],
  ])('takes %s as an amount', (text, amount) => expect(parseAmount(text)).toBe(amount))

  it.each(['-1', 'x', '', ' ', '$1', 'Infinity', 'NaN'])('refuses %j as an amount', (text) => {
    expect(() => parseAmount(text)).toThrow(InvalidArgumentError)
  })

  it('adds up limits, the last of a kind winning', () => {
    expect(parseLimit('usd=0.5', parseLimit('calls=3', parseLimit('calls=9')))).toEqual({ calls: 3, usd: 0.5 })
  })

  it.each(['calls', 'calls=', 'calls=x', 'calls=-1', 'minutes=3', '=3', 'constructor=1'])('refuses %j as a limit', (text) => {
    expect(() => parseLimit(text)).toThrow(InvalidArgumentError)
  })

  it.each([
    ['forward', 'forward'],
    ['both', 'both'],
    ['5', { permutations: 5 }],
  ])('takes %s as paths', (text, paths) => expect(parsePaths(text)).toEqual(paths))

  it.each(['sideways', '0', '65', '1.5', '-2', ''])('refuses %j as paths', (text) => {
    expect(() => parsePaths(text)).toThrow(InvalidArgumentError)
  })

  it('refuses an empty text', () => expect(() => parseText(' ')).toThrow(InvalidArgumentError))
})

describe('what is read and asked', () => {
  it('takes the last word as the question', () => {
    expect(splitInputs(['a.txt', '-', 'who?'])).toEqual({ sources: ['a.txt', '-'], question: 'who?' })
  })

  it.each([
    [['who?'], /only one of file and question is given: "who\?"/],
    [['a.txt', ' '], /empty question: " "/],
    [['-', '-', 'who?'], /standard input twice/],
  ])('refuses %j', (inputs, message) => {
    expect(() => splitInputs(inputs)).toThrow(UsageError)
    expect(() => splitInputs(inputs)).toThrow(message)
  })

  it.each<[Partial<AskFlags>, RegExp]>([
    [{ paths: 'both' }, /--paths with the strategy auto/],
    [{ json: true, stream: true }, /--stream with --json/],
    [{ keep: 512 }, /--keep with the strategy auto/],
    [{ strategy: 'homer', model: 'openai:gpt-4o' }, /inside of a remote model: openai:gpt-4o/],
  ])('refuses %j', (change, message) => {
    expect(() => checkFlags({ ...flags, ...change })).toThrow(message)
  })

  it('takes paths with a chain', () => {
    expect(checkFlags({ ...flags, strategy: 'chain-of-agents', paths: 'both' })).toBe(undefined)
  })
})

describe('the command that goes on with a run', () => {
  it('names what a resumed run must share, quoted for the shell', () => {
    const asked = { sources: ['my book.txt', '-'], question: "Who's there?", flags: { ...flags, fresh: true, budget: 1 } }
    expect(resumeCommand(asked, 'r1')).toBe(`scriptorium ask 'my book.txt' - 'Who'\\''s there?' --resume r1`)
    const more: AskFlags = {
      ...flags,
      strategy: 'chain-of-agents',
      model: 'openai:m',
      paths: { permutations: 3 },
      chunkTokens: 9,
      keep: 6,
      window: 8,
      maxOutput: 7,
      store: '/s',
    }
    expect(resumeCommand({ sources: ['a'], question: 'b', flags: more }, 'r1')).toBe(
      'scriptorium ask a b --strategy chain-of-agents --model openai:m --paths 3 --chunk-tokens 9 --keep 6 --window 8 --max-output 7 --store /s --resume r1',
    )
  })
})
