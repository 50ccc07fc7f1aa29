/** Dates in English text, also those that count from the day on which it was said. */

/** A date with its words. Times are milliseconds since 1970, in UTC. */
export interface FoundDate {
  /** Span of its words, with `on`, `in` or `at` before them; UTF-16 code units. */
  readonly start: number
  readonly end: number
  /** `2026-11-27`, `2026-12` or `2026`; for weeks the first day. */
  readonly iso: string
  /** First millisecond of the day, week, month or year, and the first one after it. */
  readonly from: number
  readonly until: number
}

export interface FindDatesOptions {
  /** When the text was said, milliseconds since 1970. */
  readonly saidAt: number
  /** Whether dates without a year lie ahead of `saidAt` (the default) or behind it. */
  readonly direction?: 'future' | 'past'
  /** Minutes that the speaker's clock is ahead of UTC; 0 by default. */
  readonly utcOffset?: number
}

const DAY = 24 * 60 * 60 * 1000
const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const months = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december']
const monthWord = `(?:${months.map((month) => `${month.slice(0, 3)}(?:${month.slice(3)})?\\.?`).join('|')})`
const numbers = ['a', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve']
const numberWord = `(\\d{1,3}|${numbers.join('|')}|an)`

/** The day, as years, months from 0 and days. */
interface Day {
  readonly year: number
  readonly month: number
  readonly day: number
}

/** What a pattern means, given the day of speaking: `undefined` where its words are no date after all. */
interface DateRule {
  readonly pattern: RegExp
  read(match: readonly string[], today: Day, ahead: boolean): Span | undefined
}

interface Span {
  readonly iso: string
  readonly from: Day
  readonly until: Day
}

const rules: readonly DateRule[] = [
  rule('(\\d{4})-(\\d{2})-(\\d{2})', ([, year, month, day]) => exactDay(Number(year), Number(month) - 1, Number(day))),
  rule(`(?:the )?(\\d{1,2})(?:st|nd|rd|th)?(?: of)? (${monthWord})(?:,? (\\d{4}))?`, ([, day, month, year], today, ahead) =>
    monthDay(today, ahead, month, day, year),
  ),
  rule(`(${monthWord}) (?:the )?(\\d{1,2})(?:st|nd|rd|th)?(?:,? (\\d{4}))?`, ([, month, day, year], today, ahead) =>
    monthDay(today, ahead, month, day, year),
  ),
  rule('the day after tomorrow', (_, today) => dayAfter(today, 2)),
  rule('tomorrow(?: (?:morning|afternoon|evening|night))?', (_, today) => dayAfter(today, 1)),
  rule('today|tonight|this (?:morning|afternoon|evening)', (_, today) => dayAfter(today, 0)),
  rule('yesterday', (_, today) => dayAfter(today, -1)),
  rule(`in ${numberWord} (day|week|month|year)s?`, ([, count, unit], today) => later(today, numberOf(count), unit)),
  rule(`${numberWord} (day|week|month|year)s? ago`, ([, count, unit], today) => later(today, -numberOf(count), unit)),
  rule('this weekend', (_, today) => weekend(today, 0)),
  rule('next weekend', (_, today) => weekend(today, 1)),
  rule('(next|last) (week|month|year)', ([, which, unit], today) => neighbouring(today, which === 'next' ? 1 : -1, unit)),
  rule(`(?:last |this (?:coming )?)?(${weekdays.join('|')})`, ([whole = '', name = ''], today, ahead) =>
    weekday(today, name, ahead && !whole.toLowerCase().startsWith('last')),
  ),
  rule(`(${monthWord})(?: (\\d{4}))?`, ([, month, year], today, ahead) => wholeMonth(today, ahead, month, year)),
  rule('(?<=\\b(?:in|by|since|from|until) )((?:19|20)\\d{2})(?![-/]\\d)', ([, year]) => wholeYear(Number(year))),
]

function rule(source: string, read: DateRule['read']): DateRule {
  return { pattern: new RegExp(`\\b(?:(?:on|in|at|by) )?(?<!\\b(?:next|every|each|most) )(?:${source})(?![\\p{L}\\p{N}])`, 'giu'), read }
}

/**
 * Dates in the order in which they stand, without overlaps. What can be read in two ways ("next Friday", "3/5/2026") is not a date here,
 * and words that are a date only in a sentence ("may", "march") count with a capital letter only, and a number is a year only behind a
 * preposition.
 *
 * @throws RangeError when `saidAt` is not a time
 */
export function findDates(text: string, options: FindDatesOptions): FoundDate[] {
  const { saidAt, direction = 'future', utcOffset = 0 } = options
  const today = dayOf(saidAt + utcOffset * 60_000)
  if (!Number.isFinite(today.year)) throw new RangeError(`Cannot ground dates as the time is none: ${saidAt}`)
  const found: FoundDate[] = []
  for (const { pattern, read } of rules) {
    for (const match of text.matchAll(pattern)) {
      const [start, end] = [match.index, match.index + match[0].length]
      if (found.some((other) => other.start < end && start < other.end) || isVerb(match)) continue
      const span = read(match, today, direction === 'future')
      if (span) found.push({ start, end, iso: span.iso, from: timeOf(span.from, utcOffset), until: timeOf(span.until, utcOffset) })
    }
  }
  return found.toSorted((one, other) => one.start - other.start)
}

/**
 * "may", "march", "sun" and their like are months and days with a capital letter only; a month alone needs its "in", so that "May called"
 * is none.
 */
function isVerb(match: readonly string[]): boolean {
  const [whole = ''] = match
  const words = whole.replace(/^(?:on|in|at|by) /i, '')
  if (/^(?:may|mar(?:ch)?\.?|sat|dec\.?|jan\.?)$/.test(words)) return true
  return new RegExp(`^${monthWord}$`, 'i').test(whole) && !/^(?:in|by) /i.test(whole)
}

function numberOf(word: string = ''): number {
  const place = numbers.indexOf(word.toLowerCase())
  if (/^an?$/i.test(word)) return 1
  return place > 0 ? place : Number(word)
}

function monthOf(word: string = ''): number {
  return months.findIndex((month) => month.startsWith(word.toLowerCase().replace('.', '')))
}

function exactDay(year: number, month: number, day: number): Span | undefined {
  const from = { year, month, day }
  const real = dayOf(Date.UTC(year, month, day))
  if (real.year !== year || real.month !== month || real.day !== day) return undefined
  return { iso: isoOf(from), from, until: shift(from, 1) }
}

/** A day of a month: the next one, or the last one, where no year is said. */
function monthDay(today: Day, ahead: boolean, month?: string, day?: string, year?: string): Span | undefined {
  const at = monthOf(month)
  if (year !== undefined) return exactDay(Number(year), at, Number(day))
  const earlier = at < today.month || (at === today.month && Number(day) < today.day)
  return exactDay(today.year + (ahead ? Number(earlier) : -Number(!earlier)), at, Number(day))
}

function wholeMonth(today: Day, ahead: boolean, month?: string, year?: string): Span {
  const at = monthOf(month)
  const moved = ahead ? Number(at < today.month) : -Number(at > today.month)
  return monthSpan(year === undefined ? today.year + moved : Number(year), at)
}

function monthSpan(year: number, month: number): Span {
  const from = dayOf(Date.UTC(year, month, 1))
  return { iso: isoOf(from).slice(0, 7), from, until: dayOf(Date.UTC(year, month + 1, 1)) }
}

function wholeYear(year: number): Span {
  return { iso: String(year), from: { year, month: 0, day: 1 }, until: { year: year + 1, month: 0, day: 1 } }
}

function dayAfter(today: Day, days: number): Span {
  const from = shift(today, days)
  return { iso: isoOf(from), from, until: shift(from, 1) }
}

function later(today: Day, count: number, unit: string = ''): Span {
  if (unit.startsWith('day')) return dayAfter(today, count)
  if (unit.startsWith('week')) return dayAfter(today, 7 * count)
  return unit.startsWith('month') ? monthSpan(today.year, today.month + count) : wholeYear(today.year + count)
}

function weekend(today: Day, weeks: number): Span {
  const saturday = shift(today, ((6 - weekdayOf(today) + 7) % 7) + 7 * weeks)
  return { iso: isoOf(saturday), from: saturday, until: shift(saturday, 2) }
}

function neighbouring(today: Day, step: number, unit: string = ''): Span {
  if (unit !== 'week') return later(today, step, unit)
  const monday = shift(today, 7 * step - ((weekdayOf(today) + 6) % 7))
  return { iso: isoOf(monday), from: monday, until: shift(monday, 7) }
}

/** The next such day after today, or the last one before it. */
function weekday(today: Day, name: string, ahead: boolean): Span {
  const distance = (weekdays.indexOf(name.toLowerCase()) - weekdayOf(today) + 7) % 7
  return dayAfter(today, ahead ? distance || 7 : distance - 7)
}

function dayOf(time: number): Day {
  const date = new Date(time)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate() }
}

function weekdayOf({ year, month, day }: Day): number {
  return new Date(Date.UTC(year, month, day)).getUTCDay()
}

function shift({ year, month, day }: Day, days: number): Day {
  return dayOf(Date.UTC(year, month, day) + days * DAY)
}

function timeOf({ year, month, day }: Day, utcOffset: number): number {
  return Date.UTC(year, month, day) - utcOffset * 60_000
}

function isoOf({ year, month, day }: Day): string {
  return new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10)
}
