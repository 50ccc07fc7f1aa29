import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { isExact, measureTree } from '../../bench/tree.ts'
import { needleLine } from '../../testing/index.ts'
import type { Citation } from '../../workflows/index.ts'

const folder = await mkdtemp(join(tmpdir(), 'tree-'))
afterAll(() => rm(folder, { recursive: true }))

const values = ['1234567', '7654321']
const cited = (...found: string[]): Citation[] =>
  found.map((value) => ({ quote: needleLine({ type: 'numbers', key: 'a-b', value }) }) as Citation)

describe('isExact', () => {
  it.each<[string, 'listing' | 'counting', string, string[], boolean]>([
    ['all numbers in any order', 'listing', '7654321, 1234567', values, true],
    ['a number missing', 'listing', '7654321', values, false],
    ['a number twice', 'listing', '7654321, 1234567, 1234567', values, false],
    ['a number too many', 'listing', '7654321, 1234567, 1111111', values, false],
    ['a number without its citation', 'listing', '7654321, 1234567', ['1234567'], false],
    ['the right count', 'counting', '2', values, true],
    ['a wrong count', 'counting', '3', values, false],
    ['the right count without a citation', 'counting', '2', [], false],
  ])('%s', (_, kind, text, found, exact) => {
    expect(isExact({ text, citations: cited(...found) }, kind, values)).toBe(exact)
  })
})

describe('measureTree', () => {
  it('lists and counts exactly, and takes up a run without a repeated call', async () => {
    const log: string[] = []
    const options = { quick: true, seed: 42, signal: new AbortController().signal, log: (line: string) => log.push(line) }
    const { figures, items } = await measureTree(options, { tokens: 60_000, items: 2, timedTokens: 60_000 }, folder)
    expect(figures).toMatchObject({ exact: 100, repeatedCalls: 0 })
    expect(figures['resumedAfter']).toBeLessThan(figures['calls'] ?? 0)
    expect(items?.map(({ system }) => system)).toEqual(['tree-fit', 'tree-2'])
  })
})
