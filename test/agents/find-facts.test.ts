import { describe, expect, it } from 'vitest'
import { findFacts } from '../../agents/index.ts'
import { normaliseFactText } from '../../memory/index.ts'
import { developmentTurns, heldOutTurns, type LabelledTurn, saidAt } from './fact-turns.ts'

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
  it('is precise on the turns that it was written with', () => {
    const result = score(developmentTurns)
    if (process.env['SHOW_FACTS']) console.log(result)
    expect(result.precision).toBeGreaterThanOrEqual(0.95)
  })

  it('is precise on turns that it was not written with', () => {
    const result = score(heldOutTurns)
    if (process.env['SHOW_FACTS']) console.log(result)
    expect(result.precision).toBeGreaterThanOrEqual(0.95)
  })
})
