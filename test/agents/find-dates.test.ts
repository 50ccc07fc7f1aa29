import { describe, expect, it } from 'vitest'
import { findDates } from '../../agents/index.ts'

const DAY = 24 * 60 * 60 * 1000
/** Tuesday, 24 November 2026, 10:00 UTC. */
const saidAt = Date.UTC(2026, 10, 24, 10)

const iso = (text: string, direction: 'future' | 'past' = 'future'): string[] =>
  findDates(text, { saidAt, direction }).map((date) => date.iso)

describe('findDates', () => {
  it.each([
    ['today', '2026-11-24'],
    ['tomorrow morning', '2026-11-25'],
    ['the day after tomorrow', '2026-11-26'],
    ['yesterday', '2026-11-23'],
    ['on Friday', '2026-11-27'],
    ['on Tuesday', '2026-12-01'],
    ['last Monday', '2026-11-23'],
    ['this weekend', '2026-11-28'],
    ['next weekend', '2026-12-05'],
    ['next week', '2026-11-30'],
    ['last week', '2026-11-16'],
    ['next month', '2026-12'],
    ['last year', '2025'],
    ['in 3 days', '2026-11-27'],
    ['in two weeks', '2026-12-08'],
    ['in a month', '2026-12'],
    ['five years ago', '2021'],
    ['on 3 December', '2026-12-03'],
    ['on the 1st of March', '2027-03-01'],
    ['on March 1st, 2030', '2030-03-01'],
    ['on 24 Nov', '2026-11-24'],
    ['in January', '2027-01'],
    ['in May 2030', '2030-05'],
    ['on 2026-12-31', '2026-12-31'],
    ['since the war, in 1945', '1945'],
  ])('grounds %j', (text, date) => {
    expect(iso(text)).toEqual([date])
  })

  it.each([
    ['on Friday', '2026-11-20'],
    ['in May', '2026-05'],
    ['on 3 December', '2025-12-03'],
    ['in November', '2026-11'],
  ])('looks back for %j where it is told to', (text, date) => {
    expect(iso(text, 'past')).toEqual([date])
  })

  it.each([
    'I may go',
    'we march on',
    'next Friday',
    '3/5/2026',
    'every Monday',
    'on 31 February',
    'on 2026-02-30',
    'May called',
    'Augustus',
    'no date',
  ])('finds no date in %j', (text) => {
    expect(iso(text)).toEqual([])
  })

  it('gives the span with its preposition, and the time until it is over', () => {
    const [date] = findDates('I fly on Friday at 9', { saidAt })
    expect(date).toEqual({ start: 6, end: 15, iso: '2026-11-27', from: Date.UTC(2026, 10, 27), until: Date.UTC(2026, 10, 28) })
    const [week] = findDates('next week', { saidAt })
    expect((week?.until ?? 0) - (week?.from ?? 0)).toBe(7 * DAY)
  })

  it('counts from the day that it is where the user is', () => {
    const late = { saidAt: Date.UTC(2026, 10, 24, 23), utcOffset: 120 }
    expect(findDates('tomorrow', late)).toMatchObject([{ iso: '2026-11-26', from: Date.UTC(2026, 10, 25, 22) }])
  })

  it('refuses a time that is none', () => {
    expect(() => findDates('today', { saidAt: Number.NaN })).toThrow(RangeError)
  })
})
