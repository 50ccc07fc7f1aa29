/** Shorter words of an alphabet say nothing of a topic. */
const LEAST_LETTERS = 4

/**
 * Says during which slide each cue was spoken: the way through the slides, never back, whose cues share most words with their slides. A word counts by
 * how few slides have it (inverse document frequency, Spärck Jones 1972); the best way is found by dynamic programming, in time of cues times slides.
 * Where words do not tell, a cue stays with the slide before it.
 */
export function alignCues(slides: readonly string[], cues: readonly string[]): number[] {
  const slidesOf = new Map<string, number[]>()
  for (const [at, slide] of slides.entries()) for (const word of wordsOf(slide)) slidesOf.set(word, [...(slidesOf.get(word) ?? []), at])
  let best = new Float64Array(slides.length)
  // For each cue, and each slide that it may be of, the slide of the cue before.
  const before = cues.map((cue) => {
    const next = new Float64Array(slides.length)
    const from = new Uint32Array(slides.length)
    for (let at = 0, most = 0; at < slides.length; at++) {
      if (best[at]! > best[most]!) most = at
      from[at] = most
      next[at] = best[most]!
    }
    for (const word of wordsOf(cue)) {
      const having = slidesOf.get(word) ?? []
      for (const at of having) next[at]! += Math.log(slides.length / having.length)
    }
    best = next
    return from
  })
  const path: number[] = []
  let at = best.indexOf(Math.max(...best))
  for (const from of before.toReversed()) {
    path.push(at)
    at = from[at]!
  }
  return path.toReversed()
}

/** Words in small letters; of scripts without spaces, each pair of letters. */
function wordsOf(text: string): Set<string> {
  const words = new Set<string>()
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(word)) {
      for (let at = 0; at + 1 < word.length; at++) words.add(word.slice(at, at + 2))
    } else if (word.length >= LEAST_LETTERS) words.add(word)
  }
  return words
}
