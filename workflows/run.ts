/** A run: it starts at once, tells what happens, and ends with an answer. */
import { randomUUID } from 'node:crypto'
import type { CallModelOptions } from '../models/index.ts'
import { type Logger, silent } from '../log/index.ts'
import { RunError } from '../errors/index.ts'
import type { Answer, AnswerStatus, RunUsage } from './answer.ts'
import { createCoverageBook } from './coverage.ts'
import { EventStream } from './event-stream.ts'
import type { Journal, JournalRun, RunStatus } from './journal.ts'
import { createMeter, LimitReached, type Limits } from './limits.ts'
import { createRunController, type RunController } from './run-controller.ts'
import type { RunEvent } from './run-event.ts'
import type { Source } from './source.ts'
import { createStep } from './step.ts'
import type { Plan, SourceContext, Strategy, StrategyContext, StrategyResult } from './strategy.ts'
import { createSourceContext, type SourceContextOptions } from './source-context.ts'
import { citeQuotes } from './cite-quotes.ts'

/** A run under way. Awaiting `result` and iterating agree; neither is needed for the run to go on. */
export interface Run extends AsyncIterable<RunEvent> {
  readonly id: string
  /** The answer; rejects with the error that failed the run, or with the reason of the caller's signal. */
  readonly result: Promise<Answer>
  /** Aborted when the run ends early. */
  readonly signal: AbortSignal
  /** Holds back the next step; steps under way finish. */
  pause(): void
  resume(): void
  /** Ends the run with status `stopped` and what it has. The journal keeps every finished step. */
  cancel(reason?: string): void
}

export interface RunOptions extends Pick<SourceContextOptions, 'chunker' | 'chunkTokens'> {
  readonly strategy: Strategy
  readonly journal: Journal
  readonly limits?: Limits
  readonly signal?: AbortSignal
  /** Calls the models again even where the journal knows the answer of an equal step. */
  readonly fresh?: boolean
  /** Id of a run to go on with. */
  readonly resume?: string
  readonly namespace?: string
  readonly call?: CallModelOptions
  readonly logger?: Logger
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** Ends a run early with what it has. */
class Stopped extends Error {
  override readonly name = 'Stopped'
}

/** Milliseconds between two writes of a run's snapshot. */
const SNAPSHOT_INTERVAL = 500

export function startRun(openSource: () => Promise<Source>, question: string | undefined, options: RunOptions): Run {
  const run = new ActiveRun(openSource, question, options)
  const result = run.start()
  result.catch(() => undefined) // an unobserved rejection never ends the process
  return {
    id: run.id,
    result,
    signal: run.signal,
    pause: () => run.pause(),
    resume: () => run.resume(),
    cancel: (reason) => run.cancel(reason),
    [Symbol.asyncIterator]: () => run.events.listen(),
  }
}

class ActiveRun {
  readonly id: string
  readonly events: EventStream<RunEvent> = new EventStream<RunEvent>()
  #abort = new AbortController()
  #options: RunOptions
  #question: string | undefined
  #openSource: () => Promise<Source>
  #source: Source | undefined
  #controller: RunController
  #meter: ReturnType<typeof createMeter>
  #coverage = createCoverageBook()
  #held: StrategyResult = {}
  #complete = false
  #answer: Answer | undefined
  #failure: unknown
  #counts = { reused: 0, retried: 0, finished: 0, failed: 0 }
  #now: () => number
  #started: number
  #saved = 0
  #answering = false
  #streamed = false
  #record: JournalRun | undefined

