/** One step: journal, limits, retries, events and abort around an agent. */
import type { Agent, AgentCall, AgentContext, Usage, WorkerOutput } from '../agents/index.ts'
import { callModel, type CallModelOptions, cost, describe, type ModelDescription } from '../models/index.ts'
import { ContextOverflowError, ModelError } from '../errors/index.ts'
import type { Chunk } from '../chunkers/index.ts'
import type { ChunkReport } from './answer.ts'
import type { Journal } from './journal.ts'
import { add, LimitReached, type Meter } from './limits.ts'
import { messageOf } from './message-of.ts'
import type { RunEvent } from './run-event.ts'
import { stepKey } from './step-key.ts'
import type { Step } from './strategy.ts'

/** What the steps of one run share. */
export interface StepHost {
  readonly runId: string
  readonly scope: string
  readonly namespace: string
  readonly fresh: boolean
  readonly documentIds: readonly string[]
  readonly journal: Journal
  readonly meter: Meter
  readonly signal: AbortSignal
  readonly call: CallModelOptions
  readonly now: () => number
  emit(event: RunEvent): void
  /** Resolves when the run is not paused. */
  open(): Promise<void>
  counted(kind: 'reused' | 'finished' | 'failed' | 'retried'): void
  report(report: ChunkReport): { readonly done: number; readonly total: number }
}

/** Makes the `step` of one run. */
export function createStep(host: StepHost): Step {
  const counters = new Map<string, number>()
  return async (agent, input, options = {}) => {
    await host.open()
    host.signal.throwIfAborted()
    const path = options.path ?? nextPath(counters, agent.name)
    const chunk = chunkOf(input)
    if (chunk) host.emit({ type: 'worker.started', path, chunkIndex: chunk.index, documentId: chunk.documentId })
    try {
      const output = agent.place(await recordedOrRun(host, agent, input, path, options.sample ?? 0), input)
      if (chunk) finishChunk(host, path, chunk, outcomeOf(output))
      return output
    } catch (error) {
      // A run that ends before a chunk was read did not fail on it.
      const outcome = host.signal.aborted || error instanceof LimitReached ? 'skipped' : 'failed'
      if (chunk) finishChunk(host, path, chunk, { outcome, reason: messageOf(error) })
      throw error
    }
  }
}

async function recordedOrRun<Input, Recorded>(
  host: StepHost,
  agent: Agent<Input, unknown, Recorded>,
  input: Input,
  path: string,
  sample: number,
): Promise<Recorded> {
  const { name, version, identity } = agent
  const key = stepKey({ namespace: host.namespace, agent: { name, version, identity }, input: agent.key(input), sample })
  host.emit({ type: 'step.started', path, agent: name })
  const started = host.now()
  try {
    const recorded = await lookUp(host, path, key)
    const output = recorded === undefined ? await runAgent(host, agent, input, path, key, started) : (JSON.parse(recorded) as Recorded)
    host.counted(recorded === undefined ? 'finished' : 'reused')
    host.emit({ type: 'step.finished', path, agent: name, reused: recorded !== undefined, milliseconds: host.now() - started })
    return output
  } catch (error) {
    host.counted('failed')
    host.emit({ type: 'step.failed', path, agent: name, error })
    throw error
  }
}

/** The same run at the same place (resume), else the same inputs anywhere in the scope (reuse). */
async function lookUp(host: StepHost, path: string, key: string): Promise<string | undefined> {
  const own = await host.journal.getStep(host.runId, path)
  if (own?.key === key) return own.output
  if (host.fresh) return undefined
  const other = await host.journal.findStep(host.scope, key)
  if (other)
    await host.journal.putStep({
      ...other,
      runId: host.runId,
      path,
      documentIds: host.documentIds,
      usage: nothing,
      finishedAt: host.now(),
      milliseconds: 0,
    })
  return other?.output
}

const nothing: Usage = { calls: 0, inputTokens: 0, outputTokens: 0, usd: 0 }

