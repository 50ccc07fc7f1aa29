import { createRoute, z } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import type { Run } from '../../workflows/index.ts'
import type { Access } from '../http/access.ts'
import { bodyOf, idempotentHeaders, problems } from '../schemas/common.ts'
import { type Reply, replyOf, replySchema, wireEvent } from '../schemas/answers.ts'
import { type Recalled, recalledOf } from '../schemas/recall.ts'
import { threadParams } from '../schemas/threads.ts'
import { answerBody } from '../schemas/turns.ts'
import type { ServiceApp } from './route-table.ts'

export function addAnswerRoutes(app: ServiceApp, access: Access): void {
  const answer = createRoute({
    method: 'post',
    path: '/v1/threads/{thread}/answer',
    summary: 'Answer a message with what comes back of the thread; as events where the caller accepts text/event-stream',
    tags: ['answers'],
    middleware: access.thread('write'),
    request: { headers: idempotentHeaders, params: threadParams, body: bodyOf(answerBody) },
    responses: {
      200: {
        description: 'The reply, or the events of its run, one a message, whose last is run.finished or run.failed',
        content: { 'application/json': { schema: replySchema }, 'text/event-stream': { schema: z.string() } },
      },
      ...problems,
    },
  })
  app.openapi(answer, async (c) => {
    const { text, id = c.req.valid('header')['idempotency-key'], limits } = c.req.valid('json')
    const gone = new AbortController()
    c.req.raw.signal.addEventListener('abort', () => gone.abort(), { once: true })
    const run = await c.var.thread.answer(text, { id, limits: limits && definedOnly(limits), signal: gone.signal })
    if (!/\btext\/event-stream\b/.test(c.req.header('accept') ?? '')) return c.json(await replyOfRun(run), 200)
    return streamSSE(c, async (stream) => {
      stream.onAbort(() => gone.abort())
      for await (const event of run) await stream.writeSSE({ event: event.type, data: JSON.stringify(wireEvent(event)) })
    })
  })
}

async function replyOfRun(run: Run): Promise<Reply> {
  let recalled: Recalled | undefined
  for await (const event of run) if (event.type === 'memory.selected') recalled = recalledOf(event)
  return replyOf(await run.result, recalled)
}

function definedOnly(limits: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(Object.entries(limits).filter((entry): entry is [string, number] => entry[1] !== undefined))
}
