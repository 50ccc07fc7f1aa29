import { tool } from '@langchain/core/tools'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { mem1ToolOf } from '../../langchain/index.ts'

const { signal } = new AbortController()

describe('mem1ToolOf()', () => {
  it('gives the query to the one text that a tool takes', async () => {
    const found = mem1ToolOf(
      tool(({ rank }) => `The ${rank}`, { name: 'crew', description: 'finds sailors', schema: z.object({ rank: z.string() }) }),
    )
    expect(found).toMatchObject({ name: 'crew', description: 'finds sailors' })
    expect(await found.run('mate', signal)).toBe('The mate')
  })

  it('takes the arguments of any other tool as JSON, tells their schema, and gives what is no text as JSON', async () => {
    const schema = z.object({ a: z.number(), b: z.number() })
    const add = mem1ToolOf(tool(({ a, b }) => ({ sum: a + b }), { name: 'add', description: 'adds', schema }))
    expect(add.description).toContain('"a"')
    expect(await add.run('{"a": 1, "b": 2}', signal)).toBe('{"sum":3}')
    await expect(add.run('one and two', signal)).rejects.toThrow(SyntaxError)
  })
})
