/** The JSON object in a reply, whatever stands around it. */
export function parseObject(reply: string): Record<string, unknown> | undefined {
  const text = reply.replace(/<think>[\s\S]*?(?:<\/think>|$)/gi, '')
  try {
    const value: unknown = JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
