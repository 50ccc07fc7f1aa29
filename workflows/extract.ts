/** Extraction to a schema: every chunk is read for the fields on its own, and the values are merged by rules. Every value carries its citations. */
import {
  type Extractor,
  extractor,
  type FieldSchema,
  fieldSchema,
  type FoundValue,
  type JsonSchema,
  type PromptOverride,
  type StandardSchema,
} from '../agents/index.ts'
import type { ChatModel, ModelDescription } from '../models/index.ts'
import { attempt } from './attempt.ts'
import { mapConcurrent } from './map-concurrent.ts'
import { type FieldRules, type MergedField, mergeFields, rulesOf } from './merge-fields.ts'
import type { Plan } from './plan.ts'
import { asked, chunksFor, writing } from './roles.ts'
import type { SourceContext, Strategy, StrategyContext, StrategyResult } from './strategy.ts'
import { sumPlan } from './sum-plan.ts'

export interface ExtractOptions {
  /** A chat model that writes JSON when it is asked to. */
  readonly model: ChatModel
  /** JSON Schema of an object, or a schema of a library that can say it (zod 4.2 or later). */
  readonly schema: JsonSchema | StandardSchema
  /** By field; `union` for lists and `vote` for single values by default. */
  readonly rules?: FieldRules
  /** Calls under way at the same time; 8 by default. */
  readonly concurrency?: number
  /** Replaces the extractor's own words. */
  readonly prompt?: PromptOverride
  /** What `describe` cannot know of a remote model, such as its window. */
  readonly description?: Partial<ModelDescription>
}

/**
 * Reads the whole source for the fields of a schema. `Answer.fields` holds each field's value with its citations, `Answer.text` the object as JSON.
 *
 * @throws TypeError when the schema is not one of an object with properties, or a rule does not go with its field
 */
export function extract(options: ExtractOptions): Strategy {
  const { model, rules = {}, concurrency = 8 } = options
  const schema = fieldSchema(options.schema)
  const checkedRules = rulesOf(schema, rules)
  const agent = extractor(model, schema, writing(model, options, options.prompt))
  return {
    name: 'extract',
    version: 1,
    plan: (context) => planExtraction(context, agent, concurrency),
    run: (context) => runExtraction(context, { agent, schema, rules: checkedRules, concurrency }),
  }
}

interface Extraction {
  readonly agent: Extractor
  readonly schema: FieldSchema
  readonly rules: FieldRules
  readonly concurrency: number
}

async function planExtraction(context: SourceContext, agent: Extractor, concurrency: number): Promise<Plan> {
  const chunks = await chunksFor(context, agent)
  const estimates = chunks.map((chunk) => agent.estimate({ chunk, ...asked(context) }))
  return sumPlan('extract', estimates, { chunks: chunks.length, criticalPath: Math.ceil(chunks.length / concurrency) })
}

async function runExtraction(context: StrategyContext, { agent, schema, rules, concurrency }: Extraction): Promise<StrategyResult> {
  const found: FoundValue[][] = []
  const chunks = await chunksFor(context, agent)
  await mapConcurrent(chunks, concurrency, async (chunk, index) => {
    const output = await attempt(() => context.step(agent, { chunk, ...asked(context) }, { path: `extract/${index}` }))
    found[index] = [...(output?.values ?? [])]
    context.hold(resultOf(mergeFields(schema, rules, found.flat())))
  })
  context.phase('joining')
  const fields = mergeFields(schema, rules, found.flat())
  const fault = schema.check(structuredClone(dataOf(fields)))
  if (fault !== undefined)
    context.emit({ type: 'notice.given', path: 'extract', code: 'incomplete', message: `The object is not complete: ${fault}` })
  return resultOf(fields)
}

function resultOf(fields: Readonly<Record<string, MergedField>>): StrategyResult {
  const names = Object.keys(fields)
  if (names.length === 0) return { status: 'not-found', text: '', fields }
  const quotes = names.flatMap((name) => (fields[name]?.evidence ?? []).flatMap((one) => one.quotes))
  return { status: 'answered', text: JSON.stringify(dataOf(fields), undefined, 2), quotes, fields }
}

function dataOf(fields: Readonly<Record<string, MergedField>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value]))
}
