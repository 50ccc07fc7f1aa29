/** A chunker and a strategy of one's own, on the bundled model: nothing of a state machine has to be written. */
import { ask, createDocument, defineStrategy, openLocalModel } from 'scriptorium'
import { quotingWorker } from 'scriptorium/agents'
import { defineChunker } from 'scriptorium/chunkers'

const poem = createDocument({
  name: 'ships.txt',
  text: [
    'The Rachel sailed in search of her missing children.',
    'The Delight buried one of five stout men that night.',
    'The Bachelor was full to the hatches with sperm oil and turned home for Nantucket.',
    'The Jeroboam carried a prophet who warned of the white whale.',
  ].join('\n'),
})

const byVerse = defineChunker({
  name: 'verse',
  version: 1,
  *cut(text) {
    for (const match of text.matchAll(/^.+$/gm)) yield [match.index, match.index + match[0].length]
  },
})

await using model = await openLocalModel()
const firstHit = defineStrategy({
  name: 'first-hit',
  version: 1,
  async run({ chunks, question = '', step }) {
    for await (const chunk of chunks) {
      const note = await step(quotingWorker(model), { chunk, question })
      if (note.found) return { text: note.quotes[0]?.text ?? '', quotes: note.quotes }
    }
    return { status: 'not-found' }
  },
})

const { status, citations, coverage } = await ask(poem, 'Which ship was full of oil?', { strategy: firstHit, chunker: byVerse }).result
console.log(`${status}: ${citations.map(({ quote }) => quote).join(' ')}`)
console.log(`${coverage.read + coverage.empty} of ${coverage.total} verses read, ${coverage.empty} held nothing`)
