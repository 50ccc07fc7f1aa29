import { createHash } from 'node:crypto'
import { linkSync, readFileSync, symlinkSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createDocument, sentencePacked } from '../../chunkers/index.ts'
import { chunkPage } from '../../cli/chunk-page.ts'
import { at, hostile, type Line, linesOf, signs } from './chunk-lines.ts'
import { cli, expectError, file, place, text, useCommand } from './command.ts'

useCommand()

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
    expect(html).not.toMatch(signs)
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
  return own.replace(new RegExp(signs, 'g'), '\ufffd')
}

/** The kinds of tags of a page. */
function tagsOf(html: string): string[] {
  return [...new Set(Array.from(html.matchAll(/<(\/?[a-z][a-z0-9]*)/g), ([, tag]) => tag!))]
}

function hashOf(code: string): string {
  return `sha256-${createHash('sha256').update(code).digest('base64')}`
}
