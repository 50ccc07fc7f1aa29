import type { LoadedText } from './loaded-text.ts'
import { damaged } from './refusals.ts'
import { TextBuilder } from './text-builder.ts'

/** `00:01:02,500 --> 00:01:05.000 align:start`; hours may be absent in WebVTT. */
const TIMING = /^((?:\d+:)?\d{1,2}:\d{2}[.,]\d{3})[ \t]+-->[ \t]+(?:\d+:)?\d{1,2}:\d{2}[.,]\d{3}/
const SPEAKER_TAG = /<v(?:\.[^\s>]*)?[ \t]+([^>]*)>/
/** `ISHMAEL: Call me …`, as transcripts without voice tags have it. */
const SPEAKER_PREFIX = /^(?:>>\s*)?(\p{Lu}[\p{L}.'’-]*(?: \p{Lu}[\p{L}.'’-]*){0,3}):\s+(?=\S)/u

/** Reads subtitles (SRT, WebVTT): a line for each cue, marked with its time and its speaker where one is named; markup is left out. */
export function loadSubtitles(text: string, source: string): LoadedText {
  const builder = new TextBuilder()
  for (const block of text.replace(/\r\n?/g, '\n').split(/\n[ \t]*\n/)) {
    const lines = block.split('\n').filter((line) => line !== '')
    const at = lines.findIndex((line) => TIMING.test(line))
    // Before the timing there is at most a number or a name; blocks without one are headers, styles and remarks.
    if (at < 0 || at > 1) continue
    appendCue(builder, TIMING.exec(lines[at]!)![1]!, lines.slice(at + 1).join(' '))
  }
  if (builder.offset === 0) throw damaged(source, 'it holds no cue with text')
  return builder.end()
}

function appendCue(builder: TextBuilder, time: string, markup: string): void {
  const voice = SPEAKER_TAG.exec(markup)?.[1]?.trim()
  const words = unescape(markup.replace(/<[^>]*>|\{\\[^}]*\}/g, ''))
    .replace(/\s+/g, ' ')
    .trim()
  if (words === '') return
  const named = voice || SPEAKER_PREFIX.exec(words)?.[1]
  const start = builder.offset
  builder.add(voice && !words.startsWith(`${voice}:`) ? `${voice}: ${words}` : words)
  builder.mark('time', start, fullTime(time))
  if (named) builder.mark('speaker', start, named)
  builder.break(1)
}

function fullTime(time: string): string {
  const [seconds = '', minutes = '', hours = '0'] = time.replace(',', '.').split(':').toReversed()
  return `${hours.padStart(2, '0')}:${minutes.padStart(2, '0')}:${seconds.padStart(6, '0')}`
}

/** The character references of WebVTT. */
function unescape(text: string): string {
  return text.replace(/&(amp|lt|gt|lrm|rlm|nbsp);/g, (_, name: string) => REFERENCES[name] ?? '')
}

const REFERENCES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', lrm: '\u200E', rlm: '\u200F', nbsp: '\u00A0' }
