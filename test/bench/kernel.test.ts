import { createHash } from 'node:crypto'
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BenchSkipped, type BenchResult } from '../../bench/bench.ts'
import { readData } from '../../bench/data.ts'
import { describeMachine } from '../../bench/machine.ts'
import { barPlot, linePlot } from '../../bench/plot.ts'
import { type BenchRecord, hashText, recordLine } from '../../bench/record.ts'
import { benchNames, loadBench } from '../../bench/registry.ts'
import { makeReport, number, systemRows, table, writeReport } from '../../bench/report.ts'
import { type ItemRun, runItems } from '../../bench/runner.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-'))
})
afterAll(() => rm(folder, { recursive: true }))

const record: BenchRecord = {
  suite: 's',
  item: 'a',
  system: 'chain',
  model: 'oracle',
  L: 1000,
  score: 1,
  gold: hashText('gold'),
  pred: hashText('pred'),
  calls: 2,
  prefillTok: 30,
  decodeTok: 4,
  ms: 10,
  seed: 1,
}

describe('runItems', () => {
  const job = (name: string, run: (item: string) => Promise<number>, settings = { seed: 1 }): ItemRun<string, number> => ({
    name,
    settings,
    items: ['a', 'b', 'c'],
    idOf: (item) => item,
    run,
    signal: new AbortController().signal,
    folder,
  })
  const length = async (item: string): Promise<number> => item.charCodeAt(0)

  it('goes on with a run that failed, without repeating what was done', async () => {
    const done: string[] = []
    const failing = async (item: string): Promise<number> => {
      if (item === 'c' && done.length === 2) throw new Error('killed')
      done.push(item)
      return length(item)
    }
    await expect(runItems(job('resume', failing))).rejects.toThrow('killed')
    done.push('again')
    expect(await runItems(job('resume', failing))).toEqual([97, 98, 99])
    expect(done).toEqual(['a', 'b', 'again', 'c'])
  })

  it('runs an item again whose line was cut short', async () => {
    await runItems(job('cut', length))
    const [file] = await readdir(join(folder, 'cut'))
    const path = join(folder, 'cut', file as string)
    await writeFile(path, (await readFile(path, 'utf8')).slice(0, -4))
    const again: string[] = []
    const counting = async (item: string): Promise<number> => {
      again.push(item)
      return length(item)
    }
    expect(await runItems(job('cut', counting))).toEqual([97, 98, 99])
    await appendFile(path, '{"id":"a","resu')
    expect(await runItems(job('cut', counting))).toEqual([97, 98, 99])
    expect(again).toEqual(['c'])
  })

  it('does not take results of other settings', async () => {
    await runItems(job('settings', length))
    expect(await runItems(job('settings', async () => 0, { seed: 2 }))).toEqual([0, 0, 0])
  })

  it('stops at the signal and refuses twins', async () => {
    const stopped = { ...job('stop', length), signal: AbortSignal.abort(new Error('enough')) }
    await expect(runItems(stopped)).rejects.toThrow('enough')
    await expect(runItems({ ...job('twins', length), items: ['a', 'b', 'a'] })).rejects.toThrow('one id: a')
  })
})

describe('recordLine', () => {
  it('is one line that reads back', () => {
    expect(JSON.parse(recordLine(record))).toEqual(record)
  })

  it.each([
    [{ score: 1.5 }, 'score'],
    [{ ms: NaN }, 'ms'],
    [{ gold: 'the words of a data set' }, 'gold'],
    [{ pred: 'an answer' }, 'pred'],
  ])('refuses %o', (change, name) => {
    expect(() => recordLine({ ...record, ...change })).toThrow(name)
  })
})

describe('report', () => {
  const items = [record, { ...record, item: 'b', score: 0, ms: 30 }, { ...record, system: 'truncate', score: 0 }]
  const result: BenchResult = { settings: { seed: 1 }, figures: { found: 50 }, items, plots: { heap: '<svg/>' }, notes: ['A note.'] }

  it('gives each system its mean, interval and costs', () => {
    const rows = systemRows(items)
    expect(rows.map(({ system, score }) => [system, score.mean, score.n])).toEqual([
      ['chain', 50, 2],
      ['truncate', 0, 1],
    ])
    expect(rows[0]).toMatchObject({ calls: 4, prefillTok: 60, decodeTok: 8, msMedian: 20 })
  })

  it('writes Markdown, JSON, records and pictures', async () => {
    const machine = await describeMachine()
    const report = makeReport('sample', result, { machine, finishedAt: '2030-01-01T00:00:00.000Z' })
    const markdown = await readFile(await writeReport(folder, report, result), 'utf8')
    for (const part of ['# sample', '| found | 50 |', 'A note.', '![heap](sample-heap.svg)', '| chain | oracle |', process.version]) {
      expect(markdown).toContain(part)
    }
    expect(JSON.parse(await readFile(join(folder, 'sample.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(report)))
    expect((await readFile(join(folder, 'sample.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(3)
    expect(await readFile(join(folder, 'sample-heap.svg'), 'utf8')).toBe('<svg/>')
  })

  it('names the models by hash', async () => {
    const { models } = await describeMachine()
    expect(Object.keys(models)).toEqual(expect.arrayContaining(['smollm2-135m-instruct', 'all-minilm-l6-v2']))
    for (const hash of Object.values(models)) expect(hash).toMatch(/^[0-9a-f]{64}$/)
  })

  it('formats numbers and cells for people', () => {
    expect([number(1234567), number(0.123456), number(98.76543)]).toEqual(['1,234,567', '0.1235', '98.77'])
    expect(table(['a'], [['x|y']])).toBe('| a |\n| --- |\n| x\\|y |')
  })
})

describe('readData', () => {
  const parse = (row: unknown): { id: number } => row as { id: number }

  it('reads rows and hashes the file as it lies', async () => {
    const bytes = gzipSync('{"id":1}\n{"id":2}\n')
    await writeFile(join(folder, 'set.jsonl.gz'), bytes)
    const { rows, sha256 } = await readData(folder, 'set.jsonl.gz', parse)
    expect(rows).toEqual([{ id: 1 }, { id: 2 }])
    expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  it('skips, with the reason, where there is no folder or no file', async () => {
    await expect(readData(undefined, 'x.gz', parse)).rejects.toThrow(BenchSkipped)
    await expect(readData(folder, 'absent.gz', parse)).rejects.toThrow('absent.gz')
  })
})

describe('plots', () => {
  const points = [
    { x: 1, y: 2, series: 'one', low: 1, high: 3 },
    { x: 2, y: 4, series: 'two', low: 3, high: 5 },
  ]

  it.each([linePlot, barPlot])('are SVG with title and axes', async (plot) => {
    const svg = await plot({ title: 'Speed', x: 'calls', y: 'milliseconds', points })
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>$/)
    for (const text of ['Speed', 'calls', 'milliseconds', 'one', 'two']) expect(svg).toContain(text)
  })
})

describe('registry', () => {
  it('names the benchmarks in the error for one that is not there', async () => {
    await expect(loadBench('nonesuch')).rejects.toThrow(benchNames.join(', '))
    await expect(loadBench('toString')).rejects.toThrow(RangeError)
    expect((await loadBench('needle')).name).toBe('needle')
  })
})
