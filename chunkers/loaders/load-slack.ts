import type { LoadedText } from './loaded-text.ts'
import { TextBuilder } from './text-builder.ts'

/** A message of a Slack export, the fields that are read. */
interface Message {
  readonly type: 'message'
  readonly ts: string
  readonly text: string
  readonly user?: unknown
  readonly username?: unknown
  /** Messages of apps often hold their text here. */
  readonly attachments?: unknown
  readonly user_profile?: { readonly real_name?: unknown; readonly display_name?: unknown } | null
}

/** Reads a day of a Slack export: a block for each message, marked with its time (UTC) and its speaker. */
export function loadSlack(values: readonly unknown[]): LoadedText {
  const messages = values.filter(isMessage)
  const names = new Map(messages.flatMap((message) => (typeof message.user === 'string' ? [[message.user, nameOf(message)]] : [])))
  const builder = new TextBuilder()
  for (const message of messages) {
    const text = plainText([message.text, ...attachedTexts(message)].filter((part) => part !== '').join('\n'), names)
    if (text === '') continue
    const time = timeOf(message.ts)
    const speaker = nameOf(message)
    const start = builder.offset
    builder.add(`[${time.slice(0, 16).replace('T', ' ')}] ${speaker}: ${text}`)
    builder.mark('time', start, time)
    builder.mark('speaker', start, speaker)
    builder.break(1)
  }
  return builder.end()
}

/** The list of Slack messages that the value of a JSON file is, or, as its web interface answers, holds as `messages`; else undefined. */
export function slackMessages(value: unknown): readonly unknown[] | undefined {
  const list: unknown = typeof value === 'object' && value !== null && 'messages' in value ? value.messages : value
  return Array.isArray(list) && list.length > 0 && list.slice(0, 5).every((one) => isMessage(one)) ? list : undefined
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('ts' in value) || !('text' in value)) return false
  return value.type === 'message' && typeof value.text === 'string' && typeof value.ts === 'string' && /^\d{9,11}\.\d+$/.test(value.ts)
}

function attachedTexts({ attachments }: Message): string[] {
  if (!Array.isArray(attachments)) return []
  return (attachments as ({ readonly text?: unknown; readonly fallback?: unknown } | null)[]).flatMap((attached) => {
    const text = attached?.text || attached?.fallback
    return typeof text === 'string' ? [text] : []
  })
}

function nameOf({ user, username, user_profile: profile }: Message): string {
  const name = [profile?.real_name, profile?.display_name, username, user].find((one) => typeof one === 'string' && one !== '')
  return typeof name === 'string' ? name : 'unknown'
}

/** `2024-03-12T14:05:22Z`. */
function timeOf(timestamp: string): string {
  return new Date(Math.floor(Number(timestamp)) * 1000).toISOString().replace('.000', '')
}

/** Slack's markup: mentions, links with a label, three escaped characters. */
function plainText(text: string, names: ReadonlyMap<string, string>): string {
  return text
    .replace(/<@(\w+)(?:\|([^>]*))?>/g, (_, id: string, label?: string) => `@${label ?? names.get(id) ?? id}`)
    .replace(/<#\w+\|([^>]*)>/g, '#$1')
    .replace(/<(?:!\w+\|)?([^|>\s]+)\|([^>]*)>/g, '$2 ($1)')
    .replace(/<([^>\s]+)>/g, '$1')
    .replace(/&(amp|lt|gt);/g, (_, name: string) => (name === 'amp' ? '&' : name === 'lt' ? '<' : '>'))
    .trim()
}
