import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { combineUnits, type CommunicationUnit, fitUnit, groupUnits, merger, type MergerOutput, renderUnit } from '../../agents/index.ts'
import { ContextOverflowError } from '../../errors/index.ts'
import { countWords, describedAs, scriptedModel, type TestContext, testContext } from './scripted.ts'

const quote = (id: string, text: string, start: number = 0): CommunicationUnit['quotes'][number] => ({
  id,
  documentId: 'book',
  chunkIndex: 0,
  start,
  end: start + text.length,
  text,
  how: 'exact',
})
const A: CommunicationUnit = { notes: 'Ahab lost a leg [q1].', quotes: [quote('q1', 'reaped away his leg', 5)] }
const B: CommunicationUnit = {
  notes: 'It is of ivory [q2]; he paces [q1].',
  quotes: [quote('q1', 'the pacing steps', 90), quote('q2', 'his ivory leg', 70)],
}

const units = fc
  .array(fc.record({ text: fc.stringMatching(/^[a-z ]{1,60}$/), cited: fc.boolean(), score: fc.double({ min: 0, max: 1, noNaN: true }) }), {
    maxLength: 12,
  })
  .map((parts): CommunicationUnit => ({
    notes: parts.map(({ text, cited }, at) => `${text}${cited ? ` [q${at + 1}]` : ''}.`).join(' '),
    quotes: parts.map(({ text, score }, at) => ({ ...quote(`q${at + 1}`, text), score })),
  }))

describe('fitUnit', () => {
  it('keeps any unit under any budget, and accounts for each quotation', () => {
    fc.assert(
      fc.property(units, fc.integer({ min: 1, max: 200 }), (unit, max) => {
        const fitted = fitUnit(unit, { max, count: countWords })
        expect(countWords(renderUnit(fitted.unit))).toBeLessThanOrEqual(max)
        expect([...fitted.unit.quotes, ...fitted.dropped].map(({ id }) => id).toSorted()).toEqual(
          unit.quotes.map(({ id }) => id).toSorted(),
        )
        expect(fitUnit(unit, { max, count: countWords })).toEqual(fitted)
        expect(fitUnit(fitted.unit, { max, count: countWords }).unit).toEqual(fitted.unit)
      }),
    )
  })
})

describe('combineUnits', () => {
  it('numbers quotations anew and takes the references along', () => {
    const combined = combineUnits([A, B])
    expect(combined.notes).toBe('Ahab lost a leg [q1].\nIt is of ivory [q3]; he paces [q2].')
    expect(combined.quotes.map(({ id, start }) => [id, start])).toEqual([
      ['q1', 5],
      ['q2', 90],
      ['q3', 70],
    ])
  })
})

describe('groupUnits', () => {
  it('packs groups of at least two but for one left over, in order, under the budget', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 82, max: 200 }),
        (sizes, budget) => {
          const all = sizes.map((size, at): CommunicationUnit => ({ notes: `u${at} `.repeat(size).trim(), quotes: [] }))
          const groups = groupUnits(all, { budget, count: countWords })
          expect(groups.flat()).toEqual(all)
          for (const group of groups) expect(countWords(renderUnit(combineUnits(group)))).toBeLessThanOrEqual(budget)
          for (const group of groups.slice(0, -1)) expect(group.length).toBeGreaterThanOrEqual(2)
          if (all.length > 1) expect(groups.length).toBeLessThan(all.length)
        },
      ),
    )
  })

  it('refuses where two neighbours do not fit together', () => {
    const unit = { notes: 'word '.repeat(50), quotes: [] }
    expect(() => groupUnits([unit, unit], { budget: 90, count: countWords })).toThrow(ContextOverflowError)
  })
})

async function merge(
  replies: readonly string[],
  input: readonly CommunicationUnit[],
  maxUnit: number = 200,
): Promise<{ output: MergerOutput; context: TestContext }> {
  const agent = merger(
    scriptedModel((_, call) => replies[call] ?? ''),
    { description: describedAs(), maxUnit },
  )
  const context = testContext()
  const asked = { question: 'Of what is the leg?', units: input }
  return { output: agent.place(await agent.run(asked, context), asked), context }
}

describe('merger', () => {
  it('rewrites the notes and carries all quotations', async () => {
    const { output } = await merge(['NOTES: The lost leg [q1] is of ivory [q3, q8].'], [A, B])
    expect(output).toEqual({
      unit: { notes: 'The lost leg [q1] is of ivory [q3].', quotes: combineUnits([A, B]).quotes },
      dropped: [],
      flags: [],
    })
  })

  it.each(['', 'I cannot help with that.', 'leg leg leg leg leg leg leg', 'NOTES: A leg.'])(
    'keeps the notes side by side after two replies like %j',
    async (reply) => {
      const { output, context } = await merge([reply, reply], [A, B])
      expect(output.unit).toEqual(combineUnits([A, B]))
      expect(output.flags).toHaveLength(1)
      expect(context.calls).toHaveLength(2)
    },
  )

  it('names what had to leave', async () => {
    const { output, context } = await merge(['NOTES: The leg is of ivory [q3].'], [A, B], 20)
    expect(output.unit.quotes.map(({ id }) => id)).toEqual(['q3'])
    expect(output.dropped.map(({ id }) => id)).toEqual(['q1', 'q2'])
    expect(context.notices).toContain('evidence-dropped')
  })

  it('has room for two full units, or refuses', () => {
    const make = (window: number): number =>
      merger(
        scriptedModel(() => ''),
        { description: describedAs({ window }), maxUnit: 200 },
      ).groupBudget('Of what?')
    expect(make(2000)).toBeGreaterThan(400)
    expect(() => make(700)).toThrow(ContextOverflowError)
  })
})
