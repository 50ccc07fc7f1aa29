import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeDocx, makeEpub, makePptx, makeXlsx, paragraph } from '../../bench/samples/make-office.ts'
import { lines, makePdf } from '../../bench/samples/make-pdf.ts'
import { readDocument } from '../../chunkers/index.ts'
import type { Answer } from '../../workflows/index.ts'
import type { Behaviour } from '../models/openai-server.ts'
import { cli, expectError, file, place, remote, serve, useCommand } from './command.ts'

useCommand()

/** A sentence of its own for each document. */
const planted = (of: string): string => `The word of ${of} is amber.`

/** Quotes what is planted in the text that it is shown, and nothing else. */
const quoting: Behaviour = {
  kind: 'choose',
  choose(prompt) {
    const quotes = [...new Set(prompt.match(/The word of \w+ is amber\./g))].map((quote) => `QUOTE: "${quote}"`)
    if (quotes.length === 0) return { kind: 'answer', text: 'NOT FOUND' }
    const notes = prompt.includes('NOTES') ? ['NOTES: It is amber [q1].'] : []
    return { kind: 'answer', text: [...notes, 'ANSWER: amber', ...quotes].join('\n') }
  },
}

interface Sample {
  readonly format: string
  readonly name: string
  readonly make: (sentence: string) => string | Uint8Array
  /** The place of the citation: behind the name, or a line at the end where the format has neither pages nor times. */
  readonly where: string
}

const page = (text: string): { texts: ReturnType<typeof lines> } => ({ texts: lines([text]) })

const samples: readonly Sample[] = [
  { format: 'text', name: 'notes.txt', make: (sentence) => `It is calm.\n\n${sentence}\n`, where: 'line 3' },
  { format: 'markdown', name: 'log.md', make: (sentence) => `# Log\n\nIt is **calm**.\n\n## Noon\n\n${sentence}\n`, where: 'line 7' },
  {
    format: 'code',
    name: 'ship.ts',
    make: (sentence) => `export const mast = 1\n\n// ${sentence}\nexport const sail = 2\n`,
    where: 'line 3',
  },
  {
    format: 'csv',
    name: 'ships.csv',
    make: (sentence) => `Ship,Captain,Remark\nPequod,Ahab,"${sentence}"\nRachel,Gardiner,\n`,
    where: 'line 2',
  },
  { format: 'json', name: 'ship.json', make: (sentence) => JSON.stringify({ ship: 'Pequod', remark: sentence }, null, 1), where: 'line 3' },
  {
    format: 'jsonl',
    name: 'ships.jsonl',
    make: (sentence) => `{"ship": "Rachel"}\n{"ship": "Pequod", "remark": "${sentence}"}\n`,
    where: 'line 2',
  },
  {
    format: 'subtitles',
    name: 'talk.srt',
    make: (sentence) => `1\n00:00:01,500 --> 00:00:03,000\nIt is calm.\n\n2\n00:12:31,000 --> 00:12:33,000\nAHAB: ${sentence}\n`,
    where: '00:12:31',
  },
  {
    format: 'chat',
    name: 'chat.txt',
    make: (sentence) => `[12/03/2024, 14:05:22] Ishmael: It is calm.\n[12/03/2024, 14:06:00] Queequeg: ${sentence}\n`,
    where: '12/03/2024, 14:06:00',
  },
  {
    format: 'mail',
    name: 'letters.mbox',
    make: (sentence) =>
      `From a@example.org Tue Mar 12 14:05:22 2024\nFrom: Ishmael <a@example.org>\nTo: b@example.org\nSubject: Noon\nDate: Tue, 12 Mar 2024 14:05:22 +0000\n\n${sentence}\n`,
    where: '2024-03-12T14:05:22Z',
  },
  {
    format: 'html',
    name: 'page.html',
    make: (sentence) =>
      `<!doctype html><html><head><title>Log</title></head><body><article><h1>Noon</h1><p>${sentence}</p></article></body></html>`,
    where: 'line 3',
  },
  {
    format: 'docx',
    name: 'voyage.docx',
    make: (sentence) => makeDocx(paragraph('Noon', { style: 'Heading1' }) + paragraph(sentence)),
    where: 'line 3',
  },
  {
    format: 'pptx',
    name: 'deck.pptx',
    make: (sentence) =>
      makePptx([
        { title: 'Log', body: ['It is calm.'] },
        { title: 'Noon', body: [sentence] },
      ]),
    where: 'slide 2',
  },
  {
    format: 'xlsx',
    name: 'crew.xlsx',
    make: (sentence) => makeXlsx({ A1: 'Ship', B1: 'Remark', A2: 'Pequod', B2: sentence }),
    where: 'line 4',
  },
  {
    format: 'epub',
    name: 'whale.epub',
    make: (sentence) => makeEpub({ 'one.xhtml': '<h1>Log</h1><p>It is calm.</p>', 'two.xhtml': `<h1>Noon</h1><p>${sentence}</p>` }),
    where: 'line 7',
  },
  { format: 'pdf', name: 'chart.pdf', make: (sentence) => makePdf([page('It is calm.'), page(sentence)]), where: 'p. 2' },
]

