/**
 * SCM, the self-controlled memory (Wang et al., arXiv 2304.13343, and its released code): the turn before always comes back, others where
 * the message activates them, each whole, as its summary or not at all.
 */
import { createActor, toPromise } from 'xstate'
import type { NeedJudge, TurnForm, TurnJudge } from '../agents/index.ts'
import { indexTerms, type MemoryRecord } from '../memory/index.ts'
import { attempt } from './attempt.ts'
import type { ControllerOptions, MemoryController, SelectedItem, Selection, SelectQuery } from './memory-controller.ts'
import { readBack } from './read-back.ts'
import { recallTurns } from './recall-turns.ts'
import { rerankTurns } from './rerank-turns.ts'
import { assemble, type Candidate, candidatesFor } from './scm-assembly.ts'
import { createScmMachine, type ScmWork } from './scm-machine.ts'
import { checkBudget, createSelection, keepRaw, keepSummary, leaveOut } from './selection.ts'
import { createStandaloneStep } from './standalone-step.ts'
import type { Step } from './strategy.ts'

export interface ScmControllerOptions extends ControllerOptions {
  /** The second question: which turns come back whole, shortened or not at all. Asked only where all together exceed the budget. */
  readonly judge?: TurnJudge
  /** The first question: whether a message needs memory. Without it, memory is always activated, as in the released code. */
  readonly need?: NeedJudge
  /** Most turns that are activated; one for every 20 tokens of the budget, from 10 to 100, by default. */
  readonly k?: number
  /** Turns on each side of an activated one that become candidates too; 2 by default. */
  readonly neighbours?: number
  /** Weight of recency beside relevance, and the milliseconds after which it is halved; 0 by default, as in the released code. */
  readonly recency?: { readonly weight: number; readonly halfLife: number }
  /** Parts that are switched off, to measure what each is worth. */
  readonly without?: readonly ScmPart[]
}

/** `controller`: judgements and summaries. `flash`: the turn before. `activation`: the search. */
export type ScmPart = 'controller' | 'flash' | 'activation'

/** Share of the budget up to which the turn before comes back whole: 500 of 2,500 tokens in the released code. */
const FLASH_SHARE = 0.2
/** Records of the turn before at most: a user's message, its answer, and calls of tools between them. */
const FLASH_RECORDS = 16

/** Turns that are looked at for each that is activated, and at most. */
const POOL = 4
const MOST_POOLED = 120

/** Code units of a turn whose words are compared. */
const MOST_COMPARED = 20_000

/** Whether a summary holds every word asked for that its text holds. */
function holdsWords(summary: string, text: string, asked: ReadonlySet<string>): boolean {
  const held = new Set(indexTerms(summary))
  return indexTerms(text.slice(0, MOST_COMPARED)).every((term) => !asked.has(term) || held.has(term))
}

/** @throws RangeError when `k` or `neighbours` is not a whole number from 0 */
export function scmController(options: ScmControllerOptions): MemoryController {
  for (const name of ['k', 'neighbours'] as const) {
    const value = options[name]
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
      throw new RangeError(`Cannot recall turns as ${name} must be a whole number from 0: ${value}`)
  }
  return {
    name: 'scm',
    async select(query, budget) {
      checkBudget(budget)
      const selecting = new Selecting(options, query, budget)
      const actor = createActor(createScmMachine(selecting))
      actor.subscribe({ error: () => undefined }) // the promise below tells of it
      actor.start()
      await toPromise(actor)
      return selecting.selection()
    },
  }
}

/** One selection as it goes on. */
class Selecting implements ScmWork {
  readonly #options: ScmControllerOptions
  readonly #query: SelectQuery
  readonly #budget: number
  readonly #now: number
  #flash: SelectedItem[] = []
  #flashIds: ReadonlySet<string> = new Set()
  #hasArchive = false
  #needed = true
  #candidates: Candidate[] = []
  #verdicts: readonly TurnForm[] | undefined
  #items: SelectedItem[] = []
  #calls = 0
  #step: Step | undefined

  constructor(options: ScmControllerOptions, query: SelectQuery, budget: number) {
    this.#options = options
    this.#query = query
    this.#budget = budget
    this.#now = (options.now ?? Date.now)()
    this.#step = query.step
  }

