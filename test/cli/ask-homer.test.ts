import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Answer, Plan } from '../../workflows/index.ts'
import { writeTinyModel } from '../attention/tiny-model.ts'
import { cli, file, place, useCommand } from './command.ts'

const text = Array.from({ length: 30 }, (_, at) => `The whale of day ${at} took leg ${at * 7} on the sea.`).join(' ')

describe('scriptorium ask --strategy homer', { timeout: 120_000 }, () => {
  useCommand()

  it('prices a merge, runs it, and leaves no files of its nodes', async () => {
    const model = file('tiny.gguf', writeTinyModel({ shape: { layers: 6 } }))
    const args = ['ask', file('log.txt', text), 'Who took it?', '--strategy', 'homer', '--model', model, '--chunk-tokens', '300', '--json']
    const planned = JSON.parse((await cli([...args, '--dry-run'])).out) as Plan
    expect(planned).toMatchObject({ strategy: 'homer', chunks: 4, calls: 8, usd: 0 })
    const { code, out } = await cli([...args, '--keep', '200'])
    const answer = JSON.parse(out) as Answer
    expect(code).toBe(answer.status === 'answered' ? 0 : 3)
    expect(answer).toMatchObject({ strategy: 'homer', coverage: { total: 4, read: 4 } })
    for (const { start, end, quote } of answer.citations) expect(text.slice(start, end)).toBe(quote)
    expect(readdirSync(join(place.store, 'caches'))).toEqual([])
  })
})
