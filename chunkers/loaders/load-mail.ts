import type { ParsedMail } from 'mailparser'
import { loadOptional } from '../../errors/index.ts'
import { parseHtml } from './html-nodes.ts'
import { appendHtml } from './html-text.ts'
import type { LoadContext, LoadedText } from './loaded-text.ts'
import { damaged } from './refusals.ts'
import { TextBuilder } from './text-builder.ts'

/** The line between two mails of a mailbox: `From ishmael@example.org Tue Mar 12 14:05:22 2024` (RFC 4155). */
const SEPARATOR = /^From [^\r\n]*\d{4}[^\r\n]*\r?\n/gm

/** Reads a mail (RFC 5322) or a mailbox: a section for each mail, its text marked with sender and date; attachments are named. */
export async function loadMail(bytes: Uint8Array, { source }: LoadContext): Promise<LoadedText> {
  const { simpleParser } = await loadOptional('mailparser', `read ${source}`, () => import('mailparser'))
  const builder = new TextBuilder()
  let attachments = 0
  for (const mail of mailsOf(bytes)) {
    const parsed = await simpleParser(mail, { skipImageLinks: true, skipTextLinks: true, skipTextToHtml: true, skipHtmlToText: true })
    attachments += parsed.attachments.length
    await appendMail(builder, parsed, source)
  }
  if (builder.offset === 0) throw damaged(source, 'it holds no mail with text')
  if (attachments > 0) builder.note(attachments === 1 ? '1 attachment was left out' : `${attachments} attachments were left out`)
  return builder.end()
}

/** Latin-1 keeps every byte, so that each mail can be decoded by its own headers. */
function mailsOf(bytes: Uint8Array): Buffer[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  if (!text.startsWith('From ')) return [Buffer.from(text, 'latin1')]
  const starts = [...text.matchAll(SEPARATOR)].filter(
    ({ index }) => index === 0 || /\n\r?\n$/.test(text.slice(Math.max(0, index - 3), index)),
  )
  return starts.map((match, at) => {
    const mail = text.slice(match.index + match[0].length, starts[at + 1]?.index ?? text.length)
    return Buffer.from(mail.replace(/^>(>*From )/gm, '$1'), 'latin1')
  })
}

async function appendMail(
  builder: TextBuilder,
  { subject, from, to, date, text, html, attachments }: ParsedMail,
  source: string,
): Promise<void> {
  const receivers = (Array.isArray(to) ? to : to ? [to] : []).map((one) => one.text).join(', ')
  const names = attachments.map(({ filename }) => filename).filter((name) => name !== undefined)
  builder.break()
  const start = builder.offset
  builder.heading(subject ?? 'No subject', 1)
  const fields = [
    ['From', from?.text],
    ['To', receivers],
    ['Date', date?.toISOString()],
    ['Attachments', names.join(', ')],
  ].filter(([, value]) => value !== undefined && value !== '')
  builder.add(fields.map(([name, value]) => `${name}: ${value}`).join('\n'))
  builder.break()
  const body = text === undefined && html ? (await parseHtml(html, source)).body : undefined
  if (body) appendHtml(builder, body)
  else builder.add((text ?? '').replace(/\r\n?/g, '\n').trim())
  if (date) builder.mark('time', start, date.toISOString().replace('.000', ''))
  if (from) builder.mark('speaker', start, from.value[0]?.name || (from.value[0]?.address ?? from.text))
  builder.break()
}

/** Whether bytes begin as a mail or a mailbox does. */
export function isMail(head: string): boolean {
  const [first = ''] = head.split('\n', 1)
  const fields = /^From [^\r\n]*\d{4}/.test(first) ? head.slice(first.length + 1) : head
  const block = /^(?:[A-Za-z][\w-]*:[ \t]?[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*)+(?:\r?\n|$)/.exec(fields)?.[0] ?? ''
  return ['From', 'Date'].every((name) => new RegExp(`^${name}:`, 'im').test(block)) && /^(?:To|Subject|Message-ID|Received):/im.test(block)
}