  async readStream(): Promise<void> {
    const { memory } = this.#options
    const exchange: MemoryRecord[] = []
    for await (const record of readBack({ memory, query: this.#query, now: this.#now, page: FLASH_RECORDS })) {
      const over = exchange.length > 0 && (exchange.at(-1)?.role === 'user' || exchange.length === FLASH_RECORDS)
      if (over || this.#lacks('flash')) {
        this.#hasArchive = true
        break
      }
      exchange.push(record)
    }
    this.#flashIds = new Set(exchange.map(({ id }) => id))
    this.#flash = this.#keepFlash(exchange)
  }

  /** The turn before: whole where it is short, else its summary; its newest record first, as far as the budget reaches. */
  #keepFlash(exchange: readonly MemoryRecord[]): SelectedItem[] {
    const { count } = this.#options
    const raw = exchange.map((record) => keepRaw(record, 1, 'the turn before', count))
    const long = raw.reduce((sum, { tokens }) => sum + tokens, 0) > FLASH_SHARE * this.#budget
    let left = this.#budget
    return raw.map((item) => {
      const { record } = item
      const summary = this.#lacks('controller') ? undefined : keepSummary(record, 1, 'the turn before, which is long', count)
      const kept = [...(long && summary ? [summary] : []), item, ...(summary ? [summary] : [])].find(({ tokens }) => tokens <= left)
      if (kept === undefined) return leaveOut(record, 1, 'the turn before, but longer than the room that is left')
      left -= kept.tokens
      return kept
    })
  }

  async askNeed(): Promise<void> {
    const { need } = this.#options
    if (need === undefined || this.#lacks('controller')) return
    const output = await attempt(() => this.#run(need, { question: this.#query.text }))
    this.#needed = output?.needed !== false
    this.#calls += output?.calls ?? 0
  }

  async activate(): Promise<void> {
    const { memory, embedder, neighbours, recency, count, k = candidatesFor(this.#budget) } = this.#options
    const found = await recallTurns(this.#query, {
      memory,
      k: Math.max(k, Math.min(POOL * k, MOST_POOLED)),
      neighbours,
      now: this.#now,
      except: this.#flashIds,
      ...(embedder ? { embedder } : {}),
      ...(recency && recency.weight > 0 ? { weights: { recency: { ...recency, now: this.#now } } } : {}),
    })
    const hits = rerankTurns(this.#query.text, found).slice(0, k)
    this.#candidates = hits.map(({ record, score }) => {
      const summary = this.#lacks('controller') ? undefined : keepSummary(record, score, '', count)
      return { record, score, rawTokens: count(record.text), summaryTokens: summary?.tokens }
    })
  }

  async judge(): Promise<void> {
    const { judge } = this.#options
    const [best, ...others] = this.#candidates
    if (judge === undefined || best === undefined || others.length === 0) return
    const turns = others.map(({ record: { text, summary }, summaryTokens }) =>
      summaryTokens === undefined || summary === undefined ? { text } : { text, summary },
    )
    // A judge that fails leaves the choice to the scores.
    const output = await attempt(() => this.#run(judge, { question: this.#query.text, turns }))
    if (output) this.#verdicts = ['raw', ...output.forms]
    this.#calls += output?.calls ?? 0
  }

  assemble(): void {
    const { count } = this.#options
    const candidates = this.isOverBudget() ? this.#compareSummaries() : this.#candidates
    this.#items = assemble(candidates, this.#room(), this.#verdicts).map(({ candidate: { record, score }, form, why }) => {
      if (form === 'raw') return keepRaw(record, score, why, count)
      return (form === 'summary' ? keepSummary(record, score, why, count) : undefined) ?? leaveOut(record, score, why)
    })
  }

  #compareSummaries(): Candidate[] {
    const asked = new Set(indexTerms(this.#query.text.slice(0, MOST_COMPARED)))
    return this.#candidates.map((candidate) => {
      const { text, summary } = candidate.record
      if (candidate.summaryTokens === undefined || summary === undefined) return candidate
      return Object.assign({ summaryHolds: holdsWords(summary, text, asked) }, candidate)
    })
  }

  hasArchive(): boolean {
    return this.#hasArchive && this.#budget > 0 && !this.#lacks('activation')
  }

  isNeeded(): boolean {
    return this.#needed
  }

  isOverBudget(): boolean {
    const tokens = this.#candidates.reduce((sum, { rawTokens }) => sum + rawTokens, 0)
    return tokens > this.#room() && !this.#lacks('controller')
  }

  selection(): Selection {
    return createSelection([...this.#flash, ...this.#items], this.#calls)
  }

  #room(): number {
    return this.#budget - this.#flash.reduce((sum, { tokens }) => sum + tokens, 0)
  }

  #lacks(part: ScmPart): boolean {
    return this.#options.without?.includes(part) === true
  }

  get #run(): Step {
    const { scope, signal } = this.#query
    return (this.#step ??= createStandaloneStep({ scope, signal }))
  }
}
