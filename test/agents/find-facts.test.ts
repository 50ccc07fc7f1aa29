import { describe, expect, it } from 'vitest'
import { findFacts } from '../../agents/index.ts'
import { normaliseFactText } from '../../memory/index.ts'
import { developmentTurns, heldOutTurns, lastTurns, type LabelledTurn, saidAt } from './fact-turns.ts'

function labelsOf({ text, before }: LabelledTurn): string[] {
  return findFacts(text, { saidAt, ...(before !== undefined && { before }) }).map(
    ({ subject, attribute, topic, value, negated = false }) =>
      `${subject}.${attribute}${topic === undefined ? '' : `[${topic}]`}=${negated ? '!' : ''}${value}`,
  )
}

const plain = (label: string): string =>
  label
    .split(/[[\]=]/)
    .map((part) => (part.startsWith('!') ? `!${normaliseFactText(part)}` : normaliseFactText(part)))
    .join('|')

interface Score {
  readonly precision: number
  readonly recall: number
  readonly wrong: readonly string[]
  readonly missed: readonly string[]
}

function score(turns: readonly LabelledTurn[]): Score {
  const wrong: string[] = []
  const missed: string[] = []
  let right = 0
  for (const turn of turns) {
    const found = labelsOf(turn).map(plain)
    const wanted = turn.facts.map(plain)
    right += found.filter((label) => wanted.includes(label)).length
    wrong.push(...found.filter((label) => !wanted.includes(label)).map((label) => `${turn.text}: ${label}`))
    missed.push(...wanted.filter((label) => !found.includes(label)).map((label) => `${turn.text}: ${label}`))
  }
  return { precision: right / (right + wrong.length), recall: right / (right + missed.length), wrong, missed }
}

describe('findFacts', () => {
  it.each([
    ['the turns that it was written with', developmentTurns],
    ['those that were written next', heldOutTurns],
    ['those that were written last', lastTurns],
  ])('is precise on %s', (_, turns) => {
    const { precision, recall, wrong, missed } = score(turns)
    expect(precision, wrong.join('\n')).toBeGreaterThanOrEqual(0.95)
    expect(recall, missed.join('\n')).toBeGreaterThanOrEqual(0.85)
  })

  it('refuses a time that is none', () => {
    expect(() => findFacts("I'm flying to Rome on Friday.", { saidAt: Number.NaN })).toThrow(RangeError)
  })
})