/** Where a quotation stands, as the command prints it under the quotation. */
function sourceOf(out: string, quote: string): string | undefined {
  const printed = out.split('\n')
  return printed[printed.findIndex((line) => line.includes(`“${quote}”`)) + 1]?.trim()
}

describe('ask quotes a sentence with its place', () => {
  it.each(samples)('of a document of the format $format', async ({ format, name, make, where }) => {
    const path = file(name, make(planted(format)))
    expect((await readDocument(path)).format).toBe(format)
    const outcome = await cli(['ask', path, 'Which word?', ...remote(await serve(quoting))])
    expect([outcome.code, outcome.out.split('\n')[0]]).toEqual([0, 'amber'])
    const source = sourceOf(outcome.out, planted(format))
    if (where.startsWith('line')) expect(source).toMatch(new RegExp(`^${name} · .*\\[\\d+–\\d+\\] · ${where}$`))
    else expect(source).toContain(`${name} ${where} · `)
    expect(outcome.err).toMatch(/^Reading: /)
  })
})

describe('ask reads several files at once', () => {
  const fill = (): string => {
    const folder = join(place.folder, 'papers')
    mkdirSync(join(folder, 'more'), { recursive: true })
    samples.forEach(({ format, name, make }, at) => file(join('papers', at % 2 === 0 ? name : join('more', name)), make(planted(format))))
    return folder
  }
  const quotesOf = ({ out }: { readonly out: string }): string[] =>
    (JSON.parse(out) as Answer).citations.map(({ document, quote, place: where = '' }) => `${document} ${where}: ${quote}`).toSorted()
  const expected = (chosen: readonly Sample[]): string[] =>
    chosen
      .map(({ format, name, where }) => {
        const path = samples.findIndex((sample) => sample.name === name) % 2 === 0 ? name : `more/${name}`
        return `${path} ${where.startsWith('line') ? '' : where}: ${planted(format)}`
      })
      .toSorted()

  it.each(['stuff', 'auto'])('of a folder with every format, each named by its path below the folder, by %s', async (strategy) => {
    const outcome = await cli(['ask', fill(), 'Which word?', '--json', ...remote(await serve(quoting), strategy)])
    expect(outcome.code).toBe(0)
    expect(quotesOf(outcome)).toEqual(expected(samples))
  })

  it('of a pattern, and no others', async () => {
    const pattern = join(fill(), '**/*.{pdf,pptx,docx}')
    const outcome = await cli(['ask', pattern, 'Which word?', '--json', ...remote(await serve(quoting))])
    expect(outcome.code).toBe(0)
    expect(quotesOf(outcome)).toEqual(expected(samples.filter(({ format }) => ['pdf', 'pptx', 'docx'].includes(format))))
  })

  it.each(['docx', 'pptx', 'xlsx', 'epub', 'pdf'])(
    'of a folder where a file of the format %s is cut short, which it names',
    async (format) => {
      const folder = fill()
      const { make } = samples.find((sample) => sample.format === format)!
      const whole = make(planted('bad'))
      file(join('papers', `bad.${format}`), (whole as Uint8Array).subarray(0, 60))
      const outcome = await cli(['ask', folder, 'Which word?', '--json', ...remote(await serve(quoting))])
      expect(outcome.code).toBe(0)
      expect(quotesOf(outcome)).toEqual(expected(samples))
      const named = outcome.err.split('\n').filter((line) => line.startsWith('Cannot'))
      expect(named).toEqual([expect.stringContaining(`Cannot read ${join(folder, `bad.${format}`)} as `)])
      expect(outcome.err).not.toMatch(/\n\s+at /)
    },
  )

  it('and refuses a folder where none can be read', async () => {
    mkdirSync(join(place.folder, 'bad'))
    file('bad/chart.pdf', '%PDF-1.4\nnothing')
    const outcome = await cli(['ask', join(place.folder, 'bad'), 'Which word?', ...remote(await serve(quoting))])
    expectError(outcome, /chart\.pdf as /)
    expect(outcome.code).toBe(5)
  })
})
