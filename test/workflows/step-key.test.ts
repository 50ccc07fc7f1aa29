import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, type StepIdentity, stepKey } from '../../workflows/step-key.ts'

const identity: StepIdentity = {
  namespace: '',
  agent: { name: 'worker', version: 1, identity: 'model' },
  input: { text: 'chunk', question: 'who' },
  sample: 0,
}

describe('the key of a step', () => {
  it('is a SHA-256 in hexadecimal and does not change between releases', () => {
    expect(stepKey(identity)).toBe('7c346bf5dc507c520c5b8fdb0cd69cb821734f99630b9874dec4638b0231590e')
  })

  it('is the same for the same data in another order, with or without undefined members', () => {
    expect(stepKey({ ...identity, input: { question: 'who', more: undefined, text: 'chunk' } })).toBe(stepKey(identity))
  })

  const changes: [string, Partial<StepIdentity>][] = [
    ['namespace', { namespace: 'other' }],
    ['agent', { agent: { name: 'manager', version: 1, identity: 'model' } }],
    ['version', { agent: { name: 'worker', version: 2, identity: 'model' } }],
    ['model', { agent: { name: 'worker', version: 1, identity: 'larger' } }],
    ['text', { input: { text: 'chunk ', question: 'who' } }],
    ['type of a value', { input: { text: 'chunk', question: ['who'] } }],
    ['sample', { sample: 1 }],
  ]
  it.each(changes)('changes with the %s', (_, change) => {
    expect(stepKey({ ...identity, ...change })).not.toBe(stepKey(identity))
  })

  it('does not take a value from one field for that of the next', () => {
    const one = stepKey({ ...identity, namespace: 'a', agent: { name: 'b', version: 1, identity: '' } })
    expect(stepKey({ ...identity, namespace: 'ab', agent: { name: '', version: 1, identity: '' } })).not.toBe(one)
  })

  it('tells lone surrogates apart', () => {
    expect(stepKey({ ...identity, input: '\ud800' })).not.toBe(stepKey({ ...identity, input: '\udc00' }))
  })

  const circular: Record<string, unknown> = { a: {} }
  circular['self'] = circular
  const refused: [string, unknown, RegExp][] = [
    ['NaN', { score: Number.NaN }, /input\.score.*NaN/],
    ['an infinity', [1, Number.POSITIVE_INFINITY], /input\[1\].*Infinity/],
    ['a function', { run: () => 1 }, /input\.run.*function/],
    ['a symbol', { one: Symbol('two') }, /input\.one.*symbol/],
    ['a big integer', { n: 10n }, /input\.n.*bigint.*10/],
    ['undefined in a list', [undefined], /input\[0\].*undefined/],
    ['a date', { at: new Date(0) }, /input\.at.*Date/],
    ['a map', new Map(), /input.*Map/],
    ['a typed array', new Float32Array(2), /input.*Float32Array/],
    ['data that holds itself', circular, /input\.self.*circular/],
  ]
  it.each(refused)('refuses %s and names the place', (_, input, message) => {
    expect(() => canonicalJson(input)).toThrow(TypeError)
    expect(() => canonicalJson(input)).toThrow(message)
  })

  it('takes what stands in two places without being circular', () => {
    const shared = { a: 1 }
    expect(canonicalJson({ b: shared, a: [shared] })).toBe('{"a":[{"a":1}],"b":{"a":1}}')
  })

  it('reads back as the same JSON data, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})
