/** Words of one sentence in order; undefined where a word stands that is not ranked. */
export type RankedSentence = readonly (string | undefined)[]

/** Words on each side that a word is linked with. */
const reach = 3
const damping = 0.85
const rounds = 30

/**
 * Importance of words, all together 1: PageRank over the graph of words that stand near each other (Mihalcea and Tarau, "TextRank", 2004), drawn to words that
 * come early and often (Florescu and Caragea, "PositionRank", 2017: in the sum of the reciprocals of their positions, which here are those of sentences,
 * as documents are long).
 */
export function rankWords(sentences: Iterable<RankedSentence>): Map<string, number> {
  const links = new Map<string, Map<string, number>>()
  const bias = new Map<string, number>()
  let position = 0
  for (const words of sentences) {
    position++
    words.forEach((word, at) => {
      if (word === undefined) return
      bias.set(word, (bias.get(word) ?? 0) + 1 / position)
      if (!links.has(word)) links.set(word, new Map())
      for (const other of words.slice(at + 1, at + 1 + reach)) if (other !== undefined && other !== word) link(links, word, other)
    })
  }
  return iterate(links, bias)
}

function link(links: Map<string, Map<string, number>>, left: string, right: string): void {
  for (const [from, to] of [
    [left, right],
    [right, left],
  ] as const) {
    const known = links.get(from) ?? new Map<string, number>()
    known.set(to, (known.get(to) ?? 0) + 1)
    links.set(from, known)
  }
}

function iterate(links: ReadonlyMap<string, ReadonlyMap<string, number>>, bias: ReadonlyMap<string, number>): Map<string, number> {
  const words = [...links.keys()]
  const place = new Map(words.map((word, at) => [word, at]))
  const total = [...bias.values()].reduce((sum, value) => sum + value, 0)
  const drawn = Float64Array.from(words, (word) => (bias.get(word) ?? 0) / total)
  const edges = words.map((word) => [...(links.get(word) ?? [])].map(([other, weight]) => [place.get(other) ?? 0, weight] as const))
  const strengths = edges.map((near) => near.reduce((sum, [, weight]) => sum + weight, 0))
  let ranks = drawn
  for (let round = 0; round < rounds; round++) {
    const next = drawn.map((share) => (1 - damping) * share)
    edges.forEach((near, at) => {
      const rank = damping * (ranks[at] ?? 0)
      // The rank of a word without neighbours goes back to where words are drawn from.
      if (near.length === 0) next[at] = (next[at] ?? 0) + rank
      for (const [other, weight] of near) next[other] = (next[other] ?? 0) + (rank * weight) / (strengths[at] ?? 1)
    })
    ranks = next
  }
  return new Map(words.map((word, at) => [word, ranks[at] ?? 0]))
}
