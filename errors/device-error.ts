/** The device that was asked for cannot run models here. The message says why and what to do. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError'
  /** For instance `webgpu`. */
  readonly device: string

  constructor(message: string, options: { device: string; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.device = options.device
  }
}
