import {
  type CommunicationUnit,
  isAgent,
  type Manager,
  mem1Reader,
  type Mem1ReaderOptions,
  type Quote,
  referencesOf,
  type Worker,
} from '../agents/index.ts'
import { openLocalModel } from '../models/index.ts'
import { chainOfAgents } from './chain-of-agents.ts'
import { resolveRoles, type RoleOptions, writing } from './roles.ts'
import type { Strategy } from './strategy.ts'

export interface Mem1StrategyOptions extends Omit<RoleOptions, 'judge' | 'maxUnit'>, Pick<Mem1ReaderOptions, 'stateTokens'> {}

/**
 * Reads the chunks in order with a state of constant size and answers from the last one: MEM1 (arXiv 2506.15841) with chunks for observations, as MemAgent
 * (arXiv 2507.02259) reads documents; ⌈n / chunk⌉ + 1 calls, each with a prompt of the same length. Unlike there, quotations are kept beside the state: the
 * answer cites them, and what the state forgot of them can still be shown. No other strategy takes less context: `stateTokens` is all that is carried.
 */
export function mem1Strategy(options: Mem1StrategyOptions = {}): Strategy {
  const { stateTokens, ...roles } = options
  let resolving: Promise<Strategy> | undefined
  const strategy = (): Promise<Strategy> => (resolving ??= resolve(roles, stateTokens))
  return {
    name: 'mem1',
    version: 1,
    plan: async (context) => ({ ...(await (await strategy()).plan(context)), strategy: 'mem1' }),
    run: async (context) => (await strategy()).run(context),
  }
}

async function resolve(options: RoleOptions, stateTokens: number | undefined): Promise<Strategy> {
  const model = options.model ?? (await modelOfRole(options))
  const given = options.worker ?? model
  const worker: Worker = isAgent(given)
    ? given
    : mem1Reader(given, { ...writing(given, options, options.prompts?.worker), ...(stateTokens !== undefined && { stateTokens }) })
  const { manager } = await resolveRoles({ ...options, model, worker }, 'chain')
  return chainOfAgents({ worker, manager: shortlisting(manager) })
}

/** The model of roles without one of their own. */
async function modelOfRole({ worker, manager }: RoleOptions) {
  if (worker !== undefined && !isAgent(worker)) return worker
  if (manager !== undefined && !isAgent(manager)) return manager
  return openLocalModel()
}

/** Most quotations besides those that the state refers to. */
const BESIDES = 24

/** A manager that sees the quotations which the state refers to and the best of the others: there may be as many as the text is long. */
function shortlisting(manager: Manager): Manager {
  const seen = <Input extends { readonly unit: CommunicationUnit }>(input: Input): Input => ({ ...input, unit: shortlist(input.unit) })
  return {
    ...manager,
    key: (input) => manager.key(seen(input)),
    run(input, context) {
      const short = seen(input)
      const left = input.unit.quotes.length - short.unit.quotes.length
      if (left > 0) context.notice('evidence-unread', `${left} quotations that the state does not refer to were not shown to the manager`)
      return manager.run(short, context)
    },
    estimate: (input) => manager.estimate(seen(input)),
  }
}

function shortlist(unit: CommunicationUnit): CommunicationUnit {
  const cited = new Set(referencesOf(unit.notes))
  const others = unit.quotes.filter(({ id }) => !cited.has(id)).toSorted((a, b) => (b.score ?? 0) - (a.score ?? 0))
  const kept = new Set<Quote>(others.slice(0, BESIDES))
  return { notes: unit.notes, quotes: unit.quotes.filter((quote) => cited.has(quote.id) || kept.has(quote)) }
}
