/** What the attention core is given from outside: an ONNX runtime and the bytes of a file. */

/** The part of `onnxruntime-common` that the core uses; `onnxruntime-node` and `onnxruntime-web` fit as they are. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(model: Uint8Array, options?: object): Promise<OnnxSession>
  }
  readonly Tensor: new (type: string, data: never, dims: readonly number[]) => OnnxTensor
}

export interface OnnxSession {
  run(feeds: Record<string, OnnxTensor>, options?: object): Promise<Record<string, OnnxTensor>>
  release(): Promise<void>
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
}

export interface OnnxTensor {
  readonly data: unknown
  readonly dims: readonly number[]
  readonly type: string
  dispose(): void
}

/** Random access to the bytes of a file, wherever it lies. */
export interface ByteSource {
  /** Label for messages, such as a path. */
  readonly name: string
  /** Size in bytes. */
  readonly size: number
  /** Bytes [start, end). */
  read(start: number, end: number): Promise<Uint8Array>
}

/** The files of a model that has several, by their names. */
export interface FileSet {
  /** Label for messages, such as the path of a folder. */
  readonly name: string
  /** Opens a file; undefined when there is none of that name. */
  open(name: string): Promise<(ByteSource & { close?(): Promise<void> }) | undefined>
}
