import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REAL_FILES } from '../../bench/round-trip-files.ts'
import { roundTrip } from '../../bench/round-trip.ts'

const options = { quick: true, signal: new AbortController().signal, seed: 7, log: () => {} }
let data = ''
beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'round-trip-test-'))
  mkdirSync(join(data, 'docs'))
  writeFileSync(join(data, 'docs', 'whale.md'), '# The whale 🐳\n\nCall me Ishmael. קראו לי ישמעאל.\n')
  writeFileSync(join(data, 'docs', 'broken.pdf'), '%PDF-1.4 and no more')
})
afterAll(() => rmSync(data, { recursive: true }))

describe('the real files', () => {
  it('are at least sixty of twelve formats, each named once', () => {
    expect(REAL_FILES.length).toBeGreaterThanOrEqual(60)
    expect(new Set(REAL_FILES.map(({ format }) => format)).size).toBeGreaterThanOrEqual(12)
    expect(new Set(REAL_FILES.map(({ path }) => path)).size).toBe(REAL_FILES.length)
  })
})

describe('roundTrip()', () => {
  it('counts what passes, what fails and what is missing', async () => {
    const files = [
      { format: 'markdown', from: 'debian:a', path: 'docs/whale.md' },
      { format: 'pdf', from: 'debian:b', path: 'docs/broken.pdf' },
      { format: 'pdf', from: 'debian:c', path: 'docs/none.pdf' },
    ]
    const { figures, notes = [] } = await roundTrip({ ...options, data }, files)
    expect(figures).toMatchObject({ files: 2, formats: 2, passed: 1, missing: 1, quotesOnPage: 0 })
    const report = notes.join('\n')
    expect(report).toContain('| debian:a | docs/whale.md | 49 | right to left, emoji | passed |')
    expect(report).toMatch(/\| debian:b \| docs\/broken\.pdf .*1 faults: DocumentError: Cannot read broken\.pdf/)
    expect(report).toContain('| debian:c | docs/none.pdf |  |  | missing |')
    expect(report).toContain('apt-get download a b c')
  })

  it('is skipped where none of its files is there', async () => {
    const none = [{ format: 'pdf', from: 'debian:c', path: 'docs/none.pdf' }]
    await expect(roundTrip({ ...options, data }, none)).rejects.toThrow('none of its 1 files is there')
  })
})
