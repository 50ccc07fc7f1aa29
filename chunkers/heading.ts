/** A heading found in a text. */
export interface Heading {
  /** First character of the heading. */
  readonly start: number
  /** Past its last character. */
  readonly end: number
  readonly title: string
  /** 1 is the highest. */
  readonly level: number
}
