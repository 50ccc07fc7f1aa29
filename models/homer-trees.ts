/** Merges in the worker: what nodes came to is held by the numbers that the program gave their trees, until the nodes above them have run. */
import {
  calibratedSignificance,
  type Decoder,
  homer,
  type HomerNode,
  type HomerOptions,
  type HomerPlan,
  type HomerResult,
  mergeSubtree,
  type NodeState,
  planHomer,
  retrievalSignificance,
} from '../attention/index.ts'
import { ModelFileError } from '../errors/index.ts'
import { readCacheFile, writeCacheFile } from './cache-file.ts'
import { readDistanceBias } from './distance-bias-file.ts'
import { nodesInOrder } from './homer-nodes.ts'
import { nodePolicy } from './homer-policy.ts'
import type { CacheIdentity, CacheOrigin, CallContext, DecoderSpec, GrowCall, HomerCall, MergeCall, NodeFile } from './local-protocol.ts'

export class HomerTrees {
  readonly #held = new Map<number, Map<number, NodeState>>()
  readonly #decoder: (spec: DecoderSpec, signal: AbortSignal) => Promise<Decoder>

  constructor(decoder: (spec: DecoderSpec, signal: AbortSignal) => Promise<Decoder>) {
    this.#decoder = decoder
  }

  async grow(call: GrowCall, context: CallContext): Promise<string | undefined> {
    const { decoder, plan, nodes, options } = await this.#prepare(call, context)
    const node = nodes[call.node] as HomerNode
    const state = await mergeSubtree(decoder, call.prompt, plan, node, options)
    const held = this.#held.get(call.tree) ?? new Map<number, NodeState>()
    for (const below of nodesInOrder(node)) held.delete(nodes.indexOf(below))
    this.#held.set(call.tree, held.set(call.node, state))
    return call.path === undefined ? undefined : writeNode(decoder, state, { ...nodeIdentity(call, call.node), ...call.origin }, call.path)
  }

  async merge(call: MergeCall, context: CallContext): Promise<HomerResult> {
    const { decoder, options } = await this.#prepare(call, context)
    const { maxChunk, target, warmUp } = call
    return homer(decoder, call.prompt, { maxChunk, target, warmUp, ...options })
  }

  close(tree: number): undefined {
    this.#held.delete(tree)
    return undefined
  }

  dispose(): void {
    this.#held.clear()
  }

  async #prepare(call: HomerCall, context: CallContext): Promise<Prepared> {
    const decoder = await this.#decoder(call.decoder, context.signal)
    const plan = planOf(call, decoder.config.layers)
    const nodes = nodesInOrder(plan.root)
    const places = new Map(nodes.map(({ height, start }, index) => [placeOf({ height, start }), index]))
    const indexOf = (node: HomerNode): number => places.get(placeOf(node)) ?? -1
    const { heads, bias, prompt } = call
    const options: Prepared['options'] = {
      significance:
        heads.length > 0
          ? retrievalSignificance({ heads, rows: prompt.suffix.length })
          : calibratedSignificance(bias && (await readDistanceBias(bias.path, bias.model, decoder.config)), { width: 9 }),
      signal: context.signal,
      nodes: {
        load: async (node) => this.#find(call, indexOf(node), decoder, context),
        async save(node) {
          context.progress(indexOf(node))
          await context.giveWay()
        },
      },
    }
    return { decoder, plan, nodes, options }
  }

  /** What a node came to, where it is held or in a file that is sound. */
  async #find(call: HomerCall, index: number, decoder: Decoder, context: CallContext): Promise<NodeState | undefined> {
    const held = this.#held.get(call.tree)?.get(index)
    const file = call.saved.find(({ node }) => node === index)
    return held ?? (file && readNode(decoder, file, nodeIdentity(call, index), context))
  }
}

interface Prepared {
  readonly decoder: Decoder
  readonly plan: HomerPlan
  readonly nodes: readonly HomerNode[]
  readonly options: Omit<HomerOptions, 'maxChunk' | 'target' | 'warmUp' | 'order'>
}

function placeOf({ height, start }: Pick<HomerNode, 'height' | 'start'>): string {
  return `${height}/${start}`
}

/** The plan of a merge, the same in the program and in its worker. */
export function planOf(
  { prompt, maxChunk, target, warmUp }: Pick<HomerCall, 'prompt' | 'maxChunk' | 'target'> & Partial<Pick<HomerCall, 'warmUp'>>,
  layers: number,
): HomerPlan {
  const { prefix, context, suffix } = prompt
  const lengths = { prefix: prefix.length, context: context.length, suffix: suffix.length, maxChunk, target, layers }
  return planHomer({ ...lengths, ...(warmUp === undefined ? {} : { warmUp }) })
}

function nodeIdentity({ identity }: HomerCall, node: number): CacheIdentity {
  return { ...identity, policy: nodePolicy(identity.policy, node) }
}

async function writeNode(decoder: Decoder, state: NodeState, identity: CacheIdentity & CacheOrigin, path: string): Promise<string> {
  using cache = decoder.createCache()
  for (const [layer, rows] of state.rows.entries()) cache.importRows(layer, rows, state.positions, state.sources)
  return await writeCacheFile(path, `${path}.${process.pid}.tmp`, { cache, node: state }, identity)
}

/** Nothing where the file does not hold what it is said to: the node then runs again. */
async function readNode(
  decoder: Decoder,
  { path, sha256 }: NodeFile,
  identity: CacheIdentity,
  { signal, giveWay, log }: CallContext,
): Promise<NodeState | undefined> {
  try {
    const create = async (): Promise<ReturnType<Decoder['createCache']>> => decoder.createCache()
    const read = await readCacheFile(path, () => identity, create, { signal, progress() {}, giveWay })
    using cache = read.cache
    if (read.node === undefined || read.sha256 !== sha256) return undefined
    const rows = Array.from({ length: read.header.filled }, (_, layer) => cache.exportRows(layer))
    return { ...read.node, positions: cache.positions, sources: cache.sources, rows }
  } catch (error) {
    if (!(error instanceof ModelFileError)) throw error
    log?.({ file: path }, `A part of a merge runs again as what it came to cannot be read: ${error.message}`)
    return undefined
  }
}
