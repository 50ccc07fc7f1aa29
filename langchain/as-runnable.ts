import { dispatchCustomEvent } from '@langchain/core/callbacks/dispatch/web'
import type { DocumentInterface } from '@langchain/core/documents'
import { patchConfig, Runnable, type RunnableConfig } from '@langchain/core/runnables'
import { type Answer, ask, type AskOptions, type Run, type Source, type SourceInput, type Strategy } from '../workflows/index.ts'
import { fromDocument, isLangChainDocument } from './from-documents.ts'

/** What a strategy reads, and what it is asked. */
export interface StrategyInput {
  /** Paths, documents, an opened source, or documents of LangChain. */
  readonly source: SourceInput | Source | DocumentInterface | readonly DocumentInterface[]
  /** Absent, for a summary, where the strategy can. */
  readonly question?: string
}

export type StrategyRunnableOptions = Omit<AskOptions, 'strategy' | 'signal'>

/**
 * A strategy as a step of LangChain: documents of any length and a question in, an answer with its citations out. The signal and the callbacks of the
 * call's config hold: every event of the run is a custom event of the call, named by its `type`, so `streamEvents` and the handlers' `handleCustomEvent`
 * see chunks as they are read and the answer as it is written.
 *
 * @example
 * ```ts
 * const reader = asRunnable(chainOfAgents())
 * const { text, citations } = await reader.invoke({ source: 'moby-dick.txt', question: 'Who first sights the whale?' })
 * ```
 */
export function asRunnable(strategy: Strategy, options: StrategyRunnableOptions = {}): Runnable<StrategyInput, Answer> {
  return new StrategyRunnable(strategy, options)
}

class StrategyRunnable extends Runnable<StrategyInput, Answer> {
  static override lc_name(): string {
    return 'StrategyRunnable'
  }

  override lc_namespace: string[] = ['scriptorium', 'langchain']
  private readonly strategy: Strategy
  private readonly options: StrategyRunnableOptions

  constructor(strategy: Strategy, options: StrategyRunnableOptions) {
    super()
    this.strategy = strategy
    this.options = options
    this.name = strategy.name
  }

  override invoke(input: StrategyInput, config: Partial<RunnableConfig> = {}): Promise<Answer> {
    // oxlint-disable-next-line no-underscore-dangle -- LangChain's name of what its own steps call
    return this._callWithConfig(
      async (given, own, manager) => {
        const child = manager === undefined ? undefined : patchConfig(own, { callbacks: manager.getChild() })
        return this.run(given, own?.signal, child)
      },
      input,
      config,
    )
  }

  private async run(
    { source, question }: StrategyInput,
    signal: AbortSignal | undefined,
    config: RunnableConfig | undefined,
  ): Promise<Answer> {
    const { strategy, options } = this
    signal?.throwIfAborted()
    const run = ask(sourceOf(source), question, { ...options, strategy, ...(signal && { signal }) })
    if (config !== undefined) await tell(run, config)
    return run.result
  }
}

async function tell(run: Run, config: RunnableConfig): Promise<void> {
  for await (const event of run) await dispatchCustomEvent(event.type, event, config)
}

function sourceOf(source: StrategyInput['source']): SourceInput | Source {
  if (isLangChainDocument(source)) return fromDocument(source)
  if (!Array.isArray(source)) return source as SourceInput | Source
  return source.map((one: unknown, place) => (isLangChainDocument(one) ? fromDocument(one, place) : one)) as SourceInput
}
