import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface ServedTool {
  readonly function: { readonly name: string; readonly parameters: ServedSchema }
}

interface ServedSchema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly properties?: Readonly<Record<string, ServedSchema>>
}

interface ServedRequest {
  readonly model: string
  readonly stream?: boolean
  readonly messages: readonly { readonly role: string; readonly content: unknown }[]
  readonly tools?: readonly ServedTool[]
  readonly tool_choice?: string | { readonly function: { readonly name: string } }
  readonly response_format?: { readonly json_schema?: { readonly schema: ServedSchema } }
}

let replies = 0

interface Reply {
  readonly content: string | null
  readonly call?: { readonly name: string; readonly arguments: string }
}

export interface ToolServer extends AsyncDisposable {
  readonly baseURL: string
}

/**
 * A server on 127.0.0.1 that speaks the chat-completions protocol with tools and structured output. It calls a tool where it must, or where it may and the
 * last message is the user's: the first one, or the last one once it has a result. Its values are the least ones of their schema. In words it repeats the last message.
 */
export async function toolServer(): Promise<ToolServer> {
  const server = createServer((request, response) => {
    void (async () => {
      let body = ''
      for await (const part of request.setEncoding('utf8')) body += part
      serve(JSON.parse(body), response)
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseURL: `http://127.0.0.1:${port}/v1`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function serve(request: ServedRequest, response: ServerResponse): void {
  if (request.messages.length === 0) {
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: { message: 'messages is empty', type: 'invalid_request_error', code: null } }))
    return
  }
  const reply = replyTo(request)
  if (request.stream === true) stream(request, reply, response)
  else answer(request, reply, response)
}

function replyTo({ messages, tools = [], tool_choice: choice = 'auto', response_format: format }: ServedRequest): Reply {
  const last = messages.at(-1)
  const name = typeof choice === 'object' ? choice.function.name : undefined
  const wants = name !== undefined || choice === 'required' || (choice === 'auto' && last?.role === 'user')
  const fitting = tools.filter((one) => name === undefined || one.function.name === name)
  const tool = wants ? fitting.at(last?.role === 'tool' ? -1 : 0) : undefined
  if (tool !== undefined)
    return { content: null, call: { name: tool.function.name, arguments: JSON.stringify(least(tool.function.parameters)) } }
  const schema = format?.json_schema?.schema
  return { content: schema === undefined ? `You said: ${String(last?.content)} And so it is.` : JSON.stringify(least(schema)) }
}

function least({ type, enum: values, minimum = 0, properties = {} }: ServedSchema): unknown {
  if (values !== undefined) return values[0]
  if (type === 'object') return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, least(schema)]))
  return type === 'string' ? 'Ahab' : type === 'boolean' ? false : minimum
}

function answer(request: ServedRequest, { content, call }: Reply, response: ServerResponse): void {
  const message = {
    role: 'assistant',
    content,
    refusal: null,
    ...(call && { tool_calls: [{ id: 'call_1', type: 'function', function: call }] }),
  }
  const choice = { index: 0, message, finish_reason: call ? 'tool_calls' : 'stop', logprobs: null }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(
    JSON.stringify({
      ...head('chat.completion', request.model),
      choices: [choice],
      usage: usageOf(request, { content, ...(call && { call }) }),
    }),
  )
}

function stream(request: ServedRequest, reply: Reply, response: ServerResponse): void {
  const id = `chatcmpl-${++replies}`
  const send = (choices: object[], usage?: object): boolean =>
    response.write(`data: ${JSON.stringify({ ...head('chat.completion.chunk', request.model, id), choices, ...(usage && { usage }) })}\n\n`)
  const delta = (given: object, finish: string | null = null): boolean => send([{ index: 0, delta: given, finish_reason: finish }])
  const { content, call } = reply
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  delta({ role: 'assistant', content: '' })
  for (const part of content?.match(/\S+\s*/g) ?? []) delta({ content: part })
  if (call !== undefined) {
    delta({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: call.name, arguments: '' } }] })
    for (const part of call.arguments.match(/.{1,5}/g) ?? []) delta({ tool_calls: [{ index: 0, function: { arguments: part } }] })
  }
  delta({}, call ? 'tool_calls' : 'stop')
  send([], usageOf(request, reply))
  response.end('data: [DONE]\n\n')
}

function head(object: string, model: string, id = `chatcmpl-${++replies}`): object {
  return { id, object, created: 1_700_000_000, model, system_fingerprint: null }
}

function usageOf({ messages }: ServedRequest, { content, call }: Reply): object {
  const prompt = messages.reduce((tokens, message) => tokens + String(message.content).length, 0)
  const written = (content ?? '').length + (call?.arguments.length ?? 0)
  return { prompt_tokens: prompt, completion_tokens: written, total_tokens: prompt + written }
}
