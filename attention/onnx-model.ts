/**
 * Builds ONNX models in memory: just the messages and fields that decoder graphs need.
 * Field numbers are those of the ONNX format's `onnx.proto3` (ModelProto, GraphProto, NodeProto, TensorProto, AttributeProto).
 */
import { PbfWriter } from 'pbf'

/** Element types of tensors, with their numbers in `TensorProto.DataType`. */
const elementTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const

export type ElementType = keyof typeof elementTypes

/** A size of an input or output: a number, or the name of a size known only at run time. */
export type Dimension = number | string

/** A constant of the graph: raw little-endian data with its shape. */
export interface ConstantTensor {
  readonly type: ElementType
  readonly dims: readonly number[]
  readonly data: ArrayBufferView
}

/** A number is written as an integer attribute; a float attribute is `{ float: x }`. */
export type AttributeValue = number | string | readonly number[] | { readonly float: number }

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, AttributeValue>>
  /** Names of the outputs; one fresh name by default. */
  readonly outputs?: readonly string[]
  /** Operator set; `com.microsoft` for contributed operators. */
  readonly domain?: string
}

interface Node {
  readonly operator: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, AttributeValue>>
  readonly domain: string
}

interface Value {
  readonly name: string
  readonly type: ElementType
  readonly dims: readonly Dimension[]
}

interface NamedTensor extends ConstantTensor {
  readonly name: string
}

const irVersion = 10
const opsetVersion = 18

/** Collects the nodes of one graph and encodes them as an ONNX model. */
export class GraphBuilder {
  readonly #name: string
  readonly #nodes: Node[] = []
  readonly #inputs: Value[] = []
  readonly #outputs: Value[] = []
  readonly #constants: NamedTensor[] = []

  constructor(name: string) {
    this.#name = name
  }

  /** Declares an input and returns its name. */
  input(name: string, type: ElementType, dims: readonly Dimension[]): string {
    this.#inputs.push({ name, type, dims })
    return name
  }

  /** Declares that the value `name` is an output. */
  output(name: string, type: ElementType, dims: readonly Dimension[]): void {
    this.#outputs.push({ name, type, dims })
  }

  /** Adds a constant and returns its name. */
  constant(tensor: ConstantTensor): string {
    const name = `constant${this.#constants.length}`
    this.#constants.push({ ...tensor, name })
    return name
  }

  /** Adds a constant vector of 64-bit integers, the form in which operators take shapes and axes. */
  integers(values: readonly number[]): string {
    return this.constant({ type: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) })
  }

  /** Adds a node with one output and returns the name of that output. */
  node(operator: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const name = `value${this.#nodes.length}`
    const { attributes = {}, outputs = [name], domain = '' } = options
    this.#nodes.push({ operator, inputs, outputs, attributes, domain })
    return outputs[0] ?? name
  }

  /** The model as bytes, ready for a runtime; in `room` where it is large enough. */
  encode(room: Uint8Array = new Uint8Array(0)): Uint8Array {
    const size = this.#constants.reduce((sum, { data }) => sum + data.byteLength, 65_536)
    const writer = new PbfWriter(room.length < size ? new Uint8Array(size) : room)
    writer.writeVarintField(1, irVersion)
    writer.writeStringField(2, 'scriptorium')
    writer.writeMessage(7, writeGraph, {
      name: this.#name,
      nodes: this.#nodes,
      inputs: this.#inputs,
      outputs: this.#outputs,
      constants: this.#constants,
    })
    writer.writeMessage(8, writeOpset, { domain: '', version: opsetVersion })
    writer.writeMessage(8, writeOpset, { domain: 'com.microsoft', version: 1 })
    return writer.finish()
  }
}

interface Graph {
  readonly name: string
  readonly nodes: readonly Node[]
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly constants: readonly NamedTensor[]
}

function writeOpset(opset: { domain: string; version: number }, writer: PbfWriter): void {
  writer.writeStringField(1, opset.domain)
  writer.writeVarintField(2, opset.version)
}

function writeGraph(graph: Graph, writer: PbfWriter): void {
  for (const node of graph.nodes) writer.writeMessage(1, writeNode, node)
  writer.writeStringField(2, graph.name)
  for (const constant of graph.constants) writer.writeMessage(5, writeTensor, constant)
  for (const input of graph.inputs) writer.writeMessage(11, writeValue, input)
  for (const output of graph.outputs) writer.writeMessage(12, writeValue, output)
}

function writeNode(node: Node, writer: PbfWriter): void {
  for (const input of node.inputs) writer.writeStringField(1, input)
  for (const output of node.outputs) writer.writeStringField(2, output)
  writer.writeStringField(4, node.operator)
  for (const [name, value] of Object.entries(node.attributes)) writer.writeMessage(5, writeAttribute, { name, value })
  writer.writeStringField(7, node.domain)
}

function writeAttribute({ name, value }: { name: string; value: AttributeValue }, writer: PbfWriter): void {
  writer.writeStringField(1, name)
  if (typeof value === 'number') {
    writer.writeVarintField(3, value)
    writer.writeVarintField(20, 2)
  } else if (typeof value === 'string') {
    writer.writeStringField(4, value)
    writer.writeVarintField(20, 3)
  } else if ('float' in value) {
    writer.writeFloatField(2, value.float)
    writer.writeVarintField(20, 1)
  } else {
    for (const item of value) writer.writeVarintField(8, item)
    writer.writeVarintField(20, 7)
  }
}

function writeTensor(tensor: NamedTensor, writer: PbfWriter): void {
  for (const size of tensor.dims) writer.writeVarintField(1, size)
  writer.writeVarintField(2, elementTypes[tensor.type])
  writer.writeStringField(8, tensor.name)
  writer.writeBytesField(9, new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength))
}

function writeValue(value: Value, writer: PbfWriter): void {
  writer.writeStringField(1, value.name)
  writer.writeMessage(2, writeType, value)
}

function writeType(value: Value, writer: PbfWriter): void {
  writer.writeMessage(1, writeTensorType, value)
}

function writeTensorType(value: Value, writer: PbfWriter): void {
  writer.writeVarintField(1, elementTypes[value.type])
  writer.writeMessage(2, writeShape, value.dims)
}

function writeShape(dims: readonly Dimension[], writer: PbfWriter): void {
  for (const size of dims) writer.writeMessage(1, writeDimension, size)
}

function writeDimension(size: Dimension, writer: PbfWriter): void {
  if (typeof size === 'number') writer.writeVarintField(1, size)
  else writer.writeStringField(2, size)
}
