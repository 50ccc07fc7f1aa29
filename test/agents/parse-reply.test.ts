import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseReply } from '../../agents/index.ts'

describe('parseReply', () => {
  it.each([
    [
      'the form that is asked for',
      'NOTES: Ahab lost a leg [q1].\nQUOTE [q1]: "his ivory leg"',
      'Ahab lost a leg [q1].',
      [{ label: 'q1', text: 'his ivory leg' }],
    ],
    ['a missing notes label', 'Ahab lost a leg.\nQUOTE: "his ivory leg"', 'Ahab lost a leg.', [{ text: 'his ivory leg' }]],
    ['bold labels and bullets', '**Notes:** Ahab.\n- **Quote:** “his ivory leg”', 'Ahab.', [{ text: 'his ivory leg' }]],
    [
      'headings with a list under them',
      '## Notes:\nAhab.\n\n## Quotes:\n1. "his ivory leg"\n2. „the white whale“',
      'Ahab.',
      [{ text: 'his ivory leg' }, { text: 'the white whale' }],
    ],
    ['a bare id before the quotation', 'Notes: Ahab.\n[q3] "his ivory leg"', 'Ahab.', [{ label: 'q3', text: 'his ivory leg' }]],
    ['an id after the quotation', 'Notes: Ahab.\nQuote: "his ivory leg" [q2]', 'Ahab.', [{ label: 'q2', text: 'his ivory leg' }]],
    [
      'a quotation over two lines',
      'Notes: Ahab.\nQUOTE: "his ivory\nleg"\nQUOTE: "whale oil"',
      'Ahab.',
      [{ text: 'his ivory\nleg' }, { text: 'whale oil' }],
    ],
    [
      'JSON in a fence',
      '```json\n{"notes": "Ahab.", "quotes": ["his ivory leg", {"id": "q2", "quote": "whale oil"}]}\n```',
      'Ahab.',
      [{ text: 'his ivory leg' }, { label: 'q2', text: 'whale oil' }],
    ],
    ['lines in a fence', '```\nNOTES: Ahab.\nQUOTE: "his ivory leg"\n```', 'Ahab.', [{ text: 'his ivory leg' }]],
    ['thoughts before it', '<think>QUOTE: "no"</think>NOTES: Ahab.', 'Ahab.', []],
    ['a quotation that is none', 'NOTES: Ahab.\nQUOTE: none', 'Ahab.', []],
    ['broken JSON as prose', '{"notes": "Ahab', '{"notes": "Ahab', []],
  ])('reads %s', (_, reply, notes, quotes) => expect(parseReply(reply)).toEqual({ notes, quotes, nothingNew: false }))

  it.each(['NOTHING NEW', 'Nothing new.', 'NOTES: NOTHING NEW', '**NOTES:** None', '{"notes": "nothing new", "quotes": []}'])(
    'knows %j as nothing new',
    (reply) => expect(parseReply(reply)).toEqual({ notes: '', quotes: [], nothingNew: true }),
  )

  it('never throws', () => {
    const reply = fc
      .array(fc.constantFrom('NOTES:', 'QUOTE [q1]:', '"', '“', '{', '}', '[q2]', '\n', '- ', '**', 'a whale', '```', '<think>'))
      .map((parts) => parts.join(' '))
    fc.assert(fc.property(reply, (text) => typeof parseReply(text).notes === 'string'))
  })
})
