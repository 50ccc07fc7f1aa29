/** The work behind a run: its machine's states, and what they share. */
import { randomUUID } from 'node:crypto'
import type { Chunk } from '../chunkers/index.ts'
import { type Logger, silent } from '../log/index.ts'
import { RunError } from '../errors/index.ts'
import type { Answer, RunUsage } from './answer.ts'
import { type AnswerEvents, createAnswerEvents } from './answer-events.ts'
import { buildAnswer } from './build-answer.ts'
import { createCoverageBook } from './coverage.ts'
import { EventStream } from './event-stream.ts'
import type { RunStatus } from './journal.ts'
import { messageOf } from './message-of.ts'
import { createMeter, LimitReached } from './limits.ts'
import { createRunController, type RunController } from './run-controller.ts'
import type { RunEvent } from './run-event.ts'
import { createRunRecord, type RunRecord } from './run-record.ts'
import type { Source } from './source.ts'
import type { RunOptions } from './run-options.ts'
import { createStep } from './step.ts'
import type { Plan } from './plan.ts'
import type { SourceContext, StrategyContext, StrategyResult } from './strategy.ts'
import { createSourceContext } from './source-context.ts'

/** Ends a run early with what it has. */
class Stopped extends Error {
  override readonly name = 'Stopped'
}

export class ActiveRun {
  readonly id: string
  readonly events: EventStream<RunEvent> = new EventStream<RunEvent>()
  #abort = new AbortController()
  #options: RunOptions
  #question: string | undefined
  #openSource: (signal: AbortSignal) => Promise<Source>
  #source: Source | undefined
  #context: SourceContext | undefined
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
  #telling: AnswerEvents = createAnswerEvents((event) => this.events.emit(event))
  #record: RunRecord

  constructor(openSource: (signal: AbortSignal) => Promise<Source>, question: string | undefined, options: RunOptions) {
    this.#now = options.now ?? Date.now
    this.#started = this.#now()
    this.#openSource = openSource
    this.#question = question
    this.#options = options
    this.#meter = createMeter(options.limits)
    this.id = options.resume ?? randomUUID()
    this.#record = createRunRecord({
      id: this.id,
      journal: options.journal,
      strategy: options.strategy.name,
      question,
      resumes: options.resume !== undefined,
      startedAt: this.#started,
      now: this.#now,
      snapshot: () => this.#controller.snapshot(),
    })
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
    this.#source = await this.#openSource(this.#abort.signal)
    await this.#record.open(this.#source)
    const { strategy } = this.#options
    this.#emit({ type: 'run.started', runId: this.id, strategy: strategy.name, documents: this.#source.documents.map(({ name }) => name) })
    for (const message of this.#source.notes ?? []) this.#emit({ type: 'notice.given', path: 'source', code: 'not-read', message })
    const plan: Plan = await strategy.plan(this.#sourceContext())
    this.#emit({ type: 'plan.ready', plan })
  }

  async #read(): Promise<void> {
    const result = await this.#options.strategy.run(this.#strategyContext(this.#openedSource()))
    this.#held = result
    this.#complete = true
  }

  async #verify(): Promise<void> {
    for (const report of this.#held.coverage ?? []) this.#coverage.report(report)
    this.#coverage.skipRest(this.#complete ? 'the answer was there before it was read' : 'the run ended before it was read')
    if (this.#complete && this.#held.text && !this.#telling.told) this.#telling.delta(this.#held.text)
    this.#telling.finish()
    const cause: unknown = this.#abort.signal.aborted ? this.#abort.signal.reason : this.#failure
    this.#answer = buildAnswer({
      runId: this.id,
      strategy: this.#options.strategy.name,
      documents: this.#source?.documents ?? [],
      result: this.#held,
      coverage: this.#coverage.coverage,
      usage: this.#usage(),
      ...(this.#complete ? {} : { stopped: messageOf(cause) }),
      reject: ({ text }) => {
        this.#emit({ type: 'notice.given', path: 'verify', code: 'quote-rejected', message: `Not in the document: ${text.slice(0, 80)}` })
      },
    })
  }

  #isStop(error: unknown): boolean {
    const stopped = error instanceof LimitReached || error instanceof Stopped || this.#abort.signal.reason instanceof Stopped
    if (stopped) this.#failure = error
    return stopped || this.#abort.signal.reason instanceof LimitReached
  }

  async #succeed(answer: Answer): Promise<Answer> {
    await this.#record.save(answer.status, answer)
    this.#abort.abort(new Stopped('the run is over'))
    this.#emit({ type: 'run.finished', answer })
    this.events.end()
    return answer
  }

  async #fail(error: unknown): Promise<never> {
    this.#telling.finish()
    const cause = this.#options.signal?.aborted ? this.#options.signal.reason : error
    const status: RunStatus = this.#options.signal?.aborted ? 'stopped' : 'failed'
    await this.#saveFailure(status)
    this.#abort.abort(cause)
    this.#emit({ type: 'run.failed', error: cause, usage: this.#usage() })
    this.events.end()
    throw cause
  }

  async #saveFailure(status: RunStatus): Promise<void> {
    try {
      await this.#record.save(status)
    } catch (error) {
      this.#logger.error({ err: error }, 'the run could not be saved')
    }
  }

  get #logger(): Logger {
    return this.#options.logger ?? silent
  }

  #openedSource(): Source {
    if (!this.#source) throw new RunError(`Cannot read as the source of run ${this.id} is not open`, { runId: this.id })
    return this.#source
  }

  /** One for planning and reading, so that a text is cut once. */
  #sourceContext(): SourceContext {
    const { chunker, chunkTokens } = this.#options
    this.#context ??= createSourceContext(this.#openedSource(), this.#question, this.#abort.signal, {
      ...(chunker === undefined ? {} : { chunker }),
      ...(chunkTokens === undefined ? {} : { chunkTokens }),
    })
    return this.#context
  }

  #strategyContext(source: Source): StrategyContext {
    const base = this.#sourceContext()
    const chunk: SourceContext['chunk'] = async (options) => {
      const chunks = await base.chunk(options)
      this.#coverage.expect(chunks)
      return chunks
    }
    return {
      ...base,
      chunks: chunksLater(chunk),
      chunk,
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
    this.#record.saveSoon(this.#controller.paused ? 'paused' : 'running', (error) => {
      this.#logger.warn({ err: error }, 'the snapshot of the run could not be saved')
    })
  }

  #phase(name: 'reading' | 'joining' | 'answering'): void {
    this.#controller.send({ type: 'phase', name })
    if (name === 'answering') this.#telling.start()
  }

  #emit(event: RunEvent): void {
    if (event.type === 'answer.delta') this.#telling.delta(event.text)
    else this.events.emit(event)
    this.#logger.debug({ runId: this.id, event: event.type })
  }

  #usage(): RunUsage {
    const { reused, retried } = this.#counts
    return { ...this.#meter.used, reused, retries: retried, milliseconds: this.#now() - this.#started }
  }
}

async function* chunksLater(chunk: SourceContext['chunk']): AsyncGenerator<Chunk> {
  yield* await chunk()
}
