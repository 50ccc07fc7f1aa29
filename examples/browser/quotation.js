// Which sentence the question is likeliest after: what a sentence says about a thing makes a question about that thing less surprising.

/** The sentences of a text; joined they are the text. */
export function sentencesOf(text) {
  const found = Array.from(new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text), ({ segment }) => segment)
  if (found.every((sentence) => sentence.trim() === '')) throw new Error('Cannot look for an answer as the text is empty')
  return found
}

/** Index of the sentence under which the question is likeliest. `onProgress` is told a share from 0 to 1. */
export async function bestSentence(decoder, sentences, question, onProgress) {
  const { tokenizer } = decoder
  const asked = tokenizer.encode(`\nQuestion: ${question.trim()}`)
  let best = -1
  let most = -Infinity
  for (const [index, sentence] of sentences.entries()) {
    if (sentence.trim() === '') continue
    const prefix = tokenizer.encode(`Passage: ${sentence.trim()}`)
    const [found] = await decoder.logProbs(prefix, [{ ids: asked }])
    const sum = found.reduce((total, value) => total + value, 0)
    if (sum > most) [best, most] = [index, sum]
    onProgress((index + 1) / sentences.length)
  }
  return best
}
