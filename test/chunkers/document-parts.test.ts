import { describe, expect, it } from 'vitest'
import { citationHtml, createDocument, type DocumentInit, pageBoxes, placeOf, restoreDocument, saveDocument } from '../../chunkers/index.ts'

const init: DocumentInit = {
  name: 'whale.pdf',
  title: 'The Whale',
  format: 'pdf',
  text: 'Loomings\n\nCall me Ishmael. 🐳\n\nThe Carpet-Bag',
  sections: [{ start: 0, end: 45, title: 'Loomings', level: 1 }],
  pages: [
    { number: 1, kind: 'page', start: 0, end: 29, boxes: [{ start: 10, end: 26, x: 72, y: 90, width: 160, height: 11 }] },
    { number: 2, kind: 'page', label: 'ii', start: 31, end: 45 },
  ],
  marks: [{ type: 'bold', start: 0, end: 8 }],
  notes: ['Page 3 of 3 is a picture without text'],
}

describe('a document with pages and marks', () => {
  const document = createDocument(init)

  it('tells the page of an offset, also between pages', () => {
    expect([0, 26, 29, 31, 45].map((offset) => document.locate(offset).page)).toEqual([1, 1, 1, 2, 2])
    expect(placeOf(document, 12)).toBe('whale.pdf p. 1')
    expect(placeOf(document, 31)).toBe('whale.pdf p. ii')
    expect(placeOf(createDocument({ name: 'a.txt', text: 'a\nb' }), 2)).toBe('a.txt line 2')
  })

  it('is the same after it was saved and restored', () => {
    const restored = restoreDocument(JSON.parse(JSON.stringify(saveDocument(document))))
    expect(restored).toMatchObject({ id: document.id, title: 'The Whale', format: 'pdf', notes: document.notes })
    expect([restored.text, restored.sections, restored.pages, restored.marks]).toEqual([
      document.text,
      document.sections,
      document.pages,
      document.marks,
    ])
  })

  it('is not restored from what was changed, or is something else', () => {
    const saved = saveDocument(document)
    expect(() => restoreDocument({ ...saved, text: saved.text.replace('Call', 'Cell') })).toThrow('does not agree with its hash')
    expect(() => restoreDocument({ ...saved, pages: [{ number: 1, kind: 'page', start: 0, end: 99 }] })).toThrow('does not agree')
    for (const other of [undefined, {}, { ...saved, scriptoriumDocument: 2 }, { ...saved, marks: 'none' }]) {
      expect(() => restoreDocument(other)).toThrow('the value is none of version 1')
    }
  })

  it('gives the rectangles of a citation, in parts of lines', () => {
    const start = document.text.indexOf('Ishmael')
    expect(pageBoxes(document, { start, end: start + 7 })).toEqual([{ page: 1, x: 152, y: 90, width: 70, height: 11 }])
    expect(pageBoxes(document, { start: 31, end: 33 })).toEqual([])
    expect(() => pageBoxes(document, { start: 0, end: 99 })).toThrow(RangeError)
  })

  it('gives a citation as HTML, marked, with its place, nothing of it as markup', () => {
    const plain = createDocument({
      name: 'a<b>.txt',
      text: `${'word '.repeat(30)}if (a < b && "c") stop. ${'word '.repeat(30)}`,
      sections: [],
    })
    const start = plain.text.indexOf('if')
    expect(citationHtml(plain, { start, end: plain.text.indexOf(' stop') }, { around: 12 })).toBe(
      '<figure><blockquote dir="auto">… word word <mark>if (a &lt; b &amp;&amp; &quot;c&quot;)</mark> stop. word …</blockquote><figcaption>a&lt;b&gt;.txt line 1</figcaption></figure>',
    )
    expect(citationHtml(document, { start: 10, end: 17 })).toContain('<figcaption>whale.pdf p. 1 · Loomings</figcaption>')
  })

  it.each([
    ['pages that overlap', { pages: [init.pages![0]!, { number: 2, kind: 'page', start: 20, end: 30 }] }, 'starts before the end'],
    ['a page outside', { pages: [{ number: 1, kind: 'page', start: 0, end: 99 }] }, 'lies outside the text of 45'],
    ['a mark that cuts a pair', { marks: [{ type: 'bold', start: 0, end: 28 }] }, 'cuts a surrogate pair'],
    [
      'marks out of order',
      {
        marks: [
          { type: 'bold', start: 5, end: 8 },
          { type: 'bold', start: 0, end: 3 },
        ],
      },
      'starts before the one in front',
    ],
  ] satisfies [string, Partial<DocumentInit>, string][])('refuses %s', (_, change, message) => {
    expect(() => createDocument({ ...init, ...change })).toThrow(message)
  })

  it('finds its marks when they are first asked for, once', () => {
    let asked = 0
    const lazy = createDocument({ name: 'a', text: 'abc', marks: () => (asked++, [{ type: 'bold', start: 0, end: 1 }]) })
    lazy.locate(0)
    expect(asked).toBe(0)
    expect([lazy.marks, lazy.marks]).toEqual([[{ type: 'bold', start: 0, end: 1 }], lazy.marks])
    expect(asked).toBe(1)
  })
})
