import { describe, expect, it } from 'vitest'
import { pageBoxes, placeOf, type ScannedPage } from '../../../chunkers/index.ts'
import { lines, makePdf, PAGE, type PdfPage } from '../../../bench/samples/make-pdf.ts'
import { expectSound, marked, read, refusal } from './read.ts'

const LEFT = [
  'The left column begins the story of',
  'a voyage and it tells of the ship and',
  'of her crew until the column ends and',
  'then the reader goes on to the right.',
]
const RIGHT = [
  'Here the right column takes it up and',
  'tells of the whale which they hunted',
  'across all the oceans of the world to',
  'the very end of the book as it were.',
]

describe('a PDF', () => {
  it('is read in paragraphs with its pages and its title', async () => {
    const first = [
      ...lines(['Call me Ishmael. Some years ago, never mind how', 'long precisely, I went to sea.']),
      ...lines(['A second paragraph stands further below, and it', 'is one of its own.'], { top: 640 }),
    ]
    const document = await read(makePdf([{ texts: first }, { texts: lines(['The last page.']) }], { title: 'Moby-Dick' }), 'whale.pdf')
    expect(document.text).toBe(
      'Call me Ishmael. Some years ago, never mind how long precisely, I went to sea.\n\nA second paragraph stands further below, and it is one of its own.\n\nThe last page.',
    )
    expect(document).toMatchObject({ format: 'pdf', title: 'Moby-Dick', notes: [] })
    expect(document.pages.map(({ start, end }) => document.slice(start, end).length > 0)).toEqual([true, true])
    expect(document.locate(document.text.indexOf('went'))).toMatchObject({ page: 1, place: 'p. 1' })
    expect(placeOf(document, document.text.indexOf('last'))).toBe('whale.pdf p. 2')
    expectSound(document)
  })

  it('is read column by column, a title across them first', async () => {
    const texts = [
      ...lines(['A TITLE THAT STANDS ACROSS BOTH OF THE COLUMNS OF THIS PAGE'], { top: 730 }),
      ...lines(LEFT, { x: 72 }),
      ...lines(RIGHT, { x: 320 }),
    ]
    const { text } = await read(makePdf([{ texts }]), 'columns.pdf')
    expect(text.replace(/\s+/g, ' ')).toBe([texts[0]!.text, ...LEFT, ...RIGHT].join(' '))
  })

  it('makes parted words whole, and keeps the hyphen of those that have one elsewhere', async () => {
    const page = lines(['This is a well-known example of hyphen-', 'ation, and of the well-', 'known kind.'])
    const { text } = await read(makePdf([{ texts: page }]), 'hyphens.pdf')
    expect(text).toBe('This is a well-known example of hyphenation, and of the well-known kind.')
  })

  it('is read without its headers, footers and page numbers', async () => {
    const pages = Array.from({ length: 5 }, (_, at): PdfPage => ({
      texts: [
        { text: `Moby-Dick ${at + 11}`, x: 72, y: 760 },
        ...lines([`The text of page ${at + 1} is here.`], { top: 600 }),
        { text: `- ${at + 11} -`, x: 300, y: 30 },
      ],
    }))
    const { text } = await read(makePdf(pages), 'heads.pdf')
    expect(text.split('\n\n')).toEqual(Array.from({ length: 5 }, (_, at) => `The text of page ${at + 1} is here.`))
  })

  it('gives tables as rows with their header', async () => {
    const rows = [
      ['Ship', 'Captain', 'Whales'],
      ['Pequod', 'Ahab', '1'],
      ['Rachel', 'Gardiner', '2'],
      ['Jeroboam', 'Mayhew', '3'],
    ]
    const texts = rows.flatMap((row, at) => row.map((text, column) => ({ text, x: 72 + column * 150, y: 700 - at * 14 })))
    const document = await read(makePdf([{ texts }]), 'table.pdf')
    expect(document.text).toBe(rows.map((row) => row.join(' | ')).join('\n'))
    expect(marked(document, 'table')).toEqual([[document.text, 'Ship | Captain | Whales']])
    expect(marked(document, 'row').map(([text]) => text)).toEqual(rows.map((row) => row.join(' | ')))
  })

  it('keeps the lines of code', async () => {
    const code = ['for (const ship of ships) {', 'sail(ship)', '}']
    const texts = [...lines(['Run this:'], { top: 730 }), ...lines(code, { font: 'mono' as never })]
    const document = await read(makePdf([{ texts }]), 'code.pdf')
    expect(marked(document, 'code')).toEqual([[code.join('\n'), undefined]])
  })

  it('takes its sections from the outline, else from what is set larger', async () => {
    const pages = ['Loomings', 'The Carpet-Bag'].map((title): PdfPage => ({
      texts: [
        { text: title, x: 72, y: 740, size: 18 },
        ...lines(['It is a text of some length that follows the heading.', 'And it has another line.']),
      ],
    }))
    const bySize = await read(makePdf(pages), 'a.pdf')
    expect(bySize.sections.map(({ title, level }) => [title, level])).toEqual([
      ['Loomings', 1],
      ['The Carpet-Bag', 1],
    ])
    const outline = [
      { title: 'Loomings', page: 1 },
      { title: 'The Carpet-Bag', page: 2 },
    ]
    const byOutline = await read(makePdf(pages, { outline }), 'b.pdf')
    expect(byOutline.sections.map(({ title }) => title)).toEqual(['Loomings', 'The Carpet-Bag'])
    expect(byOutline.locate(byOutline.text.lastIndexOf('another'))).toMatchObject({ sections: ['The Carpet-Bag'], page: 2 })
  })

  it('tells where on the page a citation stands', async () => {
    const document = await read(makePdf([{ texts: lines(['Call me Ishmael.', 'I went to sea in a ship.'], { top: 700 }) }]), 'boxes.pdf')
    const start = document.text.indexOf('went')
    const [box, ...rest] = pageBoxes(document, { start, end: start + 'went to sea'.length })
    expect(rest).toEqual([])
    expect(box?.page).toBe(1)
    // The second baseline is at 687 from the bottom.
    expect(PAGE.height - 687 - box!.y).toBeGreaterThan(0)
    expect(PAGE.height - 687 - box!.y).toBeLessThan(12)
    expect(box!.x).toBeGreaterThan(72)
    expect(box!.width).toBeGreaterThan(20)
    expect(box!.width).toBeLessThan(100)
  })

  it('says which pages are pictures, and has a hook read them', async () => {
    const pdf = makePdf([{ texts: lines(['A page of text, long enough to be one.']) }, { picture: true }])
    const without = await read(pdf, 'scan.pdf')
    expect(without.notes).toEqual(['Page 2 of 2 is a picture without text'])
    expect(without.pages.map(({ scanned = false }) => scanned)).toEqual([false, true])
    const asked: ScannedPage[] = []
    const ocr = (page: ScannedPage): Promise<string> => (asked.push(page), Promise.resolve('What the picture says.'))
    const read2 = await read(pdf, 'scan.pdf', { ocr })
    expect(read2.text).toBe('A page of text, long enough to be one.\n\nWhat the picture says.')
    expect(read2.locate(read2.text.indexOf('picture'))).toMatchObject({ page: 2 })
    expect(read2.notes).toEqual([])
    expect(asked).toMatchObject([{ source: 'scan.pdf', number: 2, width: PAGE.width, height: PAGE.height }])
    expect(asked[0]!.images.map(({ width, height, data }) => [width, height, [...data]])).toEqual([
      [2, 2, [0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 255]],
    ])
    await expect(read(pdf, 'scan.pdf', { ocr: () => Promise.reject(new Error('no engine')) })).rejects.toThrow('no engine')
  })

  it('of pictures alone is refused, and says what to do', async () => {
    const error = await refusal(makePdf([{ picture: true }, { picture: true }]), 'scan.pdf')
    expect(error.reason).toBe('empty')
    expect(error.message).toBe(
      'Cannot read scan.pdf as its 2 pages are pictures of pages, without text: run OCR on it first, or give an ocr function',
    )
  })

  it('that is cut short or overwritten is refused', async () => {
    const pdf = makePdf([{ texts: lines(['Some text']) }])
    expect(await refusal(pdf.subarray(0, pdf.length - 200), 'cut.pdf')).toMatchObject({ reason: 'damaged', source: 'cut.pdf' })
    expect(await refusal(Buffer.from('%PDF-1.4\nnothing of it\n%%EOF\n'), 'bad.pdf')).toMatchObject({ reason: 'damaged' })
  })
})
