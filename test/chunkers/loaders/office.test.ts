import { write, utils } from '@e965/xlsx'
import { unzipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { archive, makeDocx, makeEpub, makePptx, makeXlsx, paragraph, wordTable } from '../../../bench/samples/make-office.ts'
import { expectSound, marked, read, refusal } from './read.ts'

describe('a Word document', () => {
  it('is read with its headings, tables and emphasis', async () => {
    const body = [
      paragraph('The Voyage', { style: 'Heading1' }),
      paragraph('Call me '),
      paragraph('Ishmael', { bold: true }),
      paragraph('The Crew', { style: 'Heading2' }),
      wordTable([
        ['Name', 'Rank'],
        ['Ahab', 'captain'],
      ]),
    ].join('')
    const document = await read(makeDocx(body), 'voyage.docx')
    expect(document.text).toBe('The Voyage\n\nCall me\n\nIshmael\n\nThe Crew\n\nName | Rank\nAhab | captain')
    expect(document.sections.map(({ title, level }) => [title, level])).toEqual([
      ['The Voyage', 1],
      ['The Crew', 2],
    ])
    expect(marked(document, 'bold')).toEqual([['Ishmael', undefined]])
    expect(marked(document, 'table')).toEqual([['Name | Rank\nAhab | captain', 'Name | Rank']])
    expectSound(document)
  })

  it('has the title of its properties, else of its first lines', async () => {
    const styled = (styles: string, more: Readonly<Record<string, string>> = {}): Buffer => {
      const files = unzipSync(makeDocx(paragraph('The Voyage', { style: 'Titel' }) + paragraph('Call me Ishmael.')))
      return archive({ ...files, 'word/styles.xml': styles, ...more })
    }
    const styles =
      '<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph" w:styleId="Titel"><w:name w:val="Title"/></w:style></w:styles>'
    expect(await read(styled(styles), 'a.docx')).toMatchObject({ title: 'The Voyage', text: 'The Voyage\n\nCall me Ishmael.' })
    const core = '<cp:coreProperties xmlns:cp="c" xmlns:dc="d"><dc:creator>A</dc:creator><dc:title>The Log</dc:title></cp:coreProperties>'
    expect((await read(styled(styles, { 'docProps/core.xml': core }), 'a.docx')).title).toBe('The Log')
  })

  it.each([
    ['right to left', 'קראו לי ישמעאל'],
    ['Chinese', '叫我以实玛利。几年前,我出海去。'],
    ['emoji and joined ones', 'A whale 🐳 and a family 👩‍👩‍👧‍👦'],
    ['combining marks', 'Noe\u0308l, a\u0301'],
  ])('keeps text %s', async (_, text) => {
    const document = await read(makeDocx(paragraph(text)), 'text.docx')
    expect(document.text).toBe(text)
    expectSound(document)
  })
})

describe('an old or locked Office file', () => {
  it.each([
    ['EncryptedPackage', 'encrypted', 'remove its password first'],
    ['WordDocument', 'unsupported', 'save it as DOCX'],
    ['PowerPoint Document', 'unsupported', 'save it as PPTX'],
  ])('that holds %s is refused as %s', async (entry, reason, hint) => {
    const file = Buffer.concat([
      Buffer.from('d0cf11e0a1b11ae1', 'hex'),
      Buffer.alloc(504),
      Buffer.from(`${entry}\0`, 'utf16le'),
      Buffer.alloc(64),
    ])
    expect(await refusal(file, 'office')).toMatchObject({ reason, message: expect.stringContaining(hint) })
  })
})

describe('a presentation', () => {
  it('is read slide by slide, with its notes, in its own order', async () => {
    const slides = [
      { title: 'Results', body: ['Up by 3 %', 'Down by 1 %'], notes: 'Mention the weather.' },
      {
        title: 'Plan',
        body: ['Sail'],
        table: [
          ['Port', 'Day'],
          ['Nantucket', '1'],
        ],
      },
    ]
    const document = await read(makePptx(slides), 'talk.pptx')
    expect(document.text).toBe('Results\n\nUp by 3 %\nDown by 1 %\n\nMention the weather.\n\nPlan\n\nSail\n\nPort | Day\nNantucket | 1')
    expect(marked(document, 'notes')).toEqual([['Mention the weather.', undefined]])
    expect(marked(document, 'table')).toEqual([['Port | Day\nNantucket | 1', 'Port | Day']])
    expect(document.locate(document.text.indexOf('Nantucket'))).toMatchObject({ page: 2, place: 'slide 2', sections: ['Plan'] })
    expectSound(document)
  })
})

describe('a workbook', () => {
  it('is read sheet by sheet and row by row, as it is displayed', async () => {
    const book = utils.book_new()
    utils.book_append_sheet(
      book,
      utils.aoa_to_sheet([['Ship', 'Share'], ['Pequod', { t: 'n', v: 0.25, z: '0%' }], [], ['Rachel', true]]),
      'Ships',
    )
    utils.book_append_sheet(book, utils.aoa_to_sheet([['alone']]), 'Other')
    const document = await read(write(book, { type: 'buffer', bookType: 'xlsx' }) as Buffer, 'ships.xlsx')
    expect(document.text).toBe('Ships\n\nShip | Share\nPequod | 25%\nRachel | TRUE\n\nOther\n\nalone')
    expect(document.format).toBe('xlsx')
    expect(document.sections.map(({ title }) => title)).toEqual(['Ships', 'Other'])
    expect(marked(document, 'table')).toEqual([['Ship | Share\nPequod | 25%\nRachel | TRUE', 'Ship | Share']])
  })

  it.each(['xls', 'ods', 'xlsb'] as const)('is read as %s too', async (bookType) => {
    const book = utils.book_new()
    utils.book_append_sheet(
      book,
      utils.aoa_to_sheet([
        ['Ship', 'Captain'],
        ['Pequod', 'Ahab'],
      ]),
      'Ships',
    )
    const document = await read(write(book, { type: 'buffer', bookType }) as Buffer, 'without extension')
    expect(document.text).toBe('Ships\n\nShip | Captain\nPequod | Ahab')
  })

  it('that states a vast range costs no more than its cells', async () => {
    const { text } = await read(makeXlsx({ A1: 'near', XFD1048576: 'far' }), 'vast.xlsx')
    expect(text).toBe(`Sheet\n\nnear\n${' | '.repeat(16)}far`)
  })
})

describe('an e-book', () => {
  it('is read chapter by chapter, with titles of the contents where chapters have none', async () => {
    const chapters = {
      'one.xhtml': '<h1>Loomings</h1><p>Call me<br/>Ishmael.</p><a id="x"/><p>More.</p>',
      'two.xhtml': '<p>The <b>bag</b>.</p>',
    }
    const document = await read(makeEpub(chapters, { 'one.xhtml': 'Loomings', 'two.xhtml': 'The Carpet-Bag' }), 'book.epub')
    expect(document.text).toBe('Loomings\n\nCall me\nIshmael.\n\nMore.\n\nThe bag.')
    expect(document).toMatchObject({ title: 'The Whale', format: 'epub' })
    expect(document.sections.map(({ title }) => title)).toEqual(['Loomings', 'The Carpet-Bag'])
    expect(marked(document, 'bold')).toEqual([['bag', undefined]])
    expectSound(document)
  })

  it('is decoded as its parts declare', async () => {
    const files = unzipSync(makeEpub({ 'one.xhtml': '' }))
    const chapter = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><html><body><p>Größe</p></body></html>', 'latin1')
    expect((await read(archive({ ...files, 'OEBPS/one.xhtml': chapter }), 'a.epub')).text).toBe('Größe')
  })

  it('under rights management is refused', async () => {
    const encryption =
      '<encryption><EncryptedData><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></EncryptedData></encryption>'
    const error = await refusal(
      archive({ mimetype: 'application/epub+zip', 'META-INF/container.xml': '<x/>', 'META-INF/encryption.xml': encryption }),
    )
    expect(error.reason).toBe('encrypted')
  })
})
