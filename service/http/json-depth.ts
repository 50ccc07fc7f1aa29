import type { MiddlewareHandler } from 'hono'
import { badRequest } from './problem.ts'

/** Refuses JSON that is nested deeper than `most`: what walks over values must not run out of stack. */
export function jsonDepth(most: number): MiddlewareHandler {
  return async (c, next) => {
    if (/^application\/(?:[\w.-]+\+)?json\b/i.test(c.req.header('content-type') ?? '') && isDeeper(await c.req.text(), most)) {
      throw badRequest(`The JSON is nested deeper than ${most} levels`)
    }
    await next()
  }
}

/** Counts brackets outside of strings; whether the text is JSON at all, its parser says. */
function isDeeper(json: string, most: number): boolean {
  let depth = 0
  let inString = false
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (inString) {
      if (code === BACKSLASH) at++
      else if (code === QUOTE) inString = false
    } else if (code === QUOTE) inString = true
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth++
      if (depth > most) return true
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--
  }
  return false
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
