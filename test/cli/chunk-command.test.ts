import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { chunkPage } from '../../cli/chunk-page.ts'
import { placeOfChunk } from '../../cli/cut-document.ts'
import { runCli } from '../../cli/run-cli.ts'
import type { Services } from '../../cli/run-ask.ts'
import { type Chunk, createDocument, sentencePacked } from '../../chunkers/index.ts'
import { scriptedModel } from '../../testing/index.ts'
import { type Answer, ask, type AskOptions, chainOfAgents, plan } from '../../workflows/index.ts'
import { cli, expectError, file, place, text, useCommand } from './command.ts'
import { fakeTerminal } from './fake-terminal.ts'

useCommand()
afterEach(() => vi.restoreAllMocks())

type Line = Omit<Chunk, 'vector'> & { readonly document: string; readonly line: number; readonly place?: string }

function linesOf(out: string): Line[] {
  expect(out).toMatch(/\n$/)
  return out
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

/** The name of a file that is not there yet. */
const at = (name: string): string => join(place.folder, name)

function stdin(...parts: string[]): void {
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(Readable.from(parts.map((part) => Buffer.from(part))) as typeof process.stdin)
}

/** Every kind of text that could end an attribute, an element or a line, or turn the writing around. */
const hostile = [
  `</script><script>alert(1)</script> is said.`,
  `</span></div></main><img src="https://evil.example/x.png" onerror='alert(2)'> is shown.`,
  `" onmouseover="alert(3)" and ' onfocus='alert(4)' and \`\${alert(5)}\` are quoted.`,
  `<style>@import url(//evil.example/a.css)</style><base href="https://evil.example/"> is styled.`,
  `<!-- ]]> --> &lt;b&gt; &amp;#60; is &copy; escaped.`,
  `\u202eright to left\u202c and \u2066isolated\u2069 and \u061cmarked\u200f is turned.`,
  `\u001b[31mred\u0007 and \u009b2J is coloured.`,
].join('\n\n')

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
    // oxlint-disable-next-line no-control-regex
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
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

describe('chunk --view', () => {
  async function view(content: string, ...flags: string[]): Promise<{ readonly html: string; readonly chunks: Line[] }> {
    const path = file('seen.txt', content)
    const page = at('page.html')
    const outcome = await cli(['chunk', path, '--chunk-tokens', '20', ...flags, '--view', page])
    expect(outcome).toMatchObject({ code: 0, out: `${page}\n`, err: '' })
    return {
      html: readFileSync(page, 'utf8'),
      chunks: linesOf((await cli(['chunk', path, '--chunk-tokens', '20', ...flags, '--json'])).out),
    }
  }

  it('shows every chunk once, in order, with its place and tokens', async () => {
    const { html, chunks } = await view(text)
    expect(chunks.length).toBeGreaterThan(1)
    expect([...html.matchAll(/<span class="chunk [^>]*id="([^"]*)"/g)].map(([, id]) => id)).toEqual(
      chunks.map(({ index }) => `d0c${index}`),
    )
    for (const { index, text: own, tokens, line } of chunks) {
      expect(html.split(`>${index}</a>${escaped(own)}<span class="tip"`).length).toBe(2)
      expect(html).toContain(`aria-label="Chunk ${index}, ${tokens} tokens, line ${line}"`)
    }
    expect(shownText(html)).toBe(text.trimEnd())
  })

  it('keeps a hostile text a text', async () => {
    const { html, chunks } = await view(hostile)
    expect(tagsOf(html)).toEqual(tagsOf((await view(hostile.replace(/\S/g, 'x'))).html))
    expect(html.match(/<script/g)).toHaveLength(1)
    expect(html.match(/<\/script/g)).toHaveLength(1)
    expect(html).toContain('&#60;/script&#62;&#60;script&#62;alert(1)&#60;/script&#62; is said.')
    expect(html).toContain('&#34; onmouseover=&#34;alert(3)&#34; and &#39; onfocus=&#39;alert(4)&#39;')
    expect(html).toContain('&#38;lt;b&#38;gt; &#38;amp;#60;<span')
    expect(html).toContain('is &#38;copy; escaped.')
    expect(chunks.length).toBeGreaterThan(5)
    expect(shownText(html)).toBe(withSigns(hostile))
  })

  it('shows signs that turn the writing around, and control characters, as signs', async () => {
    const { html } = await view(hostile)
    // oxlint-disable-next-line no-control-regex
    expect(html).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
    expect(html).toContain('\ufffdright to left\ufffd and \ufffdisolated\ufffd and \u061cmarked\u200f is turned.')
    expect(html).toContain('\ufffd[31mred\ufffd and \ufffd2J is coloured.')
    for (const [tag] of html.matchAll(/<span class="chunk [^>]*>/g)) expect(tag).toContain('dir="auto"')
  })

  it('may load and run nothing but its own style and script, by their hashes', async () => {
    const { html } = await view(hostile)
    const [, policy = ''] = /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(html) ?? []
    const [, style = ''] = /<style>([^]*?)<\/style>/.exec(html) ?? []
    const [, script = ''] = /<script>([^]*?)<\/script>/.exec(html) ?? []
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `style-src '${hashOf(style)}'`,
      `script-src '${hashOf(script)}'`,
      "base-uri 'none'",
      "form-action 'none'",
    ])
    expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<title>'))
    expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.indexOf('<style>'))
  })

  it('has no address outside of it and no code in its attributes', async () => {
    const { html } = await view(hostile)
    const tags = html.match(/<[a-z][^>]*>/g) ?? []
    expect(tags.length).toBeGreaterThan(20)
    for (const tag of tags) {
      expect(tag).not.toMatch(/\s(src|srcset|action|style|on\w+)=/)
      if (/\shref=/.test(tag)) expect(tag).toMatch(/\shref="#d0c\d+"/)
    }
    const [, style = ''] = /<style>([^]*?)<\/style>/.exec(html) ?? []
    expect(style).not.toMatch(/url\(|@import|\/\//)
  })

  it('escapes names, section titles and contexts', async () => {
    const name = `<img src=x onerror="alert(1)">&'.md`
    const title = `</span><b onclick='alert(2)'> & "co"`
    const content = `# ${title}\n\nOf whales.\n`
    const document = createDocument({
      name,
      text: content,
      sections: [{ title, level: 1, start: 0, end: content.length }],
    })
    const [chunk] = sentencePacked().chunk(document, { maxTokens: 99, count: (part) => part.length >> 2 })
    const html = chunkPage([{ document, chunks: [{ ...chunk!, context: `</main><script>alert(3)</script>` }] }], {
      chunker: 'x',
      chunkTokens: 99,
    })
    expect(html).toContain(`<title>Chunks of ${escaped(name)}</title>`)
    expect(html).toContain(`<h1>${escaped(name)}</h1>`)
    expect(html).toContain(`<span class="path">${escaped(title)}</span>`)
    expect(html).toContain(`<span class="context">${escaped('</main><script>alert(3)</script>')}</span>`)
    expect(html).not.toMatch(/<img|<b on|<script>alert/)
  })

  it('gives each of several files a part of its own, and no two chunks the same mark', async () => {
    const other = file('other.txt', 'Nothing of the kind.')
    await cli(['chunk', place.book, other, '--chunk-tokens', '14', '--view', at('two.html')])
    const html = readFileSync(at('two.html'), 'utf8')
    expect([...html.matchAll(/<h1>(.*)<\/h1>/g)].map(([, name]) => name)).toEqual(['whale.txt', 'other.txt'])
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toContain('d1c0')
    for (const [, target] of html.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target)
  })

  it('is written over an earlier page and an empty file', async () => {
    file('page.html', '')
    for (const content of [place.book, file('other.txt', 'Nothing of the kind.')])
      expect(await cli(['chunk', content, '--view', at('page.html')])).toMatchObject({ code: 0 })
    expect(readFileSync(at('page.html'), 'utf8')).toContain('Nothing of the kind.')
  })

  const site = '<!doctype html><html><body><p>All that was written of whales.</p></body></html>\n'
  it.each<[string, () => string[]]>([
    ['a file that is read', () => [at('site.html'), '--view', at('site.html')]],
    ['one named in another way', () => [at('site.html'), `--view=${place.folder}/./site.html`]],
    ['one of a folder that is read', () => [place.folder, `--view=${at('site.html')}`]],
    ['one that a pattern names', () => [`${place.folder}/*.html`, `--view=${at('site.html')}`]],
    ['one behind a symbolic link', () => [at('site.html'), `--view=${at('link.html')}`]],
    ['one behind a hard link', () => [at('site.html'), `--view=${at('hard.html')}`]],
    ['one that was meant to be read', () => [place.book, '--view', at('site.html'), at('whale.txt')]],
  ])('is not written over %s', async (_, args) => {
    file('site.html', site)
    symlinkSync(at('site.html'), at('link.html'))
    linkSync(at('site.html'), at('hard.html'))
    const outcome = await cli(['chunk', ...args()])
    expectError(outcome, /Cannot write the page over a file that is (read|none of this command's pages): .*Use --view=OUT\.html/)
    expect(outcome.code).toBe(2)
    expect(readFileSync(at('site.html'), 'utf8')).toBe(site)
  })

  it('is not written over an earlier page that is read', async () => {
    await cli(['chunk', place.book, '--view', at('page.html')])
    const before = readFileSync(at('page.html'), 'utf8')
    expectError(await cli(['chunk', at('page.html'), '--view', at('page.html')]), /over a file that is read/)
    expect(readFileSync(at('page.html'), 'utf8')).toBe(before)
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

function escaped(own: string): string {
  return own.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/** What a page shows of the text: without marks and notes. */
function shownText(html: string): string {
  const [, body = ''] = /<div class="text[^>]*>([^]*)<\/div>\n<\/section>/.exec(html) ?? []
  return body
    .replace(/<span class="tip"[^]*?<\/span>(?=<\/span>)/g, '')
    .replace(/<a class="mark"[^]*?<\/a>/g, '')
    .replace(/<[^>]*>/g, '')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
}

function withSigns(own: string): string {
  // oxlint-disable-next-line no-control-regex
  return own.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** The kinds of tags of a page. */
function tagsOf(html: string): string[] {
  return [...new Set(Array.from(html.matchAll(/<(\/?[a-z][a-z0-9]*)/g), ([, tag]) => tag!))]
}

function hashOf(code: string): string {
  return `sha256-${createHash('sha256').update(code).digest('base64')}`
}
