import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tiny, writeTinyModel } from '../attention/tiny-model.ts'
import { cli, file, place, text, useCommand } from './command.ts'

useCommand()

describe('scriptorium calibrate', { timeout: 60_000 }, () => {
  it('writes the bias of a model beside it', async () => {
    const model = file('tiny.gguf', writeTinyModel())
    const corpus = file('corpus.txt', text.repeat(40))
    const { code, out, err } = await cli(['calibrate', model, '--text', corpus])
    expect({ code, out }).toEqual({ code: 0, out: `${join(place.folder, 'tiny.bias.json')}\n` })
    expect(err).toMatch(/Calibrating: 100 %/)
    const table = JSON.parse(readFileSync(out.trim(), 'utf8')) as { logits: number[][]; texts: { name: string }[] }
    expect(table.logits).toHaveLength(tiny.layers)
    expect(table.texts.map(({ name }) => name)).toEqual(['corpus.txt'])
  })

  it('refuses a text that is too short, and a file that is no model', async () => {
    const model = file('tiny.gguf', writeTinyModel())
    const short = await cli(['calibrate', model, '--text', file('short.txt', 'Too short.')])
    expect(short.err).toMatch(/Cannot calibrate as no text has 2048 tokens/)
    expect(short.code).not.toBe(0)
    expect(await cli(['calibrate', file('no.gguf', 'no model')])).toMatchObject({ code: 6 })
  })
})
