/**
 * Whether a request was meant for this machine by something that runs on it. The server listens on loopback, but a page in a browser there
 * may send requests too, under its own name (DNS rebinding) or across origins: those name another host or an origin.
 */
export function isLocalRequest(request: Request): boolean {
  const host = new URL(request.url).hostname
  const origin = request.headers.get('origin')
  if (!isLoopback(host)) return false
  return origin === null || origin === new URL(request.url).origin
}

/** Whether a host name or address is of loopback. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
