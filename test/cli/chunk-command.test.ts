import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createDocument } from '../../chunkers/index.ts'
import { chunkPage } from '../../cli/chunk-page.ts'
import { placeOfChunk } from '../../cli/cut-document.ts'
import { runCli } from '../../cli/run-cli.ts'
import type { Services } from '../../cli/run-ask.ts'
import { scriptedModel } from '../../testing/index.ts'
import { type Answer, ask, type AskOptions, chainOfAgents, plan } from '../../workflows/index.ts'
import { at, hostile, linesOf, signs } from './chunk-lines.ts'
import { cli, expectError, file, place, text, useCommand } from './command.ts'
import { fakeTerminal } from './fake-terminal.ts'

useCommand()
afterEach(() => vi.restoreAllMocks())

function stdin(...parts: string[]): void {
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(Readable.from(parts.map((part) => Buffer.from(part))) as typeof process.stdin)
}

describe('chunk', () => {
  it('prints a table of the chunks with their places, tokens and first words', async () => {
    const { code, out, err } = await cli(['chunk', place.book, '--chunk-tokens', '24'])
    const lines = out.split('\n')
    expect(lines[0]).toBe('#  place   tokens  begins with')
    expect(lines[1]).toMatch(/^0 {2}line 1 +\d+ {2}CHAPTER I Captain Ahab hunts/)
    expect(lines.at(-2)).toMatch(/^\d chunks, \d+ to \d+ tokens, median \d+$/)
    expect(lines.length).toBe(Number(/^\d/.exec(lines.at(-2)!)) + 3)
    expect({ code, err }).toEqual({ code: 0, err: '' })
  })

  it('prints a line of JSON for each chunk, with the text that its offsets name', async () => {
    const { code, out } = await cli(['chunk', place.book, '--chunk-tokens', '14', '--json'])
    const lines = linesOf(out)
    expect(lines.length).toBeGreaterThan(2)
    for (const [index, line] of lines.entries()) {
      expect(line).toMatchObject({ document: 'whale.txt', index, text: text.slice(line.start, line.end) })
      expect(line.tokens).toBeLessThanOrEqual(14)
      expect(line.hash).toBe(createHash('sha256').update(line.text).digest('hex'))
      expect(line.line).toBe(text.slice(0, line.start).split('\n').length)
    }
    expect(
      lines
        .map((line) => line.text)
        .join(' ')
        .replace(/\s+/g, ' '),
    ).toBe(text.trim().replace(/\s+/g, ' '))
    expect(lines.at(-1)?.sections).toEqual(['CHAPTER II'])
    expect(code).toBe(0)
  })

  it('keeps each chunk in one line of JSON, whatever it holds', async () => {
    const path = file('odd.txt', `${hostile}\n\nA line\u2028and a paragraph\u2029end here. "Quoted" \\ and 🐳.`)
    const { out } = await cli(['chunk', path, '--json', '--chunk-tokens', '20'])
    const content = readFileSync(path, 'utf8')
    for (const { start, end, text: own } of linesOf(out)) expect(content.slice(start, end)).toBe(own)
    expect(out).toContain('🐳')
  })

  it('prints no vector, also of a chunker that makes one, but its context', { timeout: 60_000 }, async () => {
    const { code, out } = await cli(['chunk', place.book, '--json', '--chunker', 'in-context', '--chunk-tokens', '80'])
    const lines = linesOf(out)
    expect(lines.length).toBeGreaterThan(3)
    expect(out).not.toContain('"vector"')
    expect(lines[1]?.context).toContain('The whale took his leg.')
    expect(code).toBe(0)
  })

  it('cuts several files one after another, each under its name', async () => {
    const other = file('other.md', '# Title\n\nNothing of the kind.\n')
    const { out } = await cli(['chunk', place.book, other])
    expect(out).toMatch(/^whale\.txt\n# [^]*\n1 chunk, [^]*\n\nother\.md\n# [^]*\n1 chunk, /)
    const lines = linesOf((await cli(['chunk', place.book, other, '--json'])).out)
    expect(lines.map(({ document, index }) => `${document} ${index}`)).toEqual(['whale.txt 0', 'other.md 0'])
  })

  it('reads folders, and names what it cannot read in them', async () => {
    mkdirSync(at('notes'))
    writeFileSync(at('notes/a.txt'), 'A note on whales.')
    writeFileSync(at('notes/b.bin'), Buffer.from([0, 1, 2, 3, 0, 255, 254, 0]))
    const { code, out, err } = await cli(['chunk', at('notes'), '--json'])
    expect(linesOf(out).map(({ document }) => document)).toEqual(['a.txt'])
    expect(err).toMatch(/^Cannot read \S+b\.bin as [^\n]+\n$/)
    expect(code).toBe(0)
  })

  it('reads standard input', async () => {
    stdin('Captain Ahab hunts. ', 'The ship is old.')
    const { code, out } = await cli(['chunk', '-', '--json'])
    expect(linesOf(out)).toMatchObject([{ document: 'stdin', start: 0, text: 'Captain Ahab hunts. The ship is old.' }])
    expect(code).toBe(0)
  })

  it('lets no control character of a text or of a name reach the terminal, nor any that turns the line around', async () => {
    const path = file('odd\u001b[2J\u202ename.txt', hostile)
    const { out } = await cli(['chunk', path, place.book, '--chunk-tokens', '20'])
    expect(out).not.toMatch(signs)
    expect(out).toMatch(/^odd\ufffd\[2J\ufffdname\.txt\n/)
  })

  it('shows the label of a page in one line, without such characters', () => {
    const pages = [{ number: 1, kind: 'page' as const, label: '\u001b]0;x\u0007\n\u202e1', start: 0, end: 9 }]
    const document = createDocument({ name: 'a.pdf', format: 'pdf', text: 'Of whales', sections: [], pages })
    expect(placeOfChunk(document, 0)).toBe('p. \ufffd]0;x\ufffd \ufffd1')
  })

  it('says so where there is nothing to cut', async () => {
    const outcome = await cli(['chunk', file('blank.txt', ' \n\n \n')])
    expectError(outcome, /Cannot read \S+blank\.txt as /)
    expect(outcome.code).toBe(5)
    const document = createDocument({ name: 'blank.txt', text: ' \n', sections: [] })
    expect(chunkPage([{ document, chunks: [] }], { chunker: 'x', chunkTokens: 9 })).toContain(
      'no chunks, as there is nothing but white space',
    )
  })

  it('counts as a named model does', { timeout: 60_000 }, async () => {
    const tokens = async (...flags: string[]): Promise<number[]> =>
      linesOf((await cli(['chunk', place.book, '--json', ...flags])).out).map((line) => line.tokens)
    const [estimated] = await tokens()
    const [counted] = await tokens('--model', 'local')
    expect(counted).toBeGreaterThan(10)
    expect(counted).toBeLessThan(estimated!)
    expect(await tokens('--model', 'openai:some-model@http://127.0.0.1:9/v1')).toEqual([estimated])
  })

  it('names the chunkers, where each cuts, and examples in its help', async () => {
    const { code, out } = await cli(['chunk', '--help'])
    expect(out).toMatch(/Chunkers:\n {2}sentence-packed +whole sentences[^]* {2}in-context +single sentences[^]*Examples:\n/)
    expect(code).toBe(0)
  })
})

describe('chunk refuses', () => {
  it.each<[string, string[], RegExp, number]>([
    ['no file', [], /missing required argument 'file'/, 2],
    ['an unknown chunker', ['BOOK', '--chunker', 'clever'], /argument 'clever' is invalid\. Allowed choices are sentence-packed,/, 2],
    ['no tokens', ['BOOK', '--chunk-tokens', '0'], /argument '0' is invalid\. It must be a whole number from 1/, 2],
    ['tokens below 0', ['BOOK', '--chunk-tokens=-5'], /argument '-5' is invalid\. It must be a whole number from 1/, 2],
    ['parts of tokens', ['BOOK', '--chunk-tokens', '1.5'], /argument '1\.5' is invalid\. It must be a whole number from 1/, 2],
    ['tokens that are no number', ['BOOK', '--chunk-tokens', 'many'], /argument 'many' is invalid\. It must be a whole number from 1/, 2],
    ['a model of no known form', ['BOOK', '--model', 'gpt-5'], /its name is not understood: gpt-5/, 2],
    ['standard input twice', ['-', '-'], /Cannot read standard input twice: give - once/, 2],
    ['a page that is no page', ['BOOK', '--view', 'out.txt'], /its name does not end in \.html: out\.txt\. Put --view last/, 2],
    ['a page and JSON at once', ['BOOK', '--json', '--view=x.html'], /Cannot use --view with --json/, 2],
    [
      'a page in a folder that is not there',
      ['BOOK', '--view=/no/such/x.html'],
      /Cannot write the page: ENOENT.*\. Use --view=OUT\.html/,
      2,
    ],
    ['a missing file', ['/no/such/book.txt'], /Cannot read \/no\/such\/book\.txt as there is no such file/, 5],
    ['a pattern without a file', ['/no/such/*.txt'], /Cannot read \/no\/such\/\*\.txt as no file matches it/, 5],
    ['a model file that is none', ['BOOK', '--model', '/no/such/model.gguf'], /Cannot .*\/no\/such\/model\.gguf/, 6],
  ])('%s', async (_, args, message, code) => {
    const outcome = await cli(['chunk', ...args.map((arg) => (arg === 'BOOK' ? place.book : arg))])
    expectError(outcome, message)
    expect(outcome.code).toBe(code)
  })

  it('goes on with no other file where one is missing', async () => {
    const outcome = await cli(['chunk', place.book, at('none.txt')])
    expectError(outcome, /none\.txt as there is no such file/)
    expect(outcome.code).toBe(5)
  })
})

describe('an interrupt of chunk', () => {
  it('ends the wait for standard input with 130', async () => {
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(new Readable({ read() {} }) as typeof process.stdin)
    const terminal = fakeTerminal()
    const running = runCli(['chunk', '-'], terminal)
    terminal.interrupt()
    expect(await running).toBe(130)
    expect([terminal.out, terminal.err, terminal.killed]).toEqual(['', 'Interrupted before all was cut\n', 0])
  })

  it('is seen while a long text is cut', async () => {
    file('long.txt', 'The whale swims in the wide sea. '.repeat(5_000))
    file('none.bin', Buffer.from([0, 1, 2, 3, 0, 255, 254, 0]))
    const terminal = fakeTerminal()
    const running = runCli(['chunk', place.folder, '--chunk-tokens', '12', '--json'], terminal)
    // The last that is written before the first cut.
    await terminal.says('none.bin')
    setImmediate(() => terminal.interrupt())
    expect(await running).toBe(130)
    expect(terminal.out).toBe('')
  })
})

describe('ask --chunker', () => {
  const remote = [
    '--model',
    'openai:test@http://127.0.0.1:9/v1',
    '--window',
    '4000',
    '--max-output',
    '300',
    '--strategy',
    'chain-of-agents',
  ]
  const found = 'NOTES: Ahab hunts the whale [q1].\nANSWER: Captain Ahab does.\nQUOTE: "Captain Ahab hunts the white whale."'

  /** The library with a scripted model in the place of the named one. */
  function scripted(): { readonly services: Services; readonly asked: AskOptions[]; readonly prompts: () => string[] } {
    const model = scriptedModel({ fallback: found, window: 4_000, maxOutput: 300 })
    const asked: AskOptions[] = []
    const keep = (options: AskOptions = {}): AskOptions => {
      asked.push(options)
      return { ...options, strategy: chainOfAgents({ model }) }
    }
    return {
      asked,
      services: {
        ask: (source, question, options) => ask(source, question, keep(options)),
        plan: (source, question, options) => plan(source, question, keep(options)),
      },
      prompts: () => model.calls.map(({ prompt }) => prompt),
    }
  }

  async function asking(services: Services, ...flags: string[]): Promise<{ code: number; out: string; err: string }> {
    const terminal = fakeTerminal({ env: { SCRIPTORIUM_HOME: place.store } })
    const code = await runCli(['ask', place.book, 'Who hunts?', ...remote, ...flags], terminal, services)
    return { code, out: terminal.out, err: terminal.err }
  }

  it('cuts what the run reads with the named chunker', async () => {
    const { services, asked, prompts } = scripted()
    const { code, out } = await asking(services, '--chunker', 'structural', '--chunk-tokens', '24', '--json')
    expect(asked[0]).toMatchObject({ chunker: { name: 'structural' }, chunkTokens: 24 })
    const { coverage, citations } = JSON.parse(out) as Answer
    expect(coverage.total).toBe(2)
    expect(prompts().some((prompt) => prompt.includes('CHAPTER II\n\nThe ship') && !prompt.includes('took his leg'))).toBe(true)
    for (const { start, end, quote } of citations) expect(text.slice(start, end)).toBe(quote)
    expect(code).toBe(0)
  })

  it('is planned with, too', async () => {
    const { services, asked } = scripted()
    const { code, out } = await asking(services, '--chunker', 'fixed-tokens', '--chunk-tokens', '10', '--dry-run', '--json')
    expect(asked[0]).toMatchObject({ chunker: { name: 'fixed-tokens' } })
    expect((JSON.parse(out) as { chunks: number }).chunks).toBeGreaterThan(2)
    expect(code).toBe(0)
  })

  it('leaves the choice to the library where none is named', async () => {
    const { services, asked } = scripted()
    await asking(services, '--dry-run')
    expect(asked[0]).not.toHaveProperty('chunker')
  })

  it('is named by the command that goes on with the run, which reads no chunk twice', async () => {
    const first = scripted()
    const flags = ['--chunker', 'recursive', '--chunk-tokens', '30']
    const stopped = await asking(first.services, ...flags, '--limit', 'calls=1')
    expect(stopped.code).toBe(4)
    const [, command = '', run = ''] = /To go on: scriptorium (ask .*) --resume (\S+)\n/.exec(stopped.err) ?? []
    expect(command).toContain('--chunker recursive --chunk-tokens 30')
    const second = scripted()
    const resumed = await asking(second.services, ...flags, '--resume', run, '--json')
    expect(JSON.parse(resumed.out)).toMatchObject({ status: 'answered', runId: run, usage: { reused: 1 } })
    expect(second.asked[0]).toMatchObject({ chunker: { name: 'recursive' }, resume: run })
    expect(second.prompts()).not.toContain(first.prompts()[0])
    expect(resumed.code).toBe(0)
  })

  it('refuses a chunker that is not known, before anything is asked', async () => {
    const { services, asked } = scripted()
    const { code, out, err } = await asking(services, '--chunker', 'clever')
    expect(err).toMatch(/'--chunker <name>' argument 'clever' is invalid\. Allowed choices are sentence-packed, /)
    expect([code, out, asked.length]).toEqual([2, '', 0])
  })
})
