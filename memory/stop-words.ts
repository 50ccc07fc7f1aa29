const list = `
a about above after again against all also am an and any are as at be because been before being below between both but by can cannot could
did do does doing down during each else ever few for from further had has have having he her here hers herself him himself his how however
i if in into is it its itself just may me might more most must my myself nor not of off on once only onto or other our ours ourselves out
over own per same shall she should so some such than that the their theirs them themselves then there these they this those through thus to
too under until up upon us very was we were what when where whether which while who whom whose why will with within would you your yours
yourself yourselves`

/** English function words, which say nothing of a passage: left out of the index and of queries. Folded, lower case. */
export const stopWords: ReadonlySet<string> = new Set(list.split(/\s+/).filter(Boolean))
