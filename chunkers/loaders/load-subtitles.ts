import type { LoadedText } from './loaded-text.ts'
import { damaged } from './refusals.ts'
import { TextBuilder } from './text-builder.ts'

/** `00:01:02,500 --> 00:01:05.000 align:start`; hours may be absent in WebVTT. */
const TIMING = /^((?:\d+:)?\d{1,2}:\d{2}[.,]\d{3})[ \t]+-->[ \t]+(?:\d+:)?\d{1,2}:\d{2}[.,]\d{3}/
const SPEAKER_TAG = /<v(?:\.[^\s>]*)?[ \t]+([^>]*)>/
/** `ISHMAEL: Call me …`, as transcripts without voice tags have it. */
const SPEAKER_PREFIX = /^(?:>>\s*)?(\p{Lu}[\p{L}.'’-]*(?: \p{Lu}[\p{L}.'’-]*){0,3}):\s+(?=\S)/u

/** What is said at a time. */
interface Cue {
  /** `00:12:31.000`. */
  readonly time: string
  readonly speaker: string | undefined
  /** With the speaker before it, where one is named. */
  readonly text: string
}

/** Reads subtitles (SRT, WebVTT): a line for each cue, marked with its time and its speaker where one is named; markup is left out. */
export function loadSubtitles(text: string, source: string): LoadedText {
  const builder = new TextBuilder()
  appendCues(builder, text)
  if (builder.offset === 0) throw damaged(source, 'it holds no cue with text')
  return builder.end()
}

/** Adds the cues of subtitles, each a line with its marks. */
export function appendCues(builder: TextBuilder, subtitles: string): void {
  for (const { time, speaker, text } of cuesOf(subtitles)) {
    const start = builder.offset
    builder.add(text)
    builder.mark('time', start, time)
    if (speaker !== undefined) builder.mark('speaker', start, speaker)
    builder.break(1)
  }
}

function* cuesOf(subtitles: string): Generator<Cue> {
  for (const block of subtitles.replace(/\r\n?/g, '\n').split(/\n[ \t]*\n/)) {
    const lines = block.split('\n').filter((line) => line !== '')
    const at = lines.findIndex((line) => TIMING.test(line))
    // Before the timing there is at most a number or a name; blocks without one are headers, styles and remarks.
    if (at < 0 || at > 1) continue
    const markup = lines.slice(at + 1).join(' ')
    const voice = SPEAKER_TAG.exec(markup)?.[1]?.trim()
    const words = unescape(markup.replace(/<[^>]*>|\{\\[^}]*\}/g, ''))
      .replace(/\s+/g, ' ')
      .trim()
    if (words === '') continue
    const speaker = voice || SPEAKER_PREFIX.exec(words)?.[1]
    const text = voice && !words.startsWith(`${voice}:`) ? `${voice}: ${words}` : words
    yield { time: fullTime(TIMING.exec(lines[at]!)![1]!), speaker, text }
  }
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
