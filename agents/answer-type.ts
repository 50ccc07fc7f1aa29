/** Whether a passage can hold the kind of thing that an English question asks for: a time, a number, a name. */

const WHEN = /\b(?:when|what year|which year|what date|what century|what decade|what month|what day)\b/i
const TIME =
  /\b\d{3,4}s?\b|\d(?:st|nd|rd|th) century|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b/
const HOW_MANY = /\bhow (?:many|much|old|long|far|large|tall|big|high|often)\b|percent|what (?:number|amount)/i
const NUMBER =
  /\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|hundred|thousand|million|billion|half|third|quarter|several|dozen)\b/i
const WHO = /\b(?:who|whom|whose|where|what country|which country|what city|which city|what (?:is|was) the name)\b/i
/** A capital that does not begin the passage or a sentence. */
const NAME = /(?<![.!?]["”’]? |^)\b\p{Lu}\p{Ll}+/gu

/** 1: it holds such a thing; 0: it does not; 0.5: the question does not say what it wants. */
export function answerType(question: string, passage: string): number {
  if (WHEN.test(question)) return Number(TIME.test(passage))
  if (HOW_MANY.test(question)) return Number(NUMBER.test(passage))
  if (!WHO.test(question)) return 0.5
  const asked = new Set(question.toLowerCase().match(/\p{L}+/gu) ?? [])
  return Number((passage.match(NAME) ?? []).some((name) => !asked.has(name.toLowerCase())))
}
