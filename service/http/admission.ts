import type { MiddlewareHandler } from 'hono'
import { Problem, tooBusy } from './problem.ts'

/** Lets requests in as long as there is room for them. */
export interface Admission {
  readonly middleware: MiddlewareHandler
  readonly isDraining: boolean
  /** Lets no further request in; resolves when none is under way. */
  drain(): Promise<void>
}

/** @param most requests under way at one time: further ones are refused, and do not wait in a queue without end */
export function createAdmission(most: number): Admission {
  let inFlight = 0
  let isDraining = false
  let drained: (() => void)[] = []

  function leave(): void {
    inFlight--
    if (inFlight > 0 || !isDraining) return
    for (const tell of drained) tell()
    drained = []
  }

  return {
    get isDraining() {
      return isDraining
    },
    async middleware(c, next) {
      if (isDraining) throw new Problem(503, 'stopping', 'The service is stopping', { retryAfter: 5 })
      if (inFlight >= most) throw tooBusy(`There are ${inFlight} requests under way`, 1)
      inFlight++
      let left = false
      const end = (): void => {
        if (!left) leave()
        left = true
      }
      try {
        await next()
      } catch (error) {
        end()
        throw error
      }
      c.res = untilSent(c.res, end)
    },
    drain() {
      isDraining = true
      return inFlight === 0 ? Promise.resolve() : new Promise((resolve) => drained.push(resolve))
    },
  }
}

/** A response that streams is under way until its last byte, or until nobody reads it any more. */
function untilSent(response: Response, end: () => void): Response {
  const { body } = response
  if (body === null || !/^(text\/event-stream|application\/x-ndjson)/.test(response.headers.get('content-type') ?? '')) {
    end()
    return response
  }
  const reader = body.getReader()
  const watched = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) {
          controller.enqueue(value)
          return
        }
        controller.close()
        end()
      } catch (error) {
        end()
        controller.error(error)
      }
    },
    async cancel(reason) {
      end()
      await reader.cancel(reason)
    },
  })
  return new Response(watched, response)
}
