import { type Agent, type CommunicationUnit, type GroupLimits, groupSimilar, renderUnit } from '../agents/index.ts'
import type { NamedEmbedder } from '../models/index.ts'

interface SimilarInput {
  readonly units: readonly CommunicationUnit[]
  readonly limits: GroupLimits
}

/** Groups units of the same matter by the vectors of their notes. A step, so that a run that goes on groups them as before. */
export function similarUnits(embedder: NamedEmbedder): Agent<SimilarInput, number[][]> {
  return {
    name: 'similar-units',
    version: 1,
    identity: embedder.id,
    key: ({ units, limits: { budget, most = null } }) => ({ texts: units.map(renderUnit), budget, most }),
    async run({ units, limits }, context) {
      const texts = units.map(renderUnit)
      const inputTokens = texts.reduce((sum, text) => sum + limits.count(text), 0)
      return context.compute(async (signal) => {
        const vectors = await embedder.embed(texts, { signal })
        return { value: groupSimilar(units, vectors, limits), usage: { calls: 1, inputTokens, outputTokens: 0, usd: 0 } }
      })
    },
    place: (recorded) => recorded,
    estimate: ({ units, limits }) => ({
      calls: 1,
      inputTokens: units.reduce((sum, unit) => sum + limits.count(renderUnit(unit)), 0),
      outputTokens: 0,
      usd: 0,
    }),
  }
}
