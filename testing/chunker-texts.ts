import type { DocumentInit, Mark, Page, Section } from '../chunkers/index.ts'

/** Texts that are hard to cut. */
export const CHUNKER_TEXTS: Readonly<Record<string, string>> = {
  'one word': 'whale',
  'short sentences': 'Call me Ishmael. Some years ago I went to sea. Why? It is a way I have!\n\nThe second paragraph is here.\n',
  'hard-wrapped lines with CRLF':
    'It was a cloudy, sultry afternoon; the seamen\r\nwere lazily lounging about the decks.\r\n\r\nAnother paragraph\r\nfollows it.\r\n'.repeat(
      20,
    ),
  'a long sentence': `${'and the sea rolled on, '.repeat(400)}as it rolled long ago.`,
  'a line of 100,000 characters without a space': 'abcdefghij'.repeat(10_000),
  'a line of 100,000 characters': 'word '.repeat(20_000),
  'scripts without spaces': '我叫以实玛利。几年以前，我出海去了。'.repeat(60) + 'ฉันชื่ออิชมาเอล'.repeat(60),
  'emoji and joined emoji': '👩‍👩‍👧‍👦🐳🇬🇧👍🏽'.repeat(50),
  'flags without a space': '🇬🇧🇫🇷🇩🇪'.repeat(1000),
  'marks over white space and after full stops': 'One \u0301 two.\u0301 Three\u3002\u0301four \u0600 five, \u0308six.\n\u0301Seven.'.repeat(
    20,
  ),
  'a letter under 3,000 marks': `one e${'\u0301'.repeat(3000)} two`,
  'mixed scripts': 'שלום עולם. Привет, мир! नमस्ते दुनिया। Γειά σου Κόσμε; hello 🌍.\n'.repeat(30),
  'blank lines and odd white space': '\uFEFF\n\n\u00A0a\u2003b\n \t\n\r\n\r\nc\n\n\n\n\u3000d\r\n\r',
  headings:
    '# One\n\nText of one. More.\n\n## Two\n\nText of two.\n\nCHAPTER 1. Loomings.\n\nCall me Ishmael.\n\nCHAPTER 2\n\nThe Carpet-Bag\n\nI stuffed a shirt.\n',
}

/** Documents with pages, marks and sections. */
export const CHUNKER_DOCUMENTS: Readonly<Record<string, DocumentInit>> = {
  'a table under a heading': table(40),
  'nested lists and code': list(30),
  'a deck of slides with notes': slides(8),
  'a transcript': transcript(30),
}

function table(rows: number): DocumentInit {
  const header = '| Ship | Home | Crew |'
  const lines = Array.from({ length: rows }, (_, at) => `| Pequod ${at} | Nantucket, Massachusetts | ${at * 7} hands |`)
  const head = '# Ships\n\nThose that were seen.\n\n'
  const body = `${header}\n| --- | --- | --- |\n${lines.join('\n')}`
  const marks: Mark[] = [{ type: 'table', start: head.length, end: head.length + body.length, value: header }]
  let start = head.length
  for (const line of body.split('\n')) {
    if (!line.includes('---')) marks.push({ type: 'row', start, end: start + line.length })
    start += line.length + 1
  }
  const text = `${head}${body}\n\nAfter the table comes a sentence.\n`
  return { name: 'ships.md', text, marks, sections: [{ title: 'Ships', level: 1, start: 0, end: text.length }] }
}

function list(items: number): DocumentInit {
  const marks: Mark[] = []
  let text = 'What to bring:\n\n'
  for (let at = 0; at < items; at++) {
    const item = `- item ${at}, which is needed on board\n  - and its cover`
    marks.push({ type: 'item', start: text.length, end: text.length + item.length })
    marks.push({ type: 'item', start: text.length + item.indexOf('  - ') + 2, end: text.length + item.length })
    text += `${item}\n`
  }
  const code = '```js\nconst ship = { name: "Pequod" }\n\nsail(ship)\n```'
  text += '\n'
  marks.push({ type: 'code', start: text.length, end: text.length + code.length, value: 'js' })
  return { name: 'list.md', text: text + code, marks, sections: [] }
}

function slides(count: number): DocumentInit {
  const [pages, marks, sections]: [Page[], Mark[], Section[]] = [[], [], []]
  let text = ''
  for (let number = 1; number <= count; number++) {
    const start = text.length
    const title = `Part ${number}`
    const body = `${title}\n\nThe whale is large.\nIt swims.`
    const notes = 'Say how large: some are thirty yards long.'
    // Every third slide holds nothing.
    text += number % 3 === 0 ? '' : `${body}\n\n${notes}`
    pages.push({ number, kind: 'slide', start, end: text.length })
    if (number % 3 === 0) continue
    sections.push({ title, level: 1, start, end: text.length })
    marks.push({ type: 'notes', start: text.length - notes.length, end: text.length })
    text += '\n\n'
  }
  return { name: 'slides.pptx', format: 'pptx', text, pages, marks, sections }
}

function transcript(turns: number): DocumentInit {
  const marks: Mark[] = []
  let text = ''
  for (let at = 0; at < turns; at++) {
    const start = text.length
    text += `${'All hands on deck, for the wind is rising. '.repeat(1 + (at % 4))}\n`
    marks.push({ type: 'time', start, end: text.length - 1, value: `00:${String(at).padStart(2, '0')}:00.000` })
    marks.push({ type: 'speaker', start, end: text.length - 1, value: at % 2 === 0 ? 'Ahab' : 'Starbuck' })
  }
  return { name: 'deck.vtt', format: 'subtitles', text, marks, sections: [] }
}
