/** Whole articles of SQuAD 2.0 with their questions. */
import { createDocument, type Document } from '../chunkers/index.ts'
import { randomIntegers, shuffled } from './random.ts'

export const squadFile = 'squad-dev-half.jsonl.gz'

export interface Span {
  readonly start: number
  readonly end: number
}

/** A question with where its answers stand in its article; none for an impossible one. */
export interface Item {
  readonly id: string
  readonly question: string
  readonly gold: readonly Span[]
  readonly impossible: boolean
}

export interface Article {
  readonly document: Document
  readonly items: readonly Item[]
}

/** Whether a span holds an answer. */
export function holdsGold(spans: readonly Span[], { gold }: Item): boolean {
  return spans.some((span) => gold.some(({ start, end }) => span.start <= start && end <= span.end))
}

/** A seeded sample, grouped by article so that each is indexed once. */
export function sampleArticles(articles: readonly Article[], size: { answerable: number; impossible: number }, seed: number): Article[] {
  const all = shuffled(
    articles.flatMap(({ items }) => items),
    randomIntegers(seed),
  )
  const chosen = new Set([
    ...all.filter(({ impossible }) => !impossible).slice(0, size.answerable),
    ...all.filter(({ impossible }) => impossible).slice(0, size.impossible),
  ])
  return articles
    .map(({ document, items }) => ({ document, items: items.filter((item) => chosen.has(item)) }))
    .filter(({ items }) => items.length > 0)
}

interface Row {
  readonly title: string
  readonly paragraphs: readonly {
    readonly context: string
    readonly questions: readonly {
      id: string
      question: string
      answers: readonly { text: string; start: number }[]
      impossible: boolean
    }[]
  }[]
}

/** An article is its paragraphs with an empty line between them; gold offsets count from its start. */
export function parseArticle(row: unknown): Article {
  const { title, paragraphs } = row as Row
  let text = ''
  const items: Item[] = []
  for (const { context, questions } of paragraphs) {
    for (const { id, question, answers, impossible } of questions) {
      const gold = answers.map(({ start, text: answer }) => ({ start: text.length + start, end: text.length + start + answer.length }))
      items.push({ id, question, gold, impossible })
    }
    text += `${context}\n\n`
  }
  const name = title.replaceAll('_', ' ')
  return { document: createDocument({ name, title: name, text, sections: [] }), items }
}