  constructor(openSource: () => Promise<Source>, question: string | undefined, options: RunOptions) {
    this.#now = options.now ?? Date.now
    this.#started = this.#now()
    this.#openSource = openSource
    this.#question = question
    this.#options = options
    this.#meter = createMeter(options.limits)
    this.id = options.resume ?? randomUUID()
    this.#controller = createRunController(this.id, {
      plan: () => this.#plan(),
      read: () => this.#read(),
      verify: () => this.#verify(),
      isStop: (error) => this.#isStop(error),
      fail: (error) => {
        this.#failure = error
      },
    })
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  pause(): void {
    if (this.#controller.paused || this.#answer) return
    this.#controller.send({ type: 'pause' })
    if (this.#controller.paused) this.#emit({ type: 'run.paused' })
  }

  resume(): void {
    if (!this.#controller.paused) return
    this.#controller.send({ type: 'resume' })
    this.#emit({ type: 'run.resumed' })
  }

  cancel(reason = 'cancelled'): void {
    this.#controller.send({ type: 'cancel' })
    this.#abort.abort(new Stopped(reason))
  }

  async start(): Promise<Answer> {
    await Promise.resolve() // lets the caller listen before the first event
    const unlink = this.#linkSignals()
    try {
      await this.#controller.start()
    } finally {
      unlink()
    }
    return this.#answer ? this.#succeed(this.#answer) : this.#fail(this.#failure)
  }

  /** The caller's signal and the limit on seconds end the run through its own controller. */
  #linkSignals(): () => void {
    const { signal, limits } = this.#options
    const forward = (): void => this.#abort.abort(signal?.reason)
    if (signal?.aborted) forward()
    signal?.addEventListener('abort', forward, { once: true })
    const seconds = limits?.seconds
    const timer =
      seconds === undefined ? undefined : setTimeout(() => this.#abort.abort(new LimitReached('seconds', seconds)), seconds * 1000)
    timer?.unref()
    return () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', forward)
    }
  }

  async #plan(): Promise<void> {
    this.#abort.signal.throwIfAborted()
    this.#source = await this.#openSource()
    this.#record = await this.#openRecord(this.#source)
    const { strategy } = this.#options
    this.#emit({ type: 'run.started', runId: this.id, strategy: strategy.name, documents: this.#source.documents.map(({ name }) => name) })
    const plan: Plan = await strategy.plan(this.#sourceContext())
    this.#emit({ type: 'plan.ready', plan })
  }

  async #openRecord(source: Source): Promise<JournalRun> {
    const { journal, resume, strategy } = this.#options
    const documentIds = source.documents.map(({ id }) => id)
    const known = resume === undefined ? undefined : await journal.getRun(resume)
    if (resume !== undefined) checkResume(known, resume, { strategy: strategy.name, question: this.#question, documentIds })
    const record: JournalRun = {
      id: this.id,
      scope: source.scope,
      status: 'running',
      strategy: strategy.name,
      question: this.#question,
      sources: source.documents.map(({ name }) => name),
      documentIds,
      snapshot: this.#controller.snapshot(),
      answer: undefined,
      createdAt: known?.createdAt ?? this.#started,
      updatedAt: this.#now(),
    }
    await journal.putRun(record)
    return record
  }

  async #read(): Promise<void> {
    const result = await this.#options.strategy.run(this.#strategyContext(this.#openedSource()))
    this.#held = result
    this.#complete = true
  }

  async #verify(): Promise<void> {
    const source = this.#openedSource()
    for (const report of this.#held.coverage ?? []) this.#coverage.report(report)
    const citations = citeQuotes(this.#held.quotes ?? [], source.documents, (quote) => {
      this.#emit({ type: 'notice.given', path: 'verify', code: 'quote-rejected', message: `Not in the document: ${quote.text.slice(0, 80)}` })
    })
    const text = this.#held.text ?? ''
    const coverage = this.#coverage.coverage
    if (this.#complete && text && !this.#streamed) this.#delta(text)
    this.#finishAnswering()
    const reason = this.#complete ? undefined : messageOf(this.#abort.signal.aborted ? this.#abort.signal.reason : this.#failure)
    this.#answer = {
      status: this.#status(text, coverage.failed),
      text,
      citations,
      coverage,
      usage: this.#usage(),
      runId: this.id,
      strategy: this.#options.strategy.name,
      ...(reason === undefined ? {} : { reason }),
    }
  }

  #status(text: string, failed: number): AnswerStatus {
    if (!this.#complete) return 'stopped'
    const status = this.#held.status ?? (text || (this.#held.quotes?.length ?? 0) > 0 ? 'answered' : 'not-found')
    return failed > 0 ? 'partial' : status
  }

  #isStop(error: unknown): boolean {
    const stopped = error instanceof LimitReached || error instanceof Stopped || this.#abort.signal.reason instanceof Stopped
    if (stopped) this.#failure = error
    return (stopped || this.#abort.signal.reason instanceof LimitReached) && this.#source !== undefined
  }

  async #succeed(answer: Answer): Promise<Answer> {
    await this.#save(answer.status, answer)
    this.#abort.abort(new Stopped('the run is over'))
    this.#emit({ type: 'run.finished', answer })
    this.events.end()
    return answer
  }