async function runAgent<Input, Recorded>(
  host: StepHost,
  agent: Agent<Input, unknown, Recorded>,
  input: Input,
  path: string,
  key: string,
  started: number,
): Promise<Recorded> {
  let usage = nothing
  const context = agentContext(host, path, (used) => {
    usage = add(usage, used)
  })
  const recorded = await agent.run(input, context)
  await host.journal.putStep({
    runId: host.runId,
    path,
    key,
    agent: agent.name,
    output: JSON.stringify(recorded),
    usage,
    scope: host.scope,
    documentIds: host.documentIds,
    finishedAt: host.now(),
    milliseconds: host.now() - started,
  })
  return recorded
}

function agentContext(host: StepHost, path: string, count: (usage: Usage) => void): AgentContext {
  return {
    signal: host.signal,
    call: (call) => callWithin(host, path, call, count),
    async compute(work) {
      const settle = host.meter.reserve({ ...nothing, calls: 1 })
      let used = nothing
      try {
        const { value, usage } = await work(host.signal)
        used = usage
        return value
      } finally {
        settle(used)
        count(used)
      }
    },
    delta: (text) => host.emit({ type: 'answer.delta', text }),
    notice: (code, message) => host.emit({ type: 'notice.given', path, code, message }),
  }
}

async function callWithin(host: StepHost, path: string, call: AgentCall, count: (usage: Usage) => void): Promise<string> {
  const description = call.description ?? describe(call.model)
  const estimate = estimateCall(call, description)
  const settle = host.meter.reserve(estimate)
  let used = nothing
  try {
    const reply = await callModel(call.model, [...call.messages], {
      ...host.call,
      signal: host.signal,
      description,
      maxTokens: call.maxTokens,
      ...(call.temperature === undefined ? {} : { temperature: call.temperature }),
      ...(call.onDelta === undefined ? {} : { onDelta: call.onDelta, onRestart: () => host.emit({ type: 'answer.restarted' }) }),
      onRetry({ attempt, wait, error }) {
        host.counted('retried')
        host.emit({ type: 'call.retried', path, attempt, wait, error })
      },
    })
    const { inputTokens, outputTokens } = reply.usage
    used = { calls: reply.attempts, inputTokens, outputTokens, usd: priceOf(reply.usage, description) }
    return reply.text
  } catch (error) {
    // What was sent counts, also where no answer came of it.
    if (error instanceof ModelError) used = { ...nothing, calls: error.attempts }
    throw error
  } finally {
    settle(used)
    count(used)
  }
}

/** Checks the window before anything is sent, and says what the call may take at most. */
function estimateCall(call: AgentCall, description: ModelDescription): Usage {
  const { count, margin, perMessage, window } = description
  const prompt = call.messages.reduce((sum, message) => sum + count(message.content) + perMessage, 0)
  const inputTokens = Math.ceil(prompt * (1 + margin))
  if (inputTokens + call.maxTokens > window) {
    const parts = { ...(call.parts ?? { prompt }), output: call.maxTokens, margin: inputTokens - prompt }
    throw new ContextOverflowError(`Cannot call ${description.id}`, parts, window)
  }
  const usage = { inputTokens, outputTokens: call.maxTokens }
  return { calls: 1, ...usage, usd: priceOf(usage, description) }
}

function priceOf(usage: { inputTokens: number; outputTokens: number }, { price }: ModelDescription): number | undefined {
  return price === undefined ? undefined : cost(usage, price)
}

function nextPath(counters: Map<string, number>, name: string): string {
  const place = counters.get(name) ?? 0
  counters.set(name, place + 1)
  return `${name}/${place}`
}

function chunkOf(input: unknown): Chunk | undefined {
  const chunk = (input as { chunk?: Chunk } | null)?.chunk
  return chunk && typeof chunk.index === 'number' ? chunk : undefined
}

function outcomeOf(output: unknown): Pick<ChunkReport, 'outcome' | 'reason'> {
  const { found, flags } = output as Partial<WorkerOutput>
  const reason = flags && flags.length > 0 ? { reason: flags.join(', ') } : {}
  return { outcome: found === false ? 'empty' : 'read', ...reason }
}

function finishChunk(host: StepHost, path: string, chunk: Chunk, result: Pick<ChunkReport, 'outcome' | 'reason'>): void {
  const { documentId, index, start, end } = chunk
  const progress = host.report({ documentId, index, start, end, ...result })
  host.emit({ type: 'worker.finished', path, chunkIndex: index, documentId, outcome: result.outcome, ...progress })
}
