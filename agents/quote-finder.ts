import { createDocument, findQuote, type FoundQuote } from '../chunkers/index.ts'

/**
 * Finds quotations in one text as `findQuote` does, and then once more with case and the kinds of quotation marks made equal: models begin a
 * quotation with a capital and set single marks inside their own. The span is always of the text, so what is shown are its words and not the model's.
 */
export function quoteFinder(text: string): (quote: string) => FoundQuote | undefined {
  const plain = createDocument({ text, name: 'text', sections: [] })
  let folded: typeof plain | undefined
  return (quote) => {
    const found = findQuote(plain, quote)
    if (found !== undefined) return found
    folded ??= createDocument({ text: fold(text), name: 'text', sections: [] })
    const span = findQuote(folded, fold(quote))
    return span && { ...span, how: 'normalised' }
  }
}

const QUOTATION_MARKS = /["\u2018-\u201f\u2032\u2033\u00ab\u00bb`\u00b4]/g

/** Every code unit stays in its place. */
function fold(text: string): string {
  return text.replace(QUOTATION_MARKS, "'").replace(/\p{Lu}/gu, (letter) => {
    const lower = letter.toLowerCase()
    return lower.length === letter.length ? lower : letter
  })
}
