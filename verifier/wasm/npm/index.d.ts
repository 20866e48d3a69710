/**
 * Checks proofs of neural-network inference made by zkinfer.
 *
 * A key and a model commitment must come from your own records, never from whoever sent the proof.
 */

/** The classes of errors, the same as those of `zkinfer verify --json`. */
export type ErrorClass =
  | 'rejected'
  | 'malformed_proof'
  | 'malformed_key'
  | 'bad_statement'
  | 'key_mismatch'
  | 'wrong_kind'
  | 'unsupported_version'
  | 'too_large'
  | 'usage'
  | 'file_not_found'
  | 'failure';

export interface Failure {
  class: ErrorClass;
  message: string;
}

/** Thrown by everything here except `Key.verify`, whose refusals are reports. */
export declare class VerifierError extends Error {
  readonly class: ErrorClass;
  constructor(failure: Failure);
}

/** The contents of a file. A Buffer of Node is one too. */
export type Bytes = Uint8Array | ArrayBuffer;

export interface Options {
  /** The module: compiled, or its bytes, plain or gzipped. Without it the one in this package is read. */
  wasm?: WebAssembly.Module | Bytes | Promise<WebAssembly.Module | Bytes>;
}

export declare function createVerifier(options?: Options): Promise<Verifier>;

export declare class Verifier {
  private constructor();
  /** Bytes of the module's memory, which never shrinks. */
  readonly memoryBytes: number;
  /**
   * Loads the contents of `verifying.key` and `model.zkc`.
   * @throws {VerifierError} malformed_key, wrong_kind, unsupported_version, key_mismatch, too_large
   */
  load(verifyingKey: Bytes, modelCommitment: Bytes): Key;
}

export interface VerifyOptions {
  /** The context that the proof must have been made for; without it any context is accepted. */
  context?: Bytes;
}

export declare class Key {
  private constructor();
  readonly info: KeyInfo;
  /**
   * Checks the contents of a `.zkp` file. The answer is a report, also for a proof that is not accepted.
   * @throws {VerifierError} too_large, or failure where the module ended
   */
  verify(proof: Bytes, options?: VerifyOptions): Report;
  /** Frees what the module holds for this key, which cannot be used afterwards. */
  free(): void;
}

export type Report = ValidReport | RefusedReport;

/** What was proved. Digests are hexadecimal. */
export interface ValidReport {
  valid: true;
  inputs: Tensor[];
  outputs: Tensor[];
  model_commitment: string;
  verifying_key: string;
  /** `0x` and hexadecimal. */
  context: string;
  /** The statement's digest: what replay protection must key on. */
  statement: string;
  trusted_setup: string;
  /** Digest of the transcript that the key came from. */
  ceremony?: string;
}

export interface RefusedReport {
  valid: false;
  error: Failure;
}

/** A proved tensor: its integers, or the commitment to them where it is private. */
export interface Tensor {
  name: string;
  shape: number[];
  ints?: number[];
  /** What the integers stand for; of outputs only. */
  values?: (number | null)[];
  commitment?: string;
}

/** A key and its model commitment. */
export interface KeyInfo {
  /** The proof system. */
  backend: string;
  verifying_key: string;
  model_commitment: string;
  /** The model's name. */
  model: string;
  architecture: string;
  rounding: string;
  trusted_setup: string;
  ceremony?: string;
  version: string;
  constraints: number;
  proof_bytes: number;
  /** Whether whoever has the weights can recompute the commitment. */
  public: boolean;
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  /** Of image inputs: real value = pixel·scale − mean, one number or one a channel. */
  pixel_scale?: number[];
  pixel_mean?: number[];
}

/** Integers q in [min, max] that stand for scale·(q − zero). */
export interface TensorSpec {
  name: string;
  shape: number[];
  type: 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32';
  min: number;
  max: number;
  private: boolean;
  scale: number;
  zero: number;
}
