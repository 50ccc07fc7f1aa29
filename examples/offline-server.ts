/** A stand-in for a paid model: it speaks the chat-completions protocol on this machine and reads with rules, so that the examples need no key. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { scriptedModel } from 'scriptorium/testing'

/** Finds the sentences of the part that speak of the doubloon, as a worker is asked to; answers from the notes, as a manager is. */
const model = scriptedModel({
  id: 'offline',
  window: 128_000,
  maxOutput: 1_024,
  rules: [
    {
      when: ['NOTHING NEW', 'sixteen dollar piece'],
      answer:
        'NOTES: The reward is a Spanish ounce of gold, a sixteen dollar piece [q1].\nQUOTE [q1]: "it is a sixteen dollar piece, men."',
    },
    { when: 'NOTHING NEW', answer: 'NOTHING NEW' },
    { when: 'sixteen dollar piece', answer: 'A Spanish ounce of gold, worth sixteen dollars [q1].' },
  ],
  fallback: 'NOT FOUND',
})

export interface OfflineServer extends AsyncDisposable {
  readonly baseURL: string
}

export async function startOfflineServer(): Promise<OfflineServer> {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += String(part)
    const { messages, model: name, stream } = JSON.parse(body) as { messages: []; model: string; stream?: boolean }
    const content = String((await model.invoke(messages)).content)
    const common = { id: 'offline', created: 0, model: name }
    if (stream) {
      const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason: 'stop' }]
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(`data: ${JSON.stringify({ ...common, object: 'chat.completion.chunk', choices })}\n\ndata: [DONE]\n\n`)
    } else {
      const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }]
      const usage = { prompt_tokens: Math.ceil(body.length / 4), completion_tokens: Math.ceil(content.length / 4), total_tokens: 0 }
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ ...common, object: 'chat.completion', choices, usage }))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
