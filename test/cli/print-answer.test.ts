import { describe, expect, it } from 'vitest'
import { duration, formatAnswer, formatPlan, price } from '../../cli/print-answer.ts'
import { coloursFor, printable } from '../../cli/terminal.ts'
import type { Answer } from '../../workflows/index.ts'
import { fakeTerminal } from './fake-terminal.ts'

const plain = coloursFor(fakeTerminal().stdout, { env: {} })
const answer: Answer = {
  status: 'answered',
  text: 'Ahab does.',
  citations: [
    {
      documentId: 'whale.txt@1',
      document: 'whale.txt',
      chunkIndex: 0,
      start: 120,
      end: 152,
      quote: 'Ahab hunts\nthe white whale.',
      how: 'exact',
      sections: ['Part 1', 'CHAPTER 36. The Quarter-Deck'],
      line: 7,
    },
  ],
  coverage: { total: 1200, read: 900, empty: 100, failed: 0, skipped: 200, chunks: [] },
  usage: { calls: 1001, inputTokens: 1_234_567, outputTokens: 890, usd: 0.1234, reused: 2, retries: 1, milliseconds: 75_000 },
  runId: 'r-1',
  strategy: 'chain-of-agents',
}

describe('an answer for people', () => {
  it('has the text, the quotations with their places, what was read and what it took', () => {
    expect(formatAnswer(answer, plain)).toBe(`Ahab does.

1. “Ahab hunts
    the white whale.”
   whale.txt · Part 1 · CHAPTER 36. The Quarter-Deck · [120–152] · line 7

Read 1,000 of 1,200 chunks: 100 without a find, 200 skipped
chain-of-agents: 1,001 calls, 1,234,567 tokens in, 890 out, $0.12, 75 s, 2 steps from the journal, 1 retry
Run r-1
`)
  })

  it('leaves out a text that was already written', () => {
    expect(formatAnswer(answer, plain, { withText: false })).toMatch(/^1\. “Ahab/)
  })

  it('says how it is when it is not a whole answer', () => {
    const failed = { documentId: 'd', index: 3, start: 0, end: 1, outcome: 'failed', reason: 'the server is down' } as const
    const coverage = { ...answer.coverage, failed: 2, chunks: [failed] }
    expect(formatAnswer({ ...answer, status: 'not-found', text: '', citations: [] }, plain)).toMatch(/^Not found: /)
    expect(formatAnswer({ ...answer, status: 'partial', coverage }, plain)).toMatch(
      /^Partial: 2 of 1200 chunks could not be read \(the server is down\)/,
    )
    expect(formatAnswer({ ...answer, status: 'stopped', reason: 'the limit of 3 calls was reached' }, plain)).toMatch(
      /^Stopped, as the limit of 3 calls was reached\. What it had so far:\n\nAhab does\./,
    )
  })

  it('lets no control character of a document or a model through', () => {
    const [citation] = answer.citations
    if (!citation) throw new Error('no citation')
    const evil = {
      ...answer,
      text: 'a\u001b[2Jb',
      citations: [{ ...citation, quote: 'c\u0007d', document: 'e\u001bf', sections: ['g\nh'] }],
    }
    const text = formatAnswer(evil, plain)
    expect(text).toContain('a\ufffd[2Jb')
    expect(text).toContain('c\ufffdd')
    expect(text).toContain('e\ufffdf · g h ·')
    expect(printable('a\r\nb\tc')).toBe('a\nb\tc')
  })

  it('is coloured on a terminal only, and not against NO_COLOR, --no-color or a dumb terminal', () => {
    const { stdout } = fakeTerminal({ isTTY: true })
    const dimmed = (env: Record<string, string>, wanted = true): boolean => coloursFor(stdout, { env }, wanted).dim('x') !== 'x'
    expect(dimmed({})).toBe(true)
    expect([dimmed({ NO_COLOR: '1' }), dimmed({}, false), dimmed({ TERM: 'dumb' }), plain.dim('x') !== 'x']).toEqual([
      false,
      false,
      false,
      false,
    ])
  })
})

describe('a plan for people', () => {
  const plan = {
    strategy: 'stuff',
    chunks: 1,
    calls: 1,
    inputTokens: 1000,
    outputTokens: 50,
    criticalPath: 1,
    notes: ['Only the first chunk is read'],
  }
  it('shows calls, tokens, time and price', () => {
    expect(formatPlan({ ...plan, usd: 0.25, seconds: 200 }, plain)).toBe(`Strategy  stuff
Chunks    1
Calls     1 at most, 1 one after another
Tokens    1,000 in, 50 out, at most
Time      about 3 min 20 s
Price     $0.25 at most
Only the first chunk is read
`)
  })

  it('says what is not known, and what is free', () => {
    expect(formatPlan({ ...plan, usd: undefined, seconds: undefined }, plain)).toMatch(/Time {6}not known\nPrice {5}not known/)
    expect(formatPlan({ ...plan, usd: 0, seconds: 1 }, plain)).toMatch(/Time {6}about 1\.0 s\nPrice {5}nothing/)
  })
})

describe('figures', () => {
  it.each([
    [undefined, 'price not known'],
    [0.00012, '$0.00012'],
    [1.5, '$1.50'],
  ])('shows %s dollars as %s', (usd, text) => expect(price(usd)).toBe(text))

  it.each([
    [1.26, '1.3 s'],
    [45.4, '45 s'],
    [3599.7, '1 h 0 min'],
    [125, '2 min 5 s'],
    [7300, '2 h 1 min'],
  ])('shows %s seconds as %s', (seconds, text) => expect(duration(seconds)).toBe(text))
})
