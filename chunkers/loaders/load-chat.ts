import type { Mark } from '../document.ts'
import { textLines } from '../paragraphs.ts'
import type { LoadedText } from './loaded-text.ts'

/** A line that begins a message of a WhatsApp export: `[12/03/2024, 14:05:22] Ishmael: …` or `12.03.24, 14:05 - Ishmael: …`. */
const MESSAGE =
  /^[\u200E\u200F]?(?:\[(\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4},? \d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:[ \u00A0\u202F]?[AaPp]\.?[Mm]\.?)?)\] |(\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4},? \d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:[ \u00A0\u202F]?[AaPp]\.?[Mm]\.?)?) - )(?:([^:\n]{1,60}): )?/u

/** Lines that are looked at to tell a chat. */
const LOOKED_AT = 30

/** The text as it is, with a mark for the time and the speaker of each message; times stand as the export wrote them. */
export function loadChat(text: string): LoadedText {
  const marks: Mark[] = []
  let open: { start: number; end: number; time: string; speaker: string | undefined } | undefined
  const close = (): void => {
    if (!open) return
    const { start, end, time, speaker } = open
    marks.push({ type: 'time', start, end, value: time })
    if (speaker !== undefined) marks.push({ type: 'speaker', start, end, value: speaker })
  }
  for (const { start, end } of textLines(text)) {
    const match = MESSAGE.exec(text.slice(start, Math.min(end, start + 120)))
    if (match) {
      close()
      open = { start, end, time: match[1] ?? match[2] ?? '', speaker: match[3] }
    } else if (open && end > start) open.end = end
  }
  close()
  return { text, sections: [], marks }
}

/** Whether a text begins as a chat does: two messages or more, and no line before the first. */
export function isChat(text: string): boolean {
  const lines = text.slice(0, 20_000).split('\n').slice(0, LOOKED_AT)
  return MESSAGE.test(lines[0] ?? '') && lines.filter((line) => MESSAGE.test(line)).length >= 2
}
