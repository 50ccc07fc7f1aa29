/**
 * Hierarchical merging in text: leaves are read in parallel and merged level by level. Every level is kept in `Answer.tree`, so that the answer can be
 * unfolded down to the words it rests on.
 */
import type { NamedEmbedder } from '../models/index.ts'
import { openMerging, planLevels } from './map-reduce.ts'
import { mergeLevels, type Merging } from './merge-levels.ts'
import { embedderOf } from './retrieve.ts'
import type { RoleOptions } from './roles.ts'
import type { Strategy, StrategyContext, StrategyResult } from './strategy.ts'

export interface TreeOptions extends RoleOptions {
  /** Calls under way at the same time; 8 by default. */
  readonly concurrency?: number
  /**
   * What is merged together: `fit`, as many neighbours as one call has room for (the default); a number, at most so many neighbours (2: pairs);
   * `similar`, units of the same matter wherever they stand in the text.
   */
  readonly group?: 'fit' | 'similar' | number
  /** Share of the chunks that may fail for good and leave a marked hole; 0.1 by default. */
  readonly tolerance?: number
  /** Finds similar units; the source's or the bundled one by default. */
  readonly embedder?: NamedEmbedder
}

/**
 * @throws RangeError when `group` is a number below 2, or `tolerance` outside 0 to 1
 */
export function tree(options: TreeOptions = {}): Strategy {
  const { group = 'fit', tolerance = 0.1, concurrency = 8 } = options
  if (typeof group === 'number' && !(Number.isInteger(group) && group >= 2))
    throw new RangeError(`Cannot merge groups of ${group} as a group is a whole number of units from 2`)
  if (!(tolerance >= 0 && tolerance <= 1)) throw new RangeError(`Cannot merge as the tolerance goes from 0 to 1: ${tolerance}`)
  let opening: Promise<Merging> | undefined
  const merging = (): Promise<Merging> => (opening ??= openMerging(options, { concurrency, tolerance }))
  return {
    name: 'tree',
    version: 1,
    plan: async (context) => planLevels('tree', context, await merging()),
    run: async (context) => runTree(context, await merging(), group, options.embedder),
  }
}

async function runTree(
  context: StrategyContext,
  merging: Merging,
  group: 'fit' | 'similar' | number,
  embedder: NamedEmbedder | undefined,
): Promise<StrategyResult> {
  if (typeof group === 'number') return mergeLevels(context, { ...merging, most: group })
  const similarBy = group === 'similar' ? await embedderOf(embedder, context) : undefined
  return mergeLevels(context, similarBy === undefined ? merging : { ...merging, similarBy })
}
