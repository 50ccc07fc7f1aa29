import { createHash } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readDocument } from '../../chunkers/index.ts'

const line = 'The ship sailed on and nothing was seen that day, but the sea was wide.\n'
const SIZE = 200_000_000

it('a text file of 200 MB is read whole', { timeout: 300_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'large-'))
  try {
    const path = join(folder, 'log.txt')
    const part = line.repeat(Math.ceil(1_000_000 / line.length))
    const file = openSync(path, 'w')
    for (let written = 0; written < SIZE; written += part.length) writeSync(file, part)
    closeSync(file)
    const document = await readDocument(path)
    expect(document.text.length).toBeGreaterThanOrEqual(SIZE)
    expect(document.slice(document.text.length - line.trimEnd().length - 1, document.text.length).trim()).toBe(line.trim())
    expect(document.hash).toBe(createHash('sha256').update(document.text).digest('hex'))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
