import type { ChatModel } from '../models/index.ts'
import { auto } from './auto.ts'
import { createMemoryJournal } from './memory-journal.ts'
import type { Journal } from './journal.ts'
import type { RunOptions } from './run-options.ts'
import { type Run, startRun } from './run.ts'
import { isSource, openSource, type Source, type SourceInput, type SourceOptions } from './source.ts'
import { createSourceContext } from './source-context.ts'
import type { Plan } from './plan.ts'
import type { Strategy } from './strategy.ts'

export interface AskOptions extends Omit<RunOptions, 'strategy' | 'journal'>, Omit<SourceOptions, 'signal'> {
  /** Who reads what; `auto` by default. */
  readonly strategy?: Strategy
  /** Model of the default strategy; the bundled one by default. */
  readonly model?: ChatModel
  /** Where steps are recorded; in memory by default, gone with the process. */
  readonly journal?: Journal
}

/**
 * Asks a question of documents of any length. The run starts at once.
 *
 * @param source a path (`-` is standard input), a folder, a glob, several of them, documents, or a source opened with `openSource`
 * @param question undefined asks for a summary, where the strategy can
 * @example
 * ```ts
 * const run = ask('moby-dick.txt', 'Who first sights the whale?')
 * for await (const event of run) if (event.type === 'answer.delta') process.stdout.write(event.text)
 * const { status, citations } = await run.result
 * ```
 */
export function ask(source: SourceInput | Source, question: string | undefined, options: AskOptions = {}): Run {
  checkQuestion(question)
  const { strategy = defaultStrategy(options), journal = createMemoryJournal() } = options
  return startRun((signal) => open(source, { ...options, signal }), question, { ...options, strategy, journal })
}

/** Prices a question before anything is spent: chunks, calls, tokens, dollars, time. No model is called. */
export async function plan(source: SourceInput | Source, question: string | undefined, options: AskOptions = {}): Promise<Plan> {
  checkQuestion(question)
  const { strategy = defaultStrategy(options), signal = new AbortController().signal } = options
  return strategy.plan(createSourceContext(await open(source, options), question, signal, options))
}

function defaultStrategy({ model, embedder }: AskOptions): Strategy {
  return auto({ ...(model === undefined ? {} : { model }), ...(embedder === undefined ? {} : { embedder }) })
}

async function open(source: SourceInput | Source, options: AskOptions): Promise<Source> {
  return isSource(source) ? source : openSource(source, options)
}

function checkQuestion(question: string | undefined): void {
  if (question !== undefined && question.trim() === '')
    throw new TypeError('Cannot ask an empty question: give some words, or undefined for a summary')
}
