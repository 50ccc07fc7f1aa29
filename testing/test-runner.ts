/** The parts of a test runner that a conformance suite needs: vitest, jest and `bun:test` have them. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown
  readonly it: TestFunction
  expect(actual: unknown): { toBe(expected: unknown): unknown; toEqual(expected: unknown): unknown }
}

export interface TestFunction {
  (name: string, body: () => void | Promise<void>): unknown
  /** Shows what is not tried on this implementation. */
  skip(name: string, body: () => void | Promise<void>): unknown
}

/** What a promise rejects with; throws when it does not reject. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown
  try {
    value = await promise
  } catch (reason) {
    return reason
  }
  throw new Error(`Cannot take a rejection as the promise was fulfilled with: ${JSON.stringify(value)}`)
}
