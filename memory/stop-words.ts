const list = `
a am an and are as at be been being but by can could did do does doing for from had has have having he her hers herself him himself his how i if
in into is it its itself me my myself no nor not of on or our ours ourselves shall she should so such than that the their theirs them
themselves then there these they this those to us was we were what when where which who whom whose why will with would you your yours
yourself yourselves`

/**
 * English function words, left out of the index and of queries: folded, lower case. Short on purpose: words such as "before", "most" and
 * "between" tell one passage from another, and leaving them out measured worse.
 */
export const stopWords: ReadonlySet<string> = new Set(list.split(/\s+/).filter(Boolean))
