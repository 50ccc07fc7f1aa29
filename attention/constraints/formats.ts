/** Formats of strings that are enforced, as regular expressions over the whole string. */
const leapYear = String.raw`(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)`
const date = String.raw`(?:\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))|${leapYear}-02-29)`
const clock = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)`
const label = '[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?'
const octet = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`

/** RFC 3339 (times), RFC 4122, RFC 5321 and 1123 without their rare forms, RFC 3986 with authority, ISO 8601 (durations). */
export const formats: Readonly<Record<string, string>> = {
  date: `^${date}$`,
  time: `^${clock}$`,
  'date-time': `^${date}T${clock}$`,
  duration: String.raw`^P(?:\d{1,4}W|\d{1,4}Y|\d{1,4}M|\d{1,4}D|(?:\d{1,4}D)?T\d{1,4}H(?:\d{1,4}M)?(?:\d{1,4}S)?|T\d{1,4}M(?:\d{1,4}S)?|T\d{1,4}S)$`,
  email: String.raw`^[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+){0,4}@(?:${label}\.){1,4}[a-z]{2,12}$`,
  hostname: String.raw`^${label}(?:\.${label}){0,4}$`,
  ipv4: String.raw`^${octet}(?:\.${octet}){3}$`,
  ipv6: '^(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$',
  uri: String.raw`^https?://(?:${label}\.){1,4}[a-z]{2,12}(?::[1-9]\d{1,3})?(?:/[A-Za-z0-9._~-]*){0,12}(?:\?[A-Za-z0-9._~=&-]*)?(?:#[A-Za-z0-9._~-]*)?$`,
  uuid: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
}
