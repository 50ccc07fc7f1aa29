/** One node of a hierarchical merge: how a leaf begins, and how any node runs its layers and is scored. */
import type { Decoder, LayerRunOptions, Observation } from './decoder.ts'
import { type Affixes, type NodeState, tokensOf } from './homer-node.ts'
import type { HomerNode, HomerPlan } from './homer-plan.ts'
import type { SeenLayer, Significance } from './significance.ts'

export interface HomerPrompt {
  /** Token ids that all leaves begin with: what sets the model up. */
  readonly prefix: readonly number[]
  /** Token ids of the text. */
  readonly context: readonly number[]
  /** Token ids that all leaves end with: the question. Its last tokens decide what is kept. */
  readonly suffix: readonly number[]
}

/** A leaf before it has run: its part of the context between prefix and suffix. */
export function leafState(decoder: Decoder, prompt: HomerPrompt, { suffixPosition }: HomerPlan, { start, end }: HomerNode): NodeState {
  const { prefix, context, suffix } = prompt
  const ids = [...prefix, ...context.slice(start, end), ...suffix]
  const inner = prefix.length + end - start
  return {
    hidden: decoder.embed(ids),
    // The suffixes of all leaves share their position ids, also that of a shorter last leaf.
    positions: Int32Array.from(ids, (_, index) => (index < inner ? index : suffixPosition + index - inner)),
    sources: Int32Array.from(ids, (_, index) => (index < prefix.length || index >= inner ? -1 : start + index - prefix.length)),
    scores: new Float32Array(ids.length).fill(-Infinity),
    rows: [],
  }
}

interface NodeRun extends Affixes {
  readonly significance: Significance
  readonly longRead: boolean
  readonly signal?: AbortSignal
}

/** A node after layers [from, to), with scores. */
export async function runNode(
  decoder: Decoder,
  state: NodeState,
  { from, to }: Pick<HomerNode, 'from' | 'to'>,
  { significance, longRead, signal, prefix, suffix }: NodeRun,
): Promise<NodeState> {
  const watch = watchQueries(significance.layers(from, to), Math.min(significance.rows, suffix))
  const options: LayerRunOptions = { longRead, ...(signal === undefined ? {} : { signal }), ...watch.observe }
  using cache = decoder.createCache()
  const hidden = await decoder.runLayers(from, to, state.hidden, state.positions, cache, options)
  const own = Array.from({ length: to - from }, (_, index) => cache.exportRows(from + index))
  const scores = significance.score({
    config: decoder.config,
    seen: watch.seen((layer) => own[layer - from]?.keys),
    positions: state.positions,
    context: { start: prefix, end: tokensOf(state) - suffix },
    carried: state.scores,
  })
  return { ...state, hidden, scores, rows: [...state.rows, ...own] }
}

interface QueryWatch {
  readonly observe: Pick<LayerRunOptions, 'observe'>
  /** What was seen of each layer, with the keys that `keysOf` gives for it. */
  seen(keysOf: (layer: number) => Float32Array | undefined): SeenLayer[]
}

/** Collects the queries of the last `rows` tokens of a run in some layers. A run in slices shows them in several parts. */
function watchQueries(layers: readonly number[], rows: number): QueryWatch {
  const parts = new Map<number, Float32Array[]>()
  const onQueries = ({ layer, queries }: Observation): void => {
    parts.set(layer, [...(parts.get(layer) ?? []), queries.slice()])
  }
  return {
    observe: layers.length === 0 ? {} : { observe: { layers, rows, onQueries } },
    seen: (keysOf) =>
      [...parts].map(([layer, some]) => ({
        layer,
        queries: Float32Array.from(some.flatMap((part) => [...part])),
        keys: keysOf(layer) ?? new Float32Array(),
      })),
  }
}