  async #fail(error: unknown): Promise<never> {
    this.#finishAnswering()
    const cause = this.#options.signal?.aborted ? this.#options.signal.reason : error
    const status: RunStatus = this.#options.signal?.aborted ? 'stopped' : 'failed'
    await this.#save(status, undefined).catch((saving: unknown) => this.#logger.error({ err: saving }, 'the run could not be saved'))
    this.#abort.abort(cause)
    this.#emit({ type: 'run.failed', error: cause, usage: this.#usage() })
    this.events.end()
    throw cause
  }

  get #logger(): Logger {
    return this.#options.logger ?? silent
  }

  #openedSource(): Source {
    if (!this.#source) throw new RunError(`Cannot read as the source of run ${this.id} is not open`, { runId: this.id })
    return this.#source
  }

  #sourceContext(): SourceContext {
    const { chunker, chunkTokens } = this.#options
    return createSourceContext(this.#openedSource(), this.#question, this.#abort.signal, {
      ...(chunker === undefined ? {} : { chunker }),
      ...(chunkTokens === undefined ? {} : { chunkTokens }),
    })
  }

  #strategyContext(source: Source): StrategyContext {
    const base = this.#sourceContext()
    const coverage = this.#coverage
    return {
      ...base,
      chunks: chunksLater(base, (total) => coverage.expect(total)),
      chunk(chunkOptions) {
        const chunks = base.chunk(chunkOptions)
        coverage.expect(chunks.length)
        return chunks
      },
      step: this.#createStep(source),
      hold: (result) => {
        this.#held = { ...this.#held, ...result }
      },
      emit: (event) => this.#emit(event),
      phase: (name) => this.#phase(name),
      host: (name, machine, input) => this.#controller.host(name, machine, input),
      memory: source.memory,
      scope: source.scope,
      embedder: source.embedder,
    }
  }

  #createStep(source: Source): StrategyContext['step'] {
    const { journal, fresh = false, namespace = '', call = {} } = this.#options
    return createStep({
      runId: this.id,
      scope: source.scope,
      namespace,
      fresh,
      documentIds: source.documents.map(({ id }) => id),
      journal,
      meter: this.#meter,
      signal: this.#abort.signal,
      call,
      now: this.#now,
      emit: (event) => this.#emit(event),
      open: () => this.#controller.open(),
      counted: (kind) => this.#count(kind),
      report: (report) => this.#coverage.report(report),
    })
  }

  #count(kind: 'reused' | 'retried' | 'finished' | 'failed'): void {
    this.#counts[kind] += 1
    if (kind === 'failed') this.#controller.send({ type: 'step.failed' })
    else if (kind !== 'retried') this.#controller.send({ type: 'step.finished', reused: kind === 'reused' })
    if (this.#now() - this.#saved >= SNAPSHOT_INTERVAL) {
      this.#saved = this.#now()
      void this.#save(this.#controller.paused ? 'paused' : 'running', undefined).catch((error: unknown) => {
        this.#logger.warn({ err: error }, 'the snapshot of the run could not be saved')
      })
    }
  }

  async #save(status: RunStatus, answer: Answer | undefined): Promise<void> {
    if (!this.#record) return
    await this.#options.journal.putRun({ ...this.#record, status, answer, snapshot: this.#controller.snapshot(), updatedAt: this.#now() })
  }

  #phase(name: 'reading' | 'joining' | 'answering'): void {
    this.#controller.send({ type: 'phase', name })
    if (name === 'answering') this.#startAnswering()
  }

  #startAnswering(): void {
    if (this.#answering) return
    this.#answering = true
    this.events.emit({ type: 'answer.started' })
  }

  #finishAnswering(): void {
    if (!this.#answering) return
    this.#answering = false
    this.events.emit({ type: 'answer.finished' })
  }

  #delta(text: string): void {
    this.#startAnswering()
    this.#streamed = true
    this.events.emit({ type: 'answer.delta', text })
  }

  #emit(event: RunEvent): void {
    if (event.type === 'answer.delta') this.#delta(event.text)
    else this.events.emit(event)
    this.#logger.debug({ runId: this.id, event: event.type })
  }

  #usage(): RunUsage {
    const { reused, retried } = this.#counts
    return { ...this.#meter.used, reused, retries: retried, milliseconds: this.#now() - this.#started }
  }
}

async function* chunksLater(context: SourceContext, expect: (total: number) => void): AsyncGenerator<ReturnType<SourceContext['chunk']>[number]> {
  const chunks = context.chunk()
  expect(chunks.length)
  yield* chunks
}

function checkResume(
  known: JournalRun | undefined,
  runId: string,
  now: { strategy: string; question: string | undefined; documentIds: readonly string[] },
): void {
  if (!known) throw new RunError(`Cannot resume run ${runId} as the journal does not know it. List runs with: scriptorium runs`, { runId })
  const different = [
    known.strategy === now.strategy ? undefined : `strategy ${known.strategy}, not ${now.strategy}`,
    known.question === now.question ? undefined : `question ${JSON.stringify(known.question)}, not ${JSON.stringify(now.question)}`,
    known.documentIds.join() === now.documentIds.join() ? undefined : 'other documents',
  ].filter((part) => part !== undefined)
  if (different.length > 0) throw new RunError(`Cannot resume run ${runId} as it was started with ${different.join(' and ')}`, { runId })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
