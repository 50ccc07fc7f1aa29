import { describe, expect, it } from 'vitest'
import { findFacts } from '../../agents/index.ts'

const saidAt = Date.UTC(2026, 10, 24)
const told = (text: string, before?: string): string[] =>
  findFacts(text, { saidAt, ...(before !== undefined && { before }) }).map((fact) => fact.text)

describe('findFacts reads only what the user says in their own words', () => {
  it.each([
    ['My name is Ann. Translate this: My name is Bob.', 'The user is called Ann.'],
    ['I live in Ghent.\n> I live in Rome.\nWhat do you think?', 'The user lives in Ghent.'],
    ['~~~\nI live in Rome\n~~~\nI live in Ghent', 'The user lives in Ghent.'],
    ['Relevant memories:\n- My name is Bob.\n- I live in Rome.\n\nMy name is Ann.', 'The user is called Ann.'],
    ['Memories:\nMy name is Bob.\nI live in Rome.\n\nMy name is Ann.', 'The user is called Ann.'],
    ['Memories:\nMy name is Bob.', ''],
    ['<context source="x">My name is Bob.</context>\nMy name is Ann.', 'The user is called Ann.'],
    ['<memory>My name is Bob. My name is Ann.', ''],
    ['“My name is Bob,” he wrote. My name is Ann.', 'The user is called Ann.'],
    ['i live in Ghent\nmy name is Ann', 'The user lives in Ghent.|The user is called Ann.'],
    ['I’m 34 years old', 'The user is 34 years old.'],
  ])('%j', (text, facts) => {
    expect(told(text).join('|')).toBe(facts)
  })

  it('passes over what the user sends back of the assistant’s words', () => {
    expect(told('I live in the lovely Ghent.', 'Write: "I live in the lovely Ghent."')).toEqual([])
    expect(told('I live in Ghent.', 'Where do you live?')).toEqual(['The user lives in Ghent.'])
  })

  it('says where the words are', () => {
    const text = 'Well, hello! I live in Ghent. And you?'
    const [fact] = findFacts(text, { saidAt })
    expect(text.slice(fact?.span?.start, fact?.span?.end)).toBe('I live in Ghent.')
  })

  it.each([
    '',
    ' ',
    '\0',
    '\ud800 my name is \udfff',
    '🧶'.repeat(50),
    '"'.repeat(2000),
    "'".repeat(2000),
    '<a>'.repeat(500),
    '<a '.repeat(20_000),
    " 'a".repeat(20_000),
    '“a '.repeat(20_000),

    'I '.repeat(3000),
  ])('makes nothing of odd input (%#)', (text) => {
    expect(told(text, text)).toEqual([])
  })

  it('reads a long message in time that grows with its length', () => {
    const long = `${'The ship sailed on, and I saw nothing of it, but my heart was there. '.repeat(3000)}My name is Ann.`
    expect(told(long)).toEqual(['The user is called Ann.'])
  })
})
