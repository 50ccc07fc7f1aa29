import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { scriptedEmbedder } from '../../testing/index.ts'

/** What the server does with one request. */
export type Behaviour =
  | { readonly kind: 'answer'; readonly text: string; readonly finish?: string }
  | { readonly kind: 'error'; readonly status: number; readonly headers?: Record<string, string>; readonly error?: object }
  /** Sends parts of an answer and breaks: by closing the socket, or by ending the body without a finish reason. */
  | { readonly kind: 'cut'; readonly text: string; readonly by: 'reset' | 'end' }
  /** Never answers. */
  | { readonly kind: 'hang' }
  /** Chooses by the request. */
  | { readonly kind: 'choose'; readonly choose: (prompt: string) => Behaviour }

export interface ChatRequest {
  readonly model: string
  readonly stream?: boolean
  readonly max_tokens?: number
  readonly temperature?: number
  readonly messages: readonly { readonly role: string; readonly content: string }[]
}

interface EmbeddingRequest {
  readonly model: string
  readonly input: string | readonly string[]
  readonly encoding_format?: 'float' | 'base64'
}

export interface ReceivedRequest {
  readonly body: ChatRequest
  /** Resolves when the client has let go of the connection. */
  readonly closed: Promise<void>
}

export interface OpenAIServer extends AsyncDisposable {
  readonly baseURL: string
  readonly requests: readonly ReceivedRequest[]
  /** Resolves with the next request that arrives. */
  nextRequest(): Promise<ReceivedRequest>
}

/** A server on 127.0.0.1 that speaks the chat-completions and the embeddings protocol. The last behaviour repeats. */
export async function openAIServer(...behaviours: readonly Behaviour[]): Promise<OpenAIServer> {
  const requests: ReceivedRequest[] = []
  const waiting: ((request: ReceivedRequest) => void)[] = []
  const server = createServer((request, response) => {
    void serve(request, response)
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = once(response, 'close').then(() => undefined)
    const body = JSON.parse(await bodyOf(request))
    if (request.url?.endsWith('/embeddings')) {
      await embed(body, response)
      return
    }
    const received: ReceivedRequest = { body, closed }
    const behaviour = behaviours[Math.min(requests.length, behaviours.length - 1)]
    requests.push(received)
    waiting.shift()?.(received)
    if (behaviour) respond(behaviour, received, response)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    requests,
    nextRequest: () => new Promise((resolve) => waiting.push(resolve)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const embedder = scriptedEmbedder({ dimensions: 32 })

/** Tokens that the server reports: one for each word. */
export function words(text: string): number {
  return text.split(/\s+/).filter(Boolean).length
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const part of request.setEncoding('utf8')) body += part
  return body
}

async function embed({ model, input, encoding_format: format }: EmbeddingRequest, response: ServerResponse): Promise<void> {
  const vectors = await embedder.embed(typeof input === 'string' ? [input] : input)
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector],
  }))
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ object: 'list', model, data, usage: { prompt_tokens: 1, total_tokens: 1 } }))
}

function respond(behaviour: Behaviour, received: ReceivedRequest, response: ServerResponse): void {
  if (behaviour.kind === 'hang') return
  if (behaviour.kind === 'choose') {
    respond(behaviour.choose(received.body.messages.map((message) => message.content).join('\n')), received, response)
    return
  }
  if (behaviour.kind === 'error') {
    response.writeHead(behaviour.status, { 'content-type': 'application/json', ...behaviour.headers })
    response.end(JSON.stringify({ error: behaviour.error ?? { message: `status ${behaviour.status}`, type: 'error', code: null } }))
    return
  }
  if (received.body.stream === true) stream(behaviour, received, response)
  else if (behaviour.kind === 'cut') response.destroy()
  else answer(behaviour, received, response)
}

function answer(behaviour: Extract<Behaviour, { kind: 'answer' }>, { body }: ReceivedRequest, response: ServerResponse): void {
  const message = { role: 'assistant', content: behaviour.text, refusal: null }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(
    JSON.stringify({
      ...head('chat.completion', body.model),
      choices: [{ index: 0, message, finish_reason: behaviour.finish ?? 'stop', logprobs: null }],
      usage: usageOf(body, behaviour.text),
    }),
  )
}

function stream(behaviour: Extract<Behaviour, { kind: 'answer' | 'cut' }>, { body }: ReceivedRequest, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (data: object): boolean =>
    response.write(`data: ${JSON.stringify({ ...head('chat.completion.chunk', body.model), ...data })}\n\n`)
  send({ choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] })
  for (const part of behaviour.text.match(/\S+\s*/g) ?? []) send({ choices: [{ index: 0, delta: { content: part }, finish_reason: null }] })
  if (behaviour.kind === 'cut') {
    if (behaviour.by === 'end') response.end()
    else response.write('data: {"id"', () => response.destroy())
    return
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'finish' in behaviour ? behaviour.finish : 'stop' }] })
  send({ choices: [], usage: usageOf(body, behaviour.text) })
  response.end('data: [DONE]\n\n')
}

function head(object: string, model: string): object {
  return { id: 'chatcmpl-1', object, created: 1_700_000_000, model, system_fingerprint: null }
}

function usageOf(body: ReceivedRequest['body'], text: string): object {
  const prompt = words(body.messages.map((message) => message.content).join(' '))
  return { prompt_tokens: prompt, completion_tokens: words(text), total_tokens: prompt + words(text) }
}
