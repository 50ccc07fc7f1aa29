import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openLocalModel } from '../../models/index.ts'
import { writeTinyModel } from '../attention/tiny-model.ts'
import { cli, expectError, file, place, useCommand } from './command.ts'

interface Report {
  readonly file: string
  readonly bytes: number
  readonly form: string
  readonly tokens: number
  readonly problem?: string
}

const text = 'thewhaletookhisleg'

describe('scriptorium cache', { timeout: 60_000 }, () => {
  useCommand()

  function tinyModel(window?: number): string {
    return file('tiny.gguf', writeTinyModel(window === undefined ? {} : { window }))
  }

  async function built(...flags: string[]): Promise<Report> {
    const { code, out, err } = await cli(['cache', 'build', file('leg.txt', text), '--model', tinyModel(), '--json', ...flags])
    expect([code, err]).toEqual([0, ''])
    return JSON.parse(out) as Report
  }

  it('builds a file in the store that the library loads, lists and shows it, and removes it', async () => {
    const report = await built()
    expect(report).toMatchObject({ form: 'float32', bytes: readFileSync(report.file).length })
    expect(report.file.startsWith(join(place.store, 'caches', 'leg-'))).toBe(true)
    await using model = await openLocalModel({ path: join(place.folder, 'tiny.gguf') })
    await using cache = await model.loadCache(report.file)
    expect([cache.tokens, report.tokens]).toEqual([model.count(text), model.count(text)])
    const [name = ''] = readdirSync(join(place.store, 'caches'))
    expect(JSON.parse((await cli(['cache', 'list', '--json'])).out)).toEqual([report])
    for (const named of [name, report.file]) expect(JSON.parse((await cli(['cache', 'show', named, '--json'])).out)).toEqual(report)
    const line = `${report.file}  0.0 MB  ${report.tokens} tokens  float32  ${model.id}\n`
    expect((await cli(['cache', 'list'])).out).toBe(line)
    expect(await cli(['cache', 'remove', name])).toMatchObject({ code: 0, out: '', err: `Removed ${report.file}\n` })
    expect(existsSync(report.file)).toBe(false)
    expect(await cli(['cache', 'list'])).toMatchObject({ code: 0, out: '', err: `No caches in ${join(place.store, 'caches')}\n` })
  })

  it('merges a text longer than the window into the tokens it is told to keep, and names how', { timeout: 120_000 }, async () => {
    const path = file('tiny.gguf', writeTinyModel({ window: 128, shape: { layers: 6 } }))
    const long = file('long.txt', Array.from({ length: 12 }, (_, at) => `the whale took leg ${at} on the sea.`).join(' '))
    const flags = ['--model', path, '--homer', '--keep', '60', '--question', 'who?']
    const { code, out, err } = await cli(['cache', 'build', long, ...flags, '--json'])
    expect([code, err]).toEqual([0, ''])
    const report = JSON.parse(out) as Report & { policy: string }
    expect(report).toMatchObject({ tokens: 60, policy: expect.stringMatching(/^homer chunk 64, keep 60, /) })
    await using model = await openLocalModel({ path })
    await using cache = await model.loadCache(report.file)
    expect(cache.tokens).toBe(60)
    expect((await cli(['cache', 'list'])).out).toContain(`${model.id}  ${report.policy}\n`)
    expect(JSON.parse((await cli(['cache', 'show', report.file, '--json'])).out)).toEqual(report)
    const other = await cli(['cache', 'build', long, ...flags.slice(0, -2), '--json'])
    expect((JSON.parse(other.out) as Report).file).not.toBe(report.file)
    for (const [args, message] of [
      [['--keep', '60'], /keeps all of its tokens\. Add --homer/],
      [['--homer', '--keep', '9'], /leave a target of 9 tokens no room for context/],
    ] as const) {
      const refused = await cli(['cache', 'build', long, '--model', path, ...args])
      expect(refused.code).toBe(2)
      expectError(refused, message)
    }
  })

  it('writes fewer bytes where it may, and where it is told', async () => {
    const out = join(place.folder, 'leg.cache')
    const exact = await built()
    const small = await built('--form', 'int4', '--out', out)
    expect(small).toMatchObject({ file: out, form: 'int4' })
    expect(small.bytes).toBeLessThan(exact.bytes)
  })

  it('says by how much a text is too long for the window', async () => {
    const outcome = await cli(['cache', 'build', file('leg.txt', text), '--model', tinyModel(16)])
    expect(outcome.code).toBe(8)
    expectError(outcome, /window of 16 tokens: text \d+/)
  })

  it.each([
    {
      name: 'a remote model',
      args: ['build', 'BOOK', '--model', 'openai:gpt-4o'],
      code: 2,
      message: /remote model computes: openai:gpt-4o/,
    },
    { name: 'a form that is none', args: ['build', 'BOOK', '--form', 'int2'], code: 2, message: /int2/ },
    { name: 'a text that is missing', args: ['build', '/nowhere/a.txt'], code: 5, message: /\/nowhere\/a\.txt/ },
    { name: 'a cache that is missing', args: ['show', 'none.cache'], code: 2, message: /no such file: none\.cache/ },
    { name: 'a file that is no cache', args: ['show', 'BOOK'], code: 6, message: /whale\.txt/ },
    { name: 'to remove a file that is no cache', args: ['remove', 'BOOK'], code: 6, message: /whale\.txt/ },
  ])('refuses $name', async ({ args, code, message }) => {
    const outcome = await cli(['cache', ...args.map((arg) => (arg === 'BOOK' ? place.book : arg))])
    expect(outcome.code).toBe(code)
    expectError(outcome, message)
    expect(existsSync(place.book)).toBe(true)
  })

  it('lists a damaged cache of the store, and removes it', async () => {
    const { file: path } = await built()
    file(join('store', 'caches', 'bad.cache'), 'nothing')
    const reports = JSON.parse((await cli(['cache', 'list', '--json'])).out) as Report[]
    expect(reports.map(({ problem }) => problem !== undefined)).toEqual([true, false])
    expect((await cli(['cache', 'remove', 'bad.cache'])).code).toBe(0)
    expect(readdirSync(join(place.store, 'caches')).map((name) => join(place.store, 'caches', name))).toEqual([path])
  })
})
