import { silent } from '../log/index.ts'
import { approximateCount, describe } from '../models/index.ts'
import { createMemoryJournal, scmController } from '../workflows/index.ts'
import { createAnswerDesk } from './core/answer-desk.ts'
import { deriveHandlers, findUnderived } from './core/derive-jobs.ts'
import { createScopeLocks } from './core/scope-lock.ts'
import type { ServiceCore, ServiceModel } from './core/service-core.ts'
import { createAccess } from './http/access.ts'
import { createAdmission } from './http/admission.ts'
import { createApp } from './http/create-app.ts'
import { createRateLimit } from './http/rate-limit.ts'
import { memoryAuditLog } from './memory-audit-log.ts'
import type { ServiceOptions } from './service-options.ts'

/** A service that does not know how it is reached: `fetch` gives the response to a request. */
export interface Service {
  /** Answers a request as the Fetch standard has it; works without a server. */
  fetch(request: Request): Response | Promise<Response>
  /** Whether there never was a key, so that only requests from this machine are served. */
  isOpen(): Promise<boolean>
  /** Resolves when nothing is left to be derived. */
  idle(): Promise<void>
  /**
   * Lets no further request in, waits for those under way and for jobs that run, and leaves what waits for the next start. A signal that aborts
   * meanwhile aborts the jobs.
   */
  close(options?: { readonly signal?: AbortSignal }): Promise<void>
}

/**
 * Makes the memory service over a store.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 * @example
 * ```ts
 * const service = createService({ memory, queue: await sqliteJobQueue('jobs.db'), keys })
 * const response = await service.fetch(new Request('http://localhost/healthz'))
 * ```
 */
export function createService(options: ServiceOptions): Service {
  const { keys, open = false, audit = memoryAuditLog(), limits = {}, corsOrigins = [] } = options
  const core = createCore(options)
  const { requestsPerSecond = 200, burst = 2 * requestsPerSecond, requests = 256 } = limits
  const { bodyBytes = 4 * 1024 * 1024, uploadBytes = 32 * 1024 * 1024, jsonDepth = 32 } = limits
  const rate = createRateLimit({ perSecond: requestsPerSecond, burst, now: core.now })
  const admission = createAdmission(requests)
  const access = createAccess({ core, audit, keys, open, rate })
  const app = createApp({ core, access, admission, corsOrigins, bodyBytes, uploadBytes, jsonDepth })
  const stop = new AbortController()
  const sweep = findUnderived(core, stop.signal).catch((error: unknown) => {
    if (!stop.signal.aborted) core.logger.error({ err: error }, 'what lacks its job could not be looked for')
  })
  core.queue.start(deriveHandlers(core))
  return {
    fetch: (request) => app.fetch(request),
    isOpen: async () => open && (keys === undefined || keys.isEmpty()),
    async idle() {
      await sweep
      await core.queue.idle()
    },
    async close(closing) {
      await admission.drain()
      stop.abort()
      await sweep
      await core.queue.close(closing)
    },
  }
}

function createCore(options: ServiceOptions): ServiceCore {
  const { memory, queue, embedder, summary, extractor, limits = {} } = options
  const { journal = createMemoryJournal(), controller = scmController, logger = silent, now = Date.now } = options
  const { answers = 16, backlog = 100_000, answer = { seconds: 120 } } = limits
  const model = describedModel(options)
  return {
    memory,
    journal,
    queue,
    locks: createScopeLocks(),
    desk: createAnswerDesk(answers),
    model,
    embedder,
    summary,
    extractor,
    controller,
    count: model?.description.count ?? approximateCount,
    limits: { backlog, answer },
    logger,
    now,
  }
}

function describedModel({ model, description }: ServiceOptions): ServiceModel | undefined {
  return model && { model, description: describe(model, description) }
}
