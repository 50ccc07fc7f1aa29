import type { Document } from '../chunkers/index.ts'
import type { Source } from './source.ts'

/** A conversation as the source of its runs: no text to read, but its thread's id is what the journal knows its steps by. */
export function conversationSource(threadId: string, source: Omit<Source, 'documents'>): Source {
  const document: Document = {
    id: threadId,
    hash: '',
    name: threadId,
    title: undefined,
    text: '',
    sections: [],
    format: undefined,
    pages: [],
    marks: [],
    notes: [],
    slice: (start, end) => ''.slice(start, end),
    locate: () => ({ sections: [], line: 1, column: 1 }),
  }
  return { documents: [document], ...source }
}
